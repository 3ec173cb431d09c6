//! The role that knows who is there and has room, linearizably.

use super::ApiError;
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView, Claim};
use frontdesk_core::time::{Millis, Timestamp};
use std::sync::Arc;
use tokio::sync::broadcast;

/// An agent's connection has opened.
#[derive(Debug, Clone)]
pub struct AgentConnect {
    /// The tenant.
    pub site: SiteId,
    /// The agent.
    pub agent: AgentId,
    /// Name, capacity and queues, as `desk` has them.
    pub profile: AgentProfile,
    /// Gateway (with incarnation) that has the connection.
    pub gateway: NodeId,
    /// The connection.
    pub connection: ConnectionId,
}

/// A wish for room; granted only when the agent is online and has it.
#[derive(Debug, Clone)]
pub struct ReserveRequest {
    /// The tenant.
    pub site: SiteId,
    /// The agent.
    pub agent: AgentId,
    /// For this conversation; repeating it renews the expiry.
    pub conversation: ConversationId,
    /// Slots.
    pub weight: u32,
    /// When the room is free again unless it is confirmed.
    pub expires_at: Timestamp,
    /// What it counts for; `None` where nothing is counted.
    pub claim: Option<Claim>,
}

/// An agent's state has changed.
#[derive(Debug, Clone)]
pub struct PresenceChange {
    /// The state now.
    pub agent: Arc<AgentView>,
}

/// The role that knows who is there and has room.
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// A connection opened. An agent that was offline becomes `Away` until it
    /// sets a status; one within its grace period is as it was.
    async fn connect(&self, request: AgentConnect) -> Result<AgentView, ApiError>;

    /// A connection closed; the last one starts the grace period.
    async fn disconnect(
        &self,
        site: &SiteId,
        agent: AgentId,
        gateway: &NodeId,
        connection: ConnectionId,
    ) -> Result<(), ApiError>;

    /// Sets the status of a connected agent.
    async fn set_status(
        &self,
        site: &SiteId,
        agent: AgentId,
        status: AgentStatus,
        reason: &str,
    ) -> Result<AgentView, ApiError>;

    /// Reserves room; `State` when the agent has none or is not online.
    async fn reserve(&self, request: ReserveRequest) -> Result<(), ApiError>;

    /// Makes a reservation last until it is released; `State` when it is gone
    /// and there is no room to take it again.
    async fn confirm(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<(), ApiError>;

    /// Frees the room, after `wrap_up` when that is not zero. Repeating is harmless.
    async fn release(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        wrap_up: Millis,
    ) -> Result<(), ApiError>;

    /// Frees the room of an offer that the agent has not answered, and counts that: who
    /// has missed `away_after` in a row is `Away`. Repeating is harmless.
    async fn miss(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        away_after: u32,
    ) -> Result<(), ApiError> {
        // For those who count nothing.
        let _ = away_after;
        self.release(site, agent, conversation, Millis::ZERO).await
    }

    /// One agent, `None` when it never connected.
    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError>;

    /// All agents of a site (`None`: of all sites) that ever connected.
    async fn agents(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError>;

    /// Changes from now on. A receiver that lags lists again.
    fn subscribe(&self) -> broadcast::Receiver<PresenceChange>;
}
