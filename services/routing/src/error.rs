//! Why this role cannot take a request now. All of it passes.

use frontdesk_proto::api::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoutingError {
    #[error("routing's mailbox is full")]
    Full,
    #[error("too much is under way for this conversation")]
    Busy,
    #[error("routing is stopping")]
    Stopping,
}

impl From<RoutingError> for ApiError {
    fn from(e: RoutingError) -> Self {
        Self::unavailable(e.to_string())
    }
}
