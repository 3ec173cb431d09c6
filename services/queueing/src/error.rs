//! Why this role cannot answer now. All of it passes: the reconciler tells again
//! what was not taken, and callers ask again.

use frontdesk_proto::api::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueingError {
    #[error("the queueing group's mailbox is full")]
    Full,
    #[error("the queueing role is stopping")]
    Stopping,
    #[error("the queues are being rebuilt")]
    Rebuilding,
}

impl From<QueueingError> for ApiError {
    fn from(e: QueueingError) -> Self {
        Self::unavailable(e.to_string())
    }
}
