//! Presence by way of its group: each request becomes the same command wherever it is
//! asked, and what the group answers means the same.
//!
//! Commands are made here and nowhere else; that one is carried out once, though it is
//! sent again, is up to the port.

use super::{AgentConnect, ApiError, Presence, PresenceChange, ReserveRequest};
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{Action, AgentKey, AgentStatus, AgentView, Refusal, Reply};
use frontdesk_core::time::Millis;
use std::sync::Arc;
use tokio::sync::broadcast;

/// A way to the group that decides on presence. Whoever has one is a `Presence`.
#[async_trait]
pub trait PresencePort: Send + Sync + 'static {
    /// What the group answers to a command, a refusal too. An error when it did not
    /// answer; then the command may have been carried out.
    async fn propose(&self, action: Action) -> Result<Reply, ApiError>;

    /// One agent, `None` when it never connected.
    async fn view(&self, key: AgentKey) -> Result<Option<AgentView>, ApiError>;

    /// All agents of a site (`None`: of all sites) that ever connected.
    async fn views(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError>;

    /// Changes of agents from now on.
    fn changes(&self) -> broadcast::Receiver<PresenceChange>;

    /// What a refusal means to whoever asked.
    fn refused(&self, refusal: Refusal) -> ApiError {
        refused(refusal)
    }

    /// Has a command carried out; a refusal is an error.
    async fn act(&self, action: Action) -> Result<Reply, ApiError> {
        match self.propose(action).await? {
            Reply::Refused(refusal) => Err(self.refused(refusal)),
            reply => Ok(reply),
        }
    }
}

/// What a refusal means where nothing is known that could mend it.
pub fn refused(refusal: Refusal) -> ApiError {
    let why = refusal.to_string();
    match refusal {
        Refusal::UnknownAgent => ApiError::NotFound(why),
        Refusal::BadCapacity | Refusal::BadWeight | Refusal::TooLong => ApiError::Invalid(why),
        Refusal::Full => ApiError::unavailable(why),
        Refusal::UnknownNode
        | Refusal::StaleNode
        | Refusal::Draining
        | Refusal::NotConnected
        | Refusal::NotOnline
        | Refusal::NoRoom
        | Refusal::QueueCap
        | Refusal::NoReservation
        | Refusal::Expired => ApiError::State(why),
    }
}

/// For what is harmless when the agent is not known.
async fn act_if_known(port: &impl PresencePort, action: Action) -> Result<(), ApiError> {
    match port.propose(action).await? {
        Reply::Refused(Refusal::UnknownAgent) => Ok(()),
        Reply::Refused(refusal) => Err(port.refused(refusal)),
        Reply::Done | Reply::Agent(_) | Reply::Shards(_) => Ok(()),
    }
}

/// For what is answered with the agent as it is then.
async fn act_on_agent(port: &impl PresencePort, action: Action) -> Result<AgentView, ApiError> {
    match port.act(action).await? {
        Reply::Agent(agent) => Ok(Arc::unwrap_or_clone(agent)),
        other => Err(ApiError::Internal(format!("presence answered {other}"))),
    }
}

fn key(site: &SiteId, agent: AgentId) -> AgentKey {
    AgentKey { site: site.clone(), agent }
}

#[async_trait]
impl<P: PresencePort> Presence for P {
    async fn connect(&self, request: AgentConnect) -> Result<AgentView, ApiError> {
        let AgentConnect { site, agent, profile, gateway, connection } = request;
        let key = AgentKey { site, agent };
        act_on_agent(self, Action::Connect { key, profile, gateway, connection }).await
    }

    async fn disconnect(
        &self,
        site: &SiteId,
        agent: AgentId,
        gateway: &NodeId,
        connection: ConnectionId,
    ) -> Result<(), ApiError> {
        let (key, gateway) = (key(site, agent), gateway.clone());
        act_if_known(self, Action::Disconnect { key, gateway, connection }).await
    }

    async fn set_status(
        &self,
        site: &SiteId,
        agent: AgentId,
        status: AgentStatus,
        reason: &str,
    ) -> Result<AgentView, ApiError> {
        let (key, reason) = (key(site, agent), Arc::from(reason));
        act_on_agent(self, Action::SetStatus { key, status, reason }).await
    }

    async fn reserve(&self, request: ReserveRequest) -> Result<(), ApiError> {
        let ReserveRequest { site, agent, conversation, weight, expires_at, claim } = request;
        let key = AgentKey { site, agent };
        self.act(Action::Reserve { key, conversation, weight, expires_at, claim }).await.map(|_| ())
    }

    async fn confirm(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        self.act(Action::Confirm { key: key(site, agent), conversation }).await.map(|_| ())
    }

    async fn release(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        wrap_up: Millis,
    ) -> Result<(), ApiError> {
        let (key, missed) = (key(site, agent), None);
        act_if_known(self, Action::Release { key, conversation, wrap_up, missed }).await
    }

    async fn miss(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        away_after: u32,
    ) -> Result<(), ApiError> {
        let (key, wrap_up, missed) = (key(site, agent), Millis::ZERO, Some(away_after));
        act_if_known(self, Action::Release { key, conversation, wrap_up, missed }).await
    }

    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError> {
        self.view(key(site, agent)).await
    }

    async fn agents(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        self.views(site).await
    }

    fn subscribe(&self) -> broadcast::Receiver<PresenceChange> {
        self.changes()
    }
}
