//! Who owns which shard of which role, and which shards are on the move.
//!
//! The epoch of an ownership is the log index of its assignment. A shard on the
//! move stays its owner's, under the same epoch, until the owner has released it
//! or somebody assigns it anew.

use super::command::Refusal;
use super::nodes::{NodeRole, Nodes};
use crate::ids::{Epoch, NodeId};
use crate::shard::ShardId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A shard of a role that is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Conversations for `Sessions`, sites for the others.
    pub role: NodeRole,
    /// Which.
    pub shard: ShardId,
}

/// Who wants a shard where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacedBy {
    /// The plan, which may think again.
    #[default]
    Plan,
    /// A person: the plan leaves it alone for as long as its owner stays.
    Operator,
}

impl PlacedBy {
    fn is_plan(&self) -> bool {
        *self == Self::Plan
    }
}

/// Where a shard goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The next owner.
    pub to: NodeId,
    /// Since when the owner has been asked to finish.
    pub since: Timestamp,
    /// Whose wish it is.
    #[serde(default, skip_serializing_if = "PlacedBy::is_plan")]
    pub by: PlacedBy,
}

/// Who owns a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The owner; it may have died since.
    pub node: NodeId,
    /// Log index of the assignment.
    pub epoch: Epoch,
    /// Set while it is handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<Move>,
    /// Whose wish it is.
    #[serde(default, skip_serializing_if = "PlacedBy::is_plan")]
    pub by: PlacedBy,
}

impl Placement {
    /// As it is after an assignment by the plan.
    pub fn planned(node: NodeId, epoch: Epoch) -> Self {
        Self { node, epoch, moving: None, by: PlacedBy::Plan }
    }
}

/// Owners of all shards that were ever assigned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    placed: BTreeMap<Place, Placement>,
}

impl Places {
    pub(super) fn restore(placed: impl IntoIterator<Item = (Place, Placement)>) -> Self {
        Self { placed: placed.into_iter().collect() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Place, &Placement)> {
        self.placed.iter().map(|(place, placement)| (*place, placement))
    }

    pub(super) fn get(&self, place: Place) -> Option<&Placement> {
        self.placed.get(&place)
    }

    /// Gives shards to a node at once, whoever had them.
    pub(super) fn assign(
        &mut self,
        role: NodeRole,
        shards: &[ShardId],
        node: &NodeId,
        epoch: Epoch,
        nodes: &Nodes,
    ) -> Result<(), Refusal> {
        nodes.may_own(node, role)?;
        for shard in shards {
            let place = Place { role, shard: *shard };
            let mut placement = Placement::planned(node.clone(), epoch);
            // A move that was forced still is the move that was asked for.
            let move_asked = self.placed.get(&place).and_then(|known| known.moving.as_ref());
            if let Some(asked) = move_asked.filter(|asked| asked.to == *node) {
                placement.by = asked.by;
            }
            self.placed.insert(place, placement);
        }
        Ok(())
    }

    /// Asks the owners of shards to hand them on. A shard that is there already
    /// only takes note of who wants it there; one that was never assigned is left
    /// alone; one on its way elsewhere turns.
    pub(super) fn start_move(
        &mut self,
        role: NodeRole,
        shards: &[ShardId],
        towards: Move,
        nodes: &Nodes,
    ) -> Result<Vec<Place>, Refusal> {
        let Move { to, by, .. } = &towards;
        nodes.may_own(to, role)?;
        let mut changed = Vec::new();
        for shard in shards {
            let place = Place { role, shard: *shard };
            let Some(placement) = self.placed.get_mut(&place) else { continue };
            let going = placement.moving.as_ref();
            if placement.node == *to && going.is_none() {
                if placement.by != *by {
                    placement.by = *by;
                    changed.push(place);
                }
            } else if going.is_none_or(|going| going.to != *to || going.by != *by) {
                placement.moving = Some(towards.clone());
                changed.push(place);
            }
        }
        Ok(changed)
    }

    /// The owner, under the epoch it names, has finished: each shard that moves
    /// goes to its next owner when that one still can take it, else stays for
    /// whoever plans. What the node owns no longer is left alone.
    pub(super) fn release(
        &mut self,
        role: NodeRole,
        node: &NodeId,
        shards: &[(ShardId, Epoch)],
        epoch: Epoch,
        nodes: &Nodes,
    ) -> Vec<Place> {
        let mut changed = Vec::new();
        for (shard, held) in shards {
            let place = Place { role, shard: *shard };
            let Some(placement) = self.placed.get_mut(&place) else { continue };
            let Some(Move { to, by, .. }) = placement.moving.clone() else { continue };
            let is_owner = placement.node == *node && placement.epoch == *held;
            if is_owner && nodes.may_own(&to, role).is_ok() {
                *placement = Placement { node: to, epoch, moving: None, by };
                changed.push(place);
            }
        }
        changed
    }
}
