//! The roles that need little here.

use super::FakeSessions;
use crate::deps::AttachmentBlobs;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::conversation::{Command, OfferOutcome, Summary};
use frontdesk_core::ids::{
    AgentId, AttachmentId, ConnectionId, ConversationId, NodeId, OfferId, SiteId,
};
use frontdesk_core::party::{Origin, Principal};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{
    AgentConnect, ApiError, Explanation, Presence, PresenceChange, QueueChange, QueueKey,
    QueuePosition, QueueView, Queueing, ReserveRequest, Routing, WaitingEntry, WorkObserver,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Everybody who connects is away until a status is set.
pub(crate) struct FakePresence {
    connected: Mutex<HashSet<ConnectionId>>,
    profiles: Mutex<HashMap<AgentId, (AgentProfile, AgentStatus)>>,
    changes: broadcast::Sender<PresenceChange>,
}

impl Default for FakePresence {
    fn default() -> Self {
        let changes = broadcast::channel(16).0;
        Self { connected: Mutex::default(), profiles: Mutex::default(), changes }
    }
}

impl FakePresence {
    pub(crate) fn connections(&self) -> usize {
        self.connected.lock().unwrap().len()
    }

    fn view(&self, site: &SiteId, id: AgentId) -> Option<AgentView> {
        let (profile, status) = self.profiles.lock().unwrap().get(&id).cloned()?;
        Some(AgentView {
            site: site.clone(),
            id,
            profile,
            status,
            reason: "".into(),
            since: Timestamp::ZERO,
            load: 0,
            reservations: Vec::new(),
            idle_since: Timestamp::ZERO,
            assigned_at: Timestamp::ZERO,
            missed: 0,
            gateways: Vec::new(),
            revision: 1,
        })
    }
}

#[async_trait]
impl Presence for FakePresence {
    async fn connect(&self, r: AgentConnect) -> Result<AgentView, ApiError> {
        self.connected.lock().unwrap().insert(r.connection);
        self.profiles.lock().unwrap().insert(r.agent, (r.profile, AgentStatus::Away));
        self.view(&r.site, r.agent).ok_or_else(|| ApiError::NotFound("agent".into()))
    }

    async fn disconnect(
        &self,
        _: &SiteId,
        _: AgentId,
        _: &NodeId,
        connection: ConnectionId,
    ) -> Result<(), ApiError> {
        self.connected.lock().unwrap().remove(&connection);
        Ok(())
    }

    async fn set_status(
        &self,
        site: &SiteId,
        agent: AgentId,
        status: AgentStatus,
        _: &str,
    ) -> Result<AgentView, ApiError> {
        if let Some(entry) = self.profiles.lock().unwrap().get_mut(&agent) {
            entry.1 = status;
        }
        let view = self.view(site, agent).ok_or_else(|| ApiError::NotFound("agent".into()))?;
        let _ = self.changes.send(PresenceChange { agent: Arc::new(view.clone()) });
        Ok(view)
    }

    async fn reserve(&self, _: ReserveRequest) -> Result<(), ApiError> {
        Ok(())
    }

    async fn confirm(&self, _: &SiteId, _: AgentId, _: ConversationId) -> Result<(), ApiError> {
        Ok(())
    }

    async fn release(
        &self,
        _: &SiteId,
        _: AgentId,
        _: ConversationId,
        _: Millis,
    ) -> Result<(), ApiError> {
        Ok(())
    }

    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError> {
        Ok(self.view(site, agent))
    }

    async fn agents(&self, _: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        let ids: Vec<AgentId> = self.profiles.lock().unwrap().keys().copied().collect();
        Ok(ids.into_iter().filter_map(|id| self.view(&super::site(), id)).map(Arc::new).collect())
    }

    fn subscribe(&self) -> broadcast::Receiver<PresenceChange> {
        self.changes.subscribe()
    }
}

/// Everybody is first in line.
pub(crate) struct FakeQueueing;

#[async_trait]
impl WorkObserver for FakeQueueing {
    async fn observe(&self, _: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        Ok(())
    }
}

#[async_trait]
impl Queueing for FakeQueueing {
    async fn waiting(&self, _: &QueueKey, _: u32) -> Result<Vec<WaitingEntry>, ApiError> {
        Ok(Vec::new())
    }

    async fn active(&self) -> Result<Vec<QueueKey>, ApiError> {
        Ok(Vec::new())
    }

    async fn queues(&self, _: &SiteId) -> Result<Vec<QueueView>, ApiError> {
        Ok(Vec::new())
    }

    async fn position(
        &self,
        _: &SiteId,
        _: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError> {
        Ok(Some(QueuePosition {
            position: 1,
            estimated_wait: None,
            agents_online: true,
            opens_at: None,
            estimated_wait_upper: None,
        }))
    }

    fn subscribe(&self) -> broadcast::Receiver<QueueChange> {
        broadcast::channel(1).1
    }
}

/// Assigns at once.
pub(crate) struct FakeRouting {
    pub(crate) sessions: Arc<FakeSessions>,
}

#[async_trait]
impl WorkObserver for FakeRouting {
    async fn observe(&self, _: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        Ok(())
    }
}

#[async_trait]
impl Routing for FakeRouting {
    async fn explain(
        &self,
        _: &SiteId,
        _: ConversationId,
    ) -> Result<Option<Explanation>, ApiError> {
        Ok(None)
    }

    async fn accept(
        &self,
        who: &Principal,
        id: ConversationId,
        offer: OfferId,
    ) -> Result<(), ApiError> {
        let agent = who.agent_id().ok_or_else(|| ApiError::Forbidden("no agent".into()))?;
        let accept = Command::Accept { offer, agent };
        self.sessions.act(id, &Origin::System, &accept).map(|_| ())
    }

    async fn decline(
        &self,
        _: &Principal,
        id: ConversationId,
        offer: OfferId,
        reason: &str,
    ) -> Result<(), ApiError> {
        let outcome = OfferOutcome::Declined;
        let end = Command::EndOffer { offer, outcome, reason: reason.into() };
        self.sessions.act(id, &Origin::System, &end).map(|_| ())
    }

    async fn take_over(&self, who: &Principal, id: ConversationId) -> Result<(), ApiError> {
        let take_over = Command::TakeOver { supervisor: who.participant() };
        self.sessions.act(id, &Origin::System, &take_over).map(|_| ())
    }

    async fn guest_in(&self, _: &SiteId, agent: AgentId) -> Result<Vec<ConversationId>, ApiError> {
        Ok(self.sessions.with_guest(agent))
    }

    async fn asked_in(&self, _: &SiteId, agent: AgentId) -> Result<Vec<ConversationId>, ApiError> {
        Ok(self.sessions.with_asked(agent))
    }

    async fn tell(&self, _: &SiteId, agent: AgentId, frame: Vec<u8>) -> Result<(), ApiError> {
        self.sessions.notice(agent, frame.into(), None);
        Ok(())
    }
}

/// Files in memory.
#[derive(Default)]
pub(crate) struct FakeBlobs(Mutex<HashMap<AttachmentId, Bytes>>);

#[async_trait]
impl AttachmentBlobs for FakeBlobs {
    async fn put(&self, _: &SiteId, id: AttachmentId, bytes: Bytes) -> Result<(), ApiError> {
        self.0.lock().unwrap().insert(id, bytes);
        Ok(())
    }

    async fn get(&self, _: &SiteId, id: AttachmentId) -> Result<Option<Bytes>, ApiError> {
        Ok(self.0.lock().unwrap().get(&id).cloned())
    }

    async fn delete(&self, _: &SiteId, id: AttachmentId) -> Result<(), ApiError> {
        self.0.lock().unwrap().remove(&id);
        Ok(())
    }
}
