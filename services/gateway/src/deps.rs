//! What a gateway is given by the process that runs it.

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::Bus;
use frontdesk_core::ids::{AttachmentId, NodeId, SiteId};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, Desk, Presence, Queueing, Routing, Sessions};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::watch;

/// Tells the time of day.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Renders all metrics of the process in the Prometheus text format.
pub type MetricsRender = Arc<dyn Fn() -> String + Send + Sync>;

/// Says whether the process can serve; `Err` names the part that cannot.
pub type ReadinessCheck = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The bytes of uploaded files; `desk` keeps the records.
#[async_trait]
pub trait AttachmentBlobs: Send + Sync + 'static {
    /// Stores a file durably before it returns.
    async fn put(&self, site: &SiteId, id: AttachmentId, bytes: Bytes) -> Result<(), ApiError>;

    /// Reads a file; `None` when there is none.
    async fn get(&self, site: &SiteId, id: AttachmentId) -> Result<Option<Bytes>, ApiError>;

    /// Removes a file; harmless when there is none.
    async fn delete(&self, site: &SiteId, id: AttachmentId) -> Result<(), ApiError>;
}

/// The other roles and the process around a gateway.
#[derive(Clone)]
pub struct GatewayDeps {
    /// Owner of conversations.
    pub sessions: Arc<dyn Sessions>,
    /// Who is there.
    pub presence: Arc<dyn Presence>,
    /// Who waits.
    pub queueing: Arc<dyn Queueing>,
    /// Who gets what.
    pub routing: Arc<dyn Routing>,
    /// Configuration and accounts.
    pub desk: Arc<dyn Desk>,
    /// Where deliveries come from.
    pub bus: Arc<dyn Bus>,
    /// Bytes of attachments.
    pub blobs: Arc<dyn AttachmentBlobs>,
    /// This process, as the other roles address it.
    pub node_id: NodeId,
    /// Rises when the group had taken this gateway for dead; never within one
    /// process.
    pub rejoined: watch::Receiver<u64>,
    /// For `/metrics`.
    pub metrics_render: MetricsRender,
    /// For `/readyz`.
    pub readiness: ReadinessCheck,
    /// The time.
    pub clock: Clock,
}
