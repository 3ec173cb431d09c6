//! Presence, asked over the network. A retried command acts once: it keeps its
//! request id.

use super::{DEADLINE, LIST_DEADLINE};
use crate::fabric::{Cluster, PresenceQuestion, Question};
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{Action, AgentKey, AgentStatus, AgentView, Refusal, Reply};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{AgentConnect, ApiError, Presence, PresenceChange, ReserveRequest};
use std::sync::Arc;
use tokio::sync::broadcast;

/// See the module.
pub struct RemotePresence {
    cluster: Arc<Cluster>,
}

impl RemotePresence {
    /// By way of this process's connection to the cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    async fn act(&self, action: Action) -> Result<Reply, ApiError> {
        match self.cluster.propose(action).await? {
            Reply::Refused(refusal) => Err(refused(refusal)),
            reply => Ok(reply),
        }
    }

    /// As `act`, for what is harmless when the agent is not known.
    async fn act_if_known(&self, action: Action) -> Result<(), ApiError> {
        match self.cluster.propose(action).await? {
            Reply::Refused(Refusal::UnknownAgent) => Ok(()),
            Reply::Refused(refusal) => Err(refused(refusal)),
            Reply::Done | Reply::Agent(_) | Reply::Shards(_) => Ok(()),
        }
    }

    async fn act_on_agent(&self, action: Action) -> Result<AgentView, ApiError> {
        match self.act(action).await? {
            Reply::Agent(agent) => Ok(Arc::unwrap_or_clone(agent)),
            other => Err(ApiError::Internal(format!("presence answered {other}"))),
        }
    }
}

/// What a refusal means to whoever asked.
fn refused(refusal: Refusal) -> ApiError {
    let why = refusal.to_string();
    match refusal {
        Refusal::UnknownAgent => ApiError::NotFound(why),
        Refusal::BadCapacity | Refusal::BadWeight | Refusal::TooLong => ApiError::Invalid(why),
        // A gateway that was taken for dead joins again within a second.
        Refusal::Full | Refusal::UnknownNode => ApiError::unavailable(why),
        Refusal::StaleNode
        | Refusal::Draining
        | Refusal::NotConnected
        | Refusal::NotOnline
        | Refusal::NoRoom
        | Refusal::QueueCap
        | Refusal::NoReservation
        | Refusal::Expired => ApiError::State(why),
    }
}

fn key(site: &SiteId, agent: AgentId) -> AgentKey {
    AgentKey { site: site.clone(), agent }
}

#[async_trait]
impl Presence for RemotePresence {
    async fn connect(&self, request: AgentConnect) -> Result<AgentView, ApiError> {
        let AgentConnect { site, agent, profile, gateway, connection } = request;
        let key = AgentKey { site, agent };
        self.act_on_agent(Action::Connect { key, profile, gateway, connection }).await
    }

    async fn disconnect(
        &self,
        site: &SiteId,
        agent: AgentId,
        gateway: &NodeId,
        connection: ConnectionId,
    ) -> Result<(), ApiError> {
        let gateway = gateway.clone();
        self.act_if_known(Action::Disconnect { key: key(site, agent), gateway, connection }).await
    }

    async fn set_status(
        &self,
        site: &SiteId,
        agent: AgentId,
        status: AgentStatus,
        reason: &str,
    ) -> Result<AgentView, ApiError> {
        let (key, reason) = (key(site, agent), Arc::from(reason));
        self.act_on_agent(Action::SetStatus { key, status, reason }).await
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
        let key = key(site, agent);
        let missed = None;
        self.act_if_known(Action::Release { key, conversation, wrap_up, missed }).await
    }

    async fn miss(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        away_after: u32,
    ) -> Result<(), ApiError> {
        let (key, wrap_up, missed) = (key(site, agent), Millis::ZERO, Some(away_after));
        self.act_if_known(Action::Release { key, conversation, wrap_up, missed }).await
    }

    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError> {
        let site = site.clone();
        let question = Question::Presence(PresenceQuestion::Agent { site, agent });
        self.cluster.ask_voters(&question, DEADLINE).await
    }

    async fn agents(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        let question = Question::Presence(PresenceQuestion::Agents { site: site.cloned() });
        self.cluster.ask_voters(&question, LIST_DEADLINE).await
    }

    fn subscribe(&self) -> broadcast::Receiver<PresenceChange> {
        self.cluster.agents()
    }
}
