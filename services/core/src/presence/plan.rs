//! What to do about the placement: which shards to give to whom, and which to
//! move. A pure function of the state, asked by the leader again and again; it
//! proposes nothing twice that is under way.

use super::command::Action;
use super::limits::{HAND_OFF, MAX_MOVING};
use super::nodes::{Member, NodeRole};
use super::placement::{Place, PlacedBy, Placement};
use super::state::PresenceState;
use crate::ids::NodeId;
use crate::shard::{SHARDS, ShardId};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The next steps for all roles; empty when everything is where it should be.
/// `now` is the time of whoever asks.
pub fn plan(state: &PresenceState, now: Timestamp) -> Vec<Action> {
    NodeRole::PLACED.into_iter().flat_map(|role| Planner::new(state, role, now).steps()).collect()
}

/// The placement of one role as it will be when what is under way is done.
struct Planner<'s> {
    state: &'s PresenceState,
    role: NodeRole,
    now: Timestamp,
    /// Shards that each node that stays will have.
    loads: BTreeMap<&'s NodeId, usize>,
    moving: usize,
}

impl<'s> Planner<'s> {
    fn new(state: &'s PresenceState, role: NodeRole, now: Timestamp) -> Self {
        let stays = |m: &&Member| m.roles.contains(&role) && !m.draining;
        let mut loads: BTreeMap<&NodeId, usize> =
            state.members().filter(stays).map(|m| (&m.node, 0)).collect();
        let mut moving = 0;
        for (_, placement) in state.placement().filter(|(place, _)| place.role == role) {
            if let Some(load) = loads.get_mut(destination(placement)) {
                *load += 1;
            }
            moving += usize::from(placement.moving.is_some());
        }
        Self { state, role, now, loads, moving }
    }

    fn steps(mut self) -> Vec<Action> {
        if self.loads.is_empty() {
            return vec![];
        }
        let mut assign: BTreeMap<NodeId, Vec<ShardId>> = BTreeMap::new();
        let mut moves: BTreeMap<NodeId, Vec<ShardId>> = BTreeMap::new();
        for shard in ShardId::all() {
            let place = Place { role: self.role, shard };
            match self.state.placement_of(place) {
                None => assign.entry(self.take_least()).or_default().push(shard),
                Some(placement) => self.step(shard, placement, &mut assign, &mut moves),
            }
        }
        self.balance(&assign, &mut moves);
        let role = self.role;
        let assign =
            assign.into_iter().map(|(node, shards)| Action::AssignShards { role, shards, node });
        let by = PlacedBy::Plan;
        let moves =
            moves.into_iter().map(|(to, shards)| Action::MoveShards { role, shards, to, by });
        assign.chain(moves).collect()
    }

    fn step(
        &mut self,
        shard: ShardId,
        placement: &Placement,
        assign: &mut BTreeMap<NodeId, Vec<ShardId>>,
        moves: &mut BTreeMap<NodeId, Vec<ShardId>>,
    ) {
        let owner_lives = self.state.is_member(&placement.node, self.role);
        let heir = placement.moving.as_ref().filter(|m| self.loads.contains_key(&m.to));
        match (owner_lives, &placement.moving, heir) {
            // Nobody is left who could release it.
            (false, _, Some(heir)) => assign.entry(heir.to.clone()).or_default().push(shard),
            (false, _, None) => assign.entry(self.take_least()).or_default().push(shard),
            // The owner takes too long.
            (true, Some(m), Some(heir)) if self.now >= m.since + HAND_OFF => {
                assign.entry(heir.to.clone()).or_default().push(shard);
            }
            (true, Some(_), Some(_)) => {}
            // Where it was to go is no more.
            (true, Some(_), None) => {
                let to = self.take_least();
                moves.entry(to).or_default().push(shard);
            }
            (true, None, _) => {
                let leaves = !self.loads.contains_key(&placement.node);
                if leaves && self.moving < MAX_MOVING {
                    self.moving += 1;
                    let to = self.take_least();
                    moves.entry(to).or_default().push(shard);
                }
            }
        }
    }

    /// Moves shards from who has most to who has least, until they differ by one
    /// at most, as far as may be on the move at once; where an operator has put a
    /// shard it stays.
    fn balance(
        &mut self,
        assign: &BTreeMap<NodeId, Vec<ShardId>>,
        moves: &mut BTreeMap<NodeId, Vec<ShardId>>,
    ) {
        // While anything is being given out, loads are about to change.
        if !assign.is_empty() {
            return;
        }
        for shard in ShardId::all() {
            if self.moving >= MAX_MOVING {
                return;
            }
            let Some(placement) = self.state.placement_of(Place { role: self.role, shard }) else {
                continue;
            };
            let Some(load) = self.loads.get(&placement.node).copied() else { continue };
            let least = self.least();
            let stays = placement.moving.is_some() || placement.by == PlacedBy::Operator;
            if stays || load <= self.loads[&least] + 1 {
                continue;
            }
            self.moving += 1;
            self.loads.entry(self.node(&placement.node)).and_modify(|load| *load -= 1);
            moves.entry(self.take_least()).or_default().push(shard);
        }
    }

    /// The node with the fewest shards; names break ties.
    fn least(&self) -> &'s NodeId {
        let least = self.loads.iter().min_by_key(|(node, load)| (**load, **node));
        least.map(|(node, _)| *node).expect("planned only while there is a node")
    }

    fn take_least(&mut self) -> NodeId {
        let least = self.least();
        self.loads.entry(least).and_modify(|load| *load += 1);
        least.clone()
    }

    /// The key under which a node that has a load stands.
    fn node(&self, node: &NodeId) -> &'s NodeId {
        let known = self.loads.get_key_value(node);
        known.map(|(node, _)| *node).expect("only asked of nodes with a load")
    }
}

/// Who will have it.
fn destination(placement: &Placement) -> &NodeId {
    placement.moving.as_ref().map_or(&placement.node, |m| &m.to)
}

/// Shards of a role by owner, for people.
pub fn shares(state: &PresenceState, role: NodeRole) -> BTreeMap<NodeId, usize> {
    let mut shares = BTreeMap::new();
    for (_, placement) in state.placement().filter(|(place, _)| place.role == role) {
        *shares.entry(placement.node.clone()).or_insert(0) += 1;
    }
    debug_assert!(shares.values().sum::<usize>() <= usize::from(SHARDS));
    shares
}
