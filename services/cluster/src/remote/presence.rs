//! Presence, asked over the network. A retried command acts once: it keeps its
//! request id.

use super::{DEADLINE, LIST_DEADLINE};
use crate::fabric::{Cluster, PresenceQuestion, Question};
use async_trait::async_trait;
use frontdesk_core::ids::SiteId;
use frontdesk_core::presence::{Action, AgentKey, AgentView, Refusal, Reply};
use frontdesk_proto::api::{ApiError, PresenceChange, PresencePort, refused};
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
}

#[async_trait]
impl PresencePort for RemotePresence {
    async fn propose(&self, action: Action) -> Result<Reply, ApiError> {
        self.cluster.propose(action).await
    }

    async fn view(&self, key: AgentKey) -> Result<Option<AgentView>, ApiError> {
        let AgentKey { site, agent } = key;
        let question = Question::Presence(PresenceQuestion::Agent { site, agent });
        self.cluster.ask_voters(&question, DEADLINE).await
    }

    async fn views(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        let question = Question::Presence(PresenceQuestion::Agents { site: site.cloned() });
        self.cluster.ask_voters(&question, LIST_DEADLINE).await
    }

    fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.cluster.agents()
    }

    fn refused(&self, refusal: Refusal) -> ApiError {
        match refusal {
            // A gateway that was taken for dead joins again within a second.
            Refusal::UnknownNode => ApiError::unavailable(refusal.to_string()),
            other => refused(other),
        }
    }
}
