//! The nodes of the cluster and what each does.
//!
//! Liveness is not measured here: that a node is dead comes in as a command.

use super::command::Refusal;
use super::limits::{MAX_ADDRESS_BYTES, MAX_NODES};
use crate::ids::{InvalidId, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// Keeps the order of those who wait, for shards of sites.
    Queueing,
    /// Matches, for shards of sites.
    Routing,
    /// Keeps configuration and accounts.
    Desk,
}

impl NodeRole {
    /// Those whose shards are placed.
    pub const PLACED: [Self; 3] = [Self::Sessions, Self::Queueing, Self::Routing];

    /// Its name, as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Sessions => "sessions",
            Self::Queueing => "queueing",
            Self::Routing => "routing",
            Self::Desk => "desk",
        }
    }
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
    /// `host:port` at which the others reach it; empty within one process.
    #[serde(default = "nowhere")]
    pub address: Arc<str>,
}

fn nowhere() -> Arc<str> {
    Arc::from("")
}

/// The nodes that have joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    members: BTreeMap<NodeId, Member>,
}

impl Nodes {
    pub(super) fn restore(members: Vec<Member>) -> Self {
        Self { members: members.into_iter().map(|m| (m.node.clone(), m)).collect() }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(super) fn has(&self, node: &NodeId, role: NodeRole) -> bool {
        self.members.get(node).is_some_and(|m| m.roles.contains(&role))
    }

    /// Whether the node may be given shards of a role.
    pub(super) fn may_own(&self, node: &NodeId, role: NodeRole) -> Result<(), Refusal> {
        if !NodeRole::PLACED.contains(&role) || !self.has(node, role) {
            return Err(Refusal::UnknownNode);
        }
        match self.members.get(node) {
            Some(member) if member.draining => Err(Refusal::Draining),
            _ => Ok(()),
        }
    }

    /// Adds a role to a node and returns the older incarnations this ends.
    pub(super) fn join(
        &mut self,
        node: &NodeId,
        role: NodeRole,
        address: &Arc<str>,
    ) -> Result<Vec<NodeId>, Refusal> {
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(Refusal::TooLong);
        }
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
        let member = self.members.entry(node.clone()).or_insert_with(|| Member {
            node: node.clone(),
            roles: BTreeSet::new(),
            draining: false,
            address: nowhere(),
        });
        member.roles.insert(role);
        member.address = address.clone();
        Ok(others)
    }

    pub(super) fn drain(&mut self, node: &NodeId) -> Result<(), Refusal> {
        self.members.get_mut(node).ok_or(Refusal::UnknownNode)?.draining = true;
        Ok(())
    }

    pub(super) fn remove(&mut self, node: &NodeId) {
        self.members.remove(node);
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
        assert_eq!(nodes.join(&old, NodeRole::Gateway, &nowhere()), Ok(vec![]));
        assert_eq!(nodes.join(&new, NodeRole::Gateway, &nowhere()), Ok(vec![old.clone()]));
        assert_eq!(nodes.join(&old, NodeRole::Gateway, &nowhere()), Err(Refusal::StaleNode));
        assert!(!nodes.has(&old, NodeRole::Gateway));
    }

    #[test]
    fn only_who_does_the_role_and_stays_may_own() {
        let node = incarnation_id("a", 1).expect("ok");
        let mut nodes = Nodes::default();
        let may = |nodes: &Nodes| nodes.may_own(&node, NodeRole::Sessions);
        assert_eq!(may(&nodes), Err(Refusal::UnknownNode));
        nodes.join(&node, NodeRole::Gateway, &nowhere()).expect("joins");
        assert_eq!(may(&nodes), Err(Refusal::UnknownNode));
        nodes.join(&node, NodeRole::Sessions, &Arc::from("10.0.0.1:7101")).expect("joins");
        assert_eq!(may(&nodes), Ok(()));
        nodes.drain(&node).expect("drains");
        assert_eq!(may(&nodes), Err(Refusal::Draining));
    }
}
