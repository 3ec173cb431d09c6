//! Why the role could not do what it was asked.

use frontdesk_core::ids::InvalidId;
use frontdesk_proto::api::ApiError;
use frontdesk_store::desk::DeskStoreError;

/// Why the role could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// A value breaks a rule; says which.
    #[error("{0}")]
    Invalid(String),
    /// There is one of that name already.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// There is none of that name.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It is not for this one; says why.
    #[error("{0}")]
    Forbidden(String),
    /// Somebody else changed it meanwhile, or the store is away; try again.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A defect or a damaged file.
    #[error("{0}")]
    Internal(String),
}

impl From<DeskStoreError> for DeskError {
    fn from(error: DeskStoreError) -> Self {
        match error {
            DeskStoreError::Taken(what) => Self::Taken(what),
            DeskStoreError::Missing(what) => Self::NotFound(what),
            DeskStoreError::Stale { .. } | DeskStoreError::Unavailable(_) => {
                Self::Unavailable(error.to_string())
            }
            DeskStoreError::Damaged(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<InvalidId> for DeskError {
    fn from(error: InvalidId) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Invalid(why) => Self::Invalid(why),
            DeskError::Taken(_) => Self::State(error.to_string()),
            DeskError::Forbidden(why) => Self::Forbidden(why),
            DeskError::NotFound(what) => Self::NotFound(what.into()),
            DeskError::Unavailable(why) => Self::unavailable(why),
            DeskError::Internal(why) => Self::Internal(why),
        }
    }
}
