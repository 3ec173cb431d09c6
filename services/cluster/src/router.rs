//! Carries requests between voters of one process.

use super::{Peer, PeerRequest, PresenceGroup, RaftTransport, TransportError, VoterId};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A transport for voters in this process; without any it serves a group of one.
#[derive(Default)]
pub struct LocalRouter {
    groups: Mutex<HashMap<VoterId, PresenceGroup>>,
}

impl LocalRouter {
    /// Makes a voter reachable. As the voter holds its transport, `remove` it
    /// when it stops.
    pub fn add(&self, group: PresenceGroup) {
        self.lock().insert(group.id(), group);
    }

    /// Makes a voter unreachable, and returns it.
    pub fn remove(&self, id: VoterId) -> Option<PresenceGroup> {
        self.lock().remove(&id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<VoterId, PresenceGroup>> {
        // A map is whole whatever panicked while it was locked.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RaftTransport for LocalRouter {
    async fn call(
        &self,
        peer: &Peer,
        request: PeerRequest,
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError> {
        let group = self.lock().get(&peer.id).cloned();
        let group = group.ok_or(TransportError::Unreachable(peer.id))?;
        match tokio::time::timeout(deadline, group.handle(request)).await {
            Ok(answer) => answer.map_err(|e| TransportError::Refused(e.to_string())),
            Err(_) => Err(TransportError::Deadline(deadline)),
        }
    }
}
