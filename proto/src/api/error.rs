//! The closed vocabulary of failures between roles; mapped to clients in `status`.

use frontdesk_core::conversation::Reject;
use frontdesk_core::ids::InvalidId;
use std::time::Duration;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Malformed, or breaks a documented limit. Final.
    #[error("invalid argument: {0}")]
    Invalid(String),
    /// No token, or a bad or expired one.
    #[error("not signed in: {0}")]
    Unauthenticated(String),
    /// The role may not do this. Final.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// Absent for this caller. Final.
    #[error("not found: {0}")]
    NotFound(String),
    /// Not in this state. Final.
    #[error("not now: {0}")]
    State(String),
    /// Too many requests; nothing was done.
    #[error("too many requests")]
    RateLimited {
        /// Wait at least this long.
        retry_after: Duration,
    },
    /// A full queue or a part that is away; nothing was done, or it is not known.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// Which part, for the logs.
        reason: String,
        /// Wait at least this long.
        retry_after: Duration,
    },
    /// Another node owns it now, and nothing was done here: look at the placement
    /// and ask there.
    #[error("owned by another node")]
    Moved,
    /// Unknown kind of request. Final.
    #[error("unimplemented: {0}")]
    Unimplemented(String),
    /// A defect.
    #[error("internal error: {0}")]
    Internal(String),
}

impl ApiError {
    /// Its kind in one word, for labels and traces.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::State(_) => "state",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Moved => "moved",
            Self::Unimplemented(_) => "unimplemented",
            Self::Internal(_) => "internal",
        }
    }

    /// A part is away or full: try again in about 200 ms.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: Duration::from_millis(200) }
    }

    /// Whether the same request may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Unavailable { .. } | Self::Moved | Self::Internal(_)
        )
    }

    /// How long to wait before the retry.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::Moved => Some(Duration::from_millis(200)),
            Self::Internal(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<Reject> for ApiError {
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::NotFound => Self::NotFound("conversation".into()),
            Reject::Forbidden(why) => Self::Forbidden(why.into()),
            Reject::Invalid(why) => Self::Invalid(why.into()),
            Reject::State(why) => Self::State(why.into()),
            Reject::Early(why) => {
                Self::Unavailable { reason: why.into(), retry_after: Duration::from_millis(50) }
            }
        }
    }
}

impl From<InvalidId> for ApiError {
    fn from(e: InvalidId) -> Self {
        Self::Invalid(e.to_string())
    }
}
