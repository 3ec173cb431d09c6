//! The state as it was last applied, for local reads, and the news of it.

use frontdesk_core::presence::{
    Action, AgentView, Command, Place, Placement, PresenceState, Reply,
};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::PresenceChange;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{broadcast, watch};

/// Changes a receiver may lag behind before it has to list again: 10,000
/// changes/s for 0.8 s, at about 24 bytes each.
const CHANGES: usize = 8_192;
/// All shards moved four times over.
const MOVES: usize = 1_024;

/// A shard has a new owner or epoch, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementChange {
    /// The shard and its role.
    pub place: Place,
    /// Who owns it now.
    pub placement: Placement,
}

/// The applied state of this voter. The lock is held for single commands and
/// reads, never over an await.
pub(crate) struct Published {
    state: RwLock<PresenceState>,
    agents: broadcast::Sender<PresenceChange>,
    placement: broadcast::Sender<PlacementChange>,
    /// Counts changes of the members.
    members: watch::Sender<u64>,
    deadline: watch::Sender<Option<Timestamp>>,
}

impl Published {
    pub(crate) fn new(state: PresenceState) -> Self {
        let deadline = state.next_deadline();
        Self {
            state: RwLock::new(state),
            agents: broadcast::channel(CHANGES).0,
            placement: broadcast::channel(MOVES).0,
            members: watch::channel(0).0,
            deadline: watch::channel(deadline).0,
        }
    }

    /// Applies one entry and tells of it.
    pub(crate) fn apply(&self, index: u64, command: Command) -> Reply {
        let is_about_members = matches!(
            command.action,
            Action::JoinNode { .. } | Action::DrainNode { .. } | Action::RemoveNode { .. }
        );
        let (applied, deadline) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let applied = state.apply(index, command);
            (applied, state.next_deadline())
        };
        self.tell(applied.agents, applied.shards, deadline);
        if is_about_members {
            self.members.send_modify(|changes| *changes += 1);
        }
        applied.reply
    }

    /// Puts another state in its place and tells of all of it.
    pub(crate) fn replace(&self, new: PresenceState) {
        let agents: Vec<_> = new.agents().cloned().collect();
        let shards: Vec<_> = new.placement().map(|(s, p)| (s, p.clone())).collect();
        let deadline = new.next_deadline();
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.tell(agents, shards, deadline);
        self.members.send_modify(|changes| *changes += 1);
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&PresenceState) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn agents(&self) -> broadcast::Receiver<PresenceChange> {
        self.agents.subscribe()
    }

    pub(crate) fn placement(&self) -> broadcast::Receiver<PlacementChange> {
        self.placement.subscribe()
    }

    pub(crate) fn members(&self) -> watch::Receiver<u64> {
        self.members.subscribe()
    }

    pub(crate) fn deadline(&self) -> watch::Receiver<Option<Timestamp>> {
        self.deadline.subscribe()
    }

    /// Always after the state has changed: who hears of it and reads sees it.
    fn tell(
        &self,
        agents: Vec<Arc<AgentView>>,
        shards: Vec<(Place, Placement)>,
        deadline: Option<Timestamp>,
    ) {
        // A send fails when nobody listens, which is fine.
        for agent in agents {
            let _ = self.agents.send(PresenceChange { agent });
        }
        for (place, placement) in shards {
            let _ = self.placement.send(PlacementChange { place, placement });
        }
        self.deadline.send_if_modified(|known| {
            let changed = *known != deadline;
            *known = deadline;
            changed
        });
    }
}
