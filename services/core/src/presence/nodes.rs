//! The nodes of the cluster and who owns which shard.
//!
//! Liveness is not measured here: that a node is dead comes in as a command.

use super::command::Refusal;
use super::limits::MAX_NODES;
use crate::ids::{Epoch, InvalidId, NodeId};
use crate::shard::ShardId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Hexadecimal digits of an incarnation at the end of a node's id.
const INCARNATION_DIGITS: usize = 12;

/// The id of a process: the node's name, and an incarnation that is higher at
/// each start (milliseconds since the Unix epoch serve). Fails when the name is
/// no slug or is longer than 51 bytes. Bits of the incarnation above the 48th
/// are ignored.
pub fn incarnation_id(name: &str, incarnation: u64) -> Result<NodeId, InvalidId> {
    format!("{name}-{:012x}", incarnation & 0xffff_ffff_ffff).parse()
}

/// The node's name without its incarnation; the whole id when it has none.
pub fn node_name(node: &NodeId) -> &str {
    match node.as_str().rsplit_once('-') {
        Some((name, incarnation))
            if incarnation.len() == INCARNATION_DIGITS
                && incarnation
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) =>
        {
            name
        }
        _ => node.as_str(),
    }
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Ends clients' connections.
    Gateway,
    /// Owns shards of conversations.
    Sessions,
}

/// A node that has joined and is not dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The process.
    pub node: NodeId,
    /// What it does.
    pub roles: BTreeSet<NodeRole>,
    /// Whether it leaves and gets no more shards.
    pub draining: bool,
}

/// Who owns a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The owner; it may have died since.
    pub node: NodeId,
    /// Log index of the assignment.
    pub epoch: Epoch,
}

/// Nodes and placement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    members: BTreeMap<NodeId, Member>,
    placement: BTreeMap<ShardId, Placement>,
}

impl Nodes {
    pub(super) fn restore(members: Vec<Member>, placement: Vec<(ShardId, Placement)>) -> Self {
        Self {
            members: members.into_iter().map(|m| (m.node.clone(), m)).collect(),
            placement: placement.into_iter().collect(),
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(super) fn placement(&self) -> impl Iterator<Item = (ShardId, &Placement)> {
        self.placement.iter().map(|(shard, placement)| (*shard, placement))
    }

    pub(super) fn has(&self, node: &NodeId, role: NodeRole) -> bool {
        self.members.get(node).is_some_and(|m| m.roles.contains(&role))
    }

    /// Adds a role to a node and returns the older incarnations this ends.
    pub(super) fn join(&mut self, node: &NodeId, role: NodeRole) -> Result<Vec<NodeId>, Refusal> {
        let name = node_name(node);
        let others: Vec<NodeId> =
            self.members.keys().filter(|m| *m != node && node_name(m) == name).cloned().collect();
        // Same name and fixed width: the order of the ids is that of the incarnations.
        if others.iter().any(|other| other > node) {
            return Err(Refusal::StaleNode);
        }
        if self.members.len() - others.len() >= MAX_NODES && !self.members.contains_key(node) {
            return Err(Refusal::Full);
        }
        for other in &others {
            self.members.remove(other);
        }
        self.members
            .entry(node.clone())
            .or_insert_with(|| Member {
                node: node.clone(),
                roles: BTreeSet::new(),
                draining: false,
            })
            .roles
            .insert(role);
        Ok(others)
    }

    pub(super) fn drain(&mut self, node: &NodeId) -> Result<(), Refusal> {
        self.members.get_mut(node).ok_or(Refusal::UnknownNode)?.draining = true;
        Ok(())
    }

    pub(super) fn remove(&mut self, node: &NodeId) {
        self.members.remove(node);
    }

    pub(super) fn assign(
        &mut self,
        shards: &[ShardId],
        node: &NodeId,
        epoch: Epoch,
    ) -> Result<(), Refusal> {
        let member = self.members.get(node).ok_or(Refusal::UnknownNode)?;
        if !member.roles.contains(&NodeRole::Sessions) {
            return Err(Refusal::UnknownNode);
        }
        if member.draining {
            return Err(Refusal::Draining);
        }
        for shard in shards {
            self.placement.insert(*shard, Placement { node: node.clone(), epoch });
        }
        Ok(())
    }

    /// The placement of some shards, leaving out those never assigned.
    pub(super) fn placed(&self, shards: &[ShardId]) -> Vec<(ShardId, Placement)> {
        shards.iter().filter_map(|s| Some((*s, self.placement.get(s)?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_is_before_the_incarnation() {
        let node = incarnation_id("gw-1", 0x0192_aaaa_bbbb).expect("a slug");
        assert_eq!(node.as_str(), "gw-1-0192aaaabbbb");
        assert_eq!(node_name(&node), "gw-1");
        let plain: NodeId = "gateway-2".parse().expect("a slug");
        assert_eq!(node_name(&plain), "gateway-2");
    }

    #[test]
    fn a_newer_incarnation_ends_the_older_and_never_the_reverse() {
        let (old, new) = (incarnation_id("a", 1).expect("ok"), incarnation_id("a", 2).expect("ok"));
        let mut nodes = Nodes::default();
        assert_eq!(nodes.join(&old, NodeRole::Gateway), Ok(vec![]));
        assert_eq!(nodes.join(&new, NodeRole::Gateway), Ok(vec![old.clone()]));
        assert_eq!(nodes.join(&old, NodeRole::Gateway), Err(Refusal::StaleNode));
        assert!(!nodes.has(&old, NodeRole::Gateway));
    }

    #[test]
    fn only_live_session_nodes_get_shards() {
        let node = incarnation_id("a", 1).expect("ok");
        let shards: Vec<ShardId> = ShardId::all().collect();
        let mut nodes = Nodes::default();
        assert_eq!(nodes.assign(&shards, &node, Epoch::new(1)), Err(Refusal::UnknownNode));
        nodes.join(&node, NodeRole::Gateway).expect("joins");
        assert_eq!(nodes.assign(&shards, &node, Epoch::new(2)), Err(Refusal::UnknownNode));
        nodes.join(&node, NodeRole::Sessions).expect("joins");
        assert_eq!(nodes.assign(&shards, &node, Epoch::new(3)), Ok(()));
        nodes.drain(&node).expect("drains");
        assert_eq!(nodes.assign(&shards, &node, Epoch::new(4)), Err(Refusal::Draining));
        assert!(nodes.placed(&shards).iter().all(|(_, p)| p.epoch == Epoch::new(3)));
        assert_eq!(nodes.placed(&shards).len(), 256);
    }
}
