//! A bug brought back: whoever reserves an agent's room does so for ever.

use async_trait::async_trait;
use frontdesk_cluster::RemotePresence;
use frontdesk_core::ids::SiteId;
use frontdesk_core::presence::{Action, AgentKey, AgentView, Refusal, Reply};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, PresenceChange, PresencePort};
use std::sync::Arc;
use tokio::sync::broadcast;

/// The year 2100.
const FAR: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// See the module.
pub(crate) struct NeverExpires(pub(crate) RemotePresence);

#[async_trait]
impl PresencePort for NeverExpires {
    async fn propose(&self, mut action: Action) -> Result<Reply, ApiError> {
        if let Action::Reserve { expires_at, .. } = &mut action {
            *expires_at = FAR;
        }
        self.0.propose(action).await
    }

    async fn view(&self, key: AgentKey) -> Result<Option<AgentView>, ApiError> {
        self.0.view(key).await
    }

    async fn views(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        self.0.views(site).await
    }

    fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.0.changes()
    }

    fn refused(&self, refusal: Refusal) -> ApiError {
        self.0.refused(refusal)
    }
}
