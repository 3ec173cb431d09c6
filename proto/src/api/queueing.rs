//! The role that keeps the order in which conversations wait.

use super::{ApiError, WorkObserver};
use async_trait::async_trait;
use frontdesk_core::ids::{ConversationId, QueueId, SiteId};
use frontdesk_core::queue::Entry;
use frontdesk_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// A queue of a site.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueueKey {
    /// The tenant.
    pub site: SiteId,
    /// The queue.
    pub queue: QueueId,
}

/// A queue's order or content has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueChange {
    /// Which.
    pub queue: QueueKey,
}

/// Where one conversation waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePosition {
    /// 1 is next.
    pub position: u32,
    /// Estimate; `None` while nothing has been measured or nobody is there.
    pub estimated_wait: Option<Millis>,
    /// Whether any agent of the queue is online.
    pub agents_online: bool,
    /// Out of hours: when somebody is there again, as far as that is known. Absent in
    /// what earlier versions say.
    #[serde(default)]
    pub opens_at: Option<Timestamp>,
    /// Nine in ten wait no longer.
    #[serde(default)]
    pub estimated_wait_upper: Option<Millis>,
}

/// A queue at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Which.
    pub queue: QueueKey,
    /// Waiting, not counting those on offer.
    pub waiting: u32,
    /// On offer.
    pub offered: u32,
    /// Since when the first one waits.
    pub oldest_since: Option<Timestamp>,
    /// For somebody who would join now.
    pub estimated_wait: Option<Millis>,
    /// Agents of the queue that are online.
    pub agents_online: u32,
    /// With agents. Absent in what earlier versions say.
    #[serde(default)]
    pub assigned: u32,
    /// Nine in ten would wait no longer. Absent in what earlier versions say.
    #[serde(default)]
    pub estimated_wait_upper: Option<Millis>,
}

/// One who waits, in order.
pub type WaitingEntry = Entry;

/// The role that keeps the order in which conversations wait. Learns of
/// conversations as a `WorkObserver`; rebuilt from them when it starts.
#[async_trait]
pub trait Queueing: WorkObserver {
    /// The first `limit` that wait (not on offer), in order.
    async fn waiting(&self, queue: &QueueKey, limit: u32) -> Result<Vec<WaitingEntry>, ApiError>;

    /// Queues with anyone waiting or on offer (`None`: of all sites).
    async fn active(&self) -> Result<Vec<QueueKey>, ApiError>;

    /// The configured queues of a site.
    async fn queues(&self, site: &SiteId) -> Result<Vec<QueueView>, ApiError>;

    /// Where a conversation waits; `None` when it does not.
    async fn position(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError>;

    /// Changes from now on. A receiver that lags asks for all `active` queues.
    fn subscribe(&self) -> broadcast::Receiver<QueueChange>;
}
