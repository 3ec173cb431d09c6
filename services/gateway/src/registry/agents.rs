//! Which connections belong to which agent.

use super::{Delivered, Reader};
use crate::codec::SharedPush;
use crate::outbox::{Class, Pushed, Signal};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::presence::AgentProfile;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type AgentKey = (SiteId, AgentId);

/// One connection of an agent.
#[derive(Clone)]
struct Connected {
    reader: Arc<Reader>,
    /// What `desk` says of the agent.
    profile: AgentProfile,
}

/// The map agent → connections.
#[derive(Default)]
pub(crate) struct Agents {
    map: Mutex<HashMap<AgentKey, Vec<Connected>>>,
}

impl Agents {
    /// The connection is this agent's; nothing happens for a visitor's.
    pub(crate) fn add(&self, reader: &Arc<Reader>, profile: &AgentProfile) {
        if let Some(agent) = reader.who.agent_id() {
            let key = (reader.who.site.clone(), agent);
            let connected = Connected { reader: reader.clone(), profile: profile.clone() };
            self.lock().entry(key).or_default().push(connected);
        }
    }

    /// What `desk` says by now; whether the connection is still there.
    pub(crate) fn set_profile(&self, reader: &Reader, profile: &AgentProfile) -> bool {
        let Some(agent) = reader.who.agent_id() else { return false };
        let mut map = self.lock();
        let connections = map.get_mut(&(reader.who.site.clone(), agent));
        let mut connections = connections.into_iter().flatten();
        let found = connections.find(|c| c.reader.connection == reader.connection);
        found.map(|connected| connected.profile = profile.clone()).is_some()
    }

    /// All connections, with what `desk` says of their agents.
    pub(crate) fn connections(&self) -> Vec<(Arc<Reader>, AgentProfile)> {
        let map = self.lock();
        map.values().flatten().map(|c| (c.reader.clone(), c.profile.clone())).collect()
    }

    /// The connection ends.
    pub(crate) fn remove(&self, reader: &Reader) {
        let Some(agent) = reader.who.agent_id() else {
            return;
        };
        let key = (reader.who.site.clone(), agent);
        let mut map = self.lock();
        if let Some(readers) = map.get_mut(&key) {
            readers.retain(|c| c.reader.connection != reader.connection);
            if readers.is_empty() {
                map.remove(&key);
            }
        }
    }

    /// Sends an encoded frame (may be empty) to all connections of an agent; they
    /// follow `assigned` from now on.
    pub(crate) fn notice(
        &self,
        site: &SiteId,
        agent: AgentId,
        frame: &[u8],
        assigned: Option<ConversationId>,
    ) -> Delivered {
        let mut done = Delivered::default();
        let map = self.lock();
        let Some(readers) = map.get(&(site.clone(), agent)) else {
            return done;
        };
        let mut shared = SharedPush::new(frame);
        for Connected { reader, .. } in readers {
            if !frame.is_empty() {
                match shared.piece(reader.outbox.format()) {
                    Some(piece) => {
                        let queued = reader.outbox.push(piece, Class::Durable) == Pushed::Queued;
                        done.pushed += u64::from(queued);
                    }
                    None => done.unreadable = true,
                }
            }
            if let Some(id) = assigned {
                reader.outbox.signal(Signal::Follow(id));
            }
        }
        done
    }

    /// The agents that are connected here.
    pub(crate) fn connected(&self) -> Vec<AgentKey> {
        self.lock().keys().cloned().collect()
    }

    /// Whether the agent is connected here.
    pub(crate) fn has(&self, site: &SiteId, agent: AgentId) -> bool {
        self.lock().contains_key(&(site.clone(), agent))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AgentKey, Vec<Connected>>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
