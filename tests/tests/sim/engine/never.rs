//! A bug brought back: whoever reserves an agent's room does so for ever.

use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{AgentStatus, AgentView};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{AgentConnect, ApiError, Presence, PresenceChange, ReserveRequest};
use std::sync::Arc;
use tokio::sync::broadcast;

/// The year 2100.
const FAR: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// See the module.
pub(crate) struct NeverExpires(pub(crate) Arc<dyn Presence>);

#[async_trait]
impl Presence for NeverExpires {
    async fn connect(&self, request: AgentConnect) -> Result<AgentView, ApiError> {
        self.0.connect(request).await
    }

    async fn disconnect(
        &self,
        site: &SiteId,
        agent: AgentId,
        gateway: &NodeId,
        connection: ConnectionId,
    ) -> Result<(), ApiError> {
        self.0.disconnect(site, agent, gateway, connection).await
    }

    async fn set_status(
        &self,
        site: &SiteId,
        agent: AgentId,
        status: AgentStatus,
        reason: &str,
    ) -> Result<AgentView, ApiError> {
        self.0.set_status(site, agent, status, reason).await
    }

    async fn reserve(&self, request: ReserveRequest) -> Result<(), ApiError> {
        self.0.reserve(ReserveRequest { expires_at: FAR, ..request }).await
    }

    async fn confirm(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        self.0.confirm(site, agent, conversation).await
    }

    async fn release(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        wrap_up: Millis,
    ) -> Result<(), ApiError> {
        self.0.release(site, agent, conversation, wrap_up).await
    }

    async fn miss(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        away_after: u32,
    ) -> Result<(), ApiError> {
        self.0.miss(site, agent, conversation, away_after).await
    }

    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError> {
        self.0.agent(site, agent).await
    }

    async fn agents(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        self.0.agents(site).await
    }

    fn subscribe(&self) -> broadcast::Receiver<PresenceChange> {
        self.0.subscribe()
    }
}
