//! What the role's failures mean to its callers.

use frontdesk_cluster::GroupError;
use frontdesk_proto::api::ApiError;

/// Why the role did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresenceError {
    /// The group could not be opened.
    #[error("presence cannot be opened: {0}")]
    Open(#[source] GroupError),
    /// There is no leader, or what was committed is not applied in time.
    #[error("presence is not ready: {0}")]
    NotReady(#[source] GroupError),
}

/// Repeating the request is right in every case but a defect.
pub(crate) fn from_group(error: GroupError) -> ApiError {
    match error {
        GroupError::Overloaded | GroupError::Deadline(_) | GroupError::Stopped => {
            ApiError::unavailable(format!("presence: {error}"))
        }
        GroupError::Refused(why) => ApiError::State(why),
        GroupError::Settings(_) | GroupError::Storage(_) | GroupError::Malformed(_) => {
            ApiError::Internal(format!("presence: {error}"))
        }
    }
}
