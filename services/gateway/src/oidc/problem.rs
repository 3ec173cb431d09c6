//! The ways in which a sign-in by way of a provider ends without a token. Pages know
//! them by their words; details are for the logs and never have a person's data.

use frontdesk_proto::api::ApiError;
use std::borrow::Cow;

/// What a page is told; it has words of its own for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The provider, or a part of Frontdesk, does not answer.
    Unavailable,
    /// Too many at once.
    Busy,
    /// This browser began no such sign-in, or too long ago, or has ended it already.
    Expired,
    /// The provider let the person not in, or they have given up.
    Denied,
    /// What the provider said cannot be trusted.
    Refused,
    /// The provider does not vouch for the address.
    Unverified,
    /// No rule lets this person in.
    NotAllowed,
    /// There is no account, and none is made.
    NoAccount,
    /// The account is disabled.
    Disabled,
}

impl Problem {
    /// Whether the provider was asked and said nothing that lets anybody in: whoever has
    /// that again and again tries what it can get.
    pub(crate) fn is_guess(self) -> bool {
        match self {
            Self::Refused
            | Self::Unverified
            | Self::NotAllowed
            | Self::NoAccount
            | Self::Disabled => true,
            // Some page may have sent the browser here, or it is nobody's fault.
            Self::Expired | Self::Denied | Self::Unavailable | Self::Busy => false,
        }
    }

    /// As it stands in the page's address.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Unverified => "unverified",
            Self::NotAllowed => "not-allowed",
            Self::NoAccount => "no-account",
            Self::Disabled => "disabled",
        }
    }
}

/// A problem and what is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    pub(crate) why: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(problem: Problem, why: impl Into<Cow<'static, str>>) -> Self {
        Self { problem, why: why.into() }
    }

    /// The provider cannot be trusted in this.
    pub(super) fn refused(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Problem::Refused, why)
    }
}

/// What the desk's answer means to somebody for whom a provider has vouched.
impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let problem = match error {
            ApiError::NotFound(_) => Problem::NoAccount,
            ApiError::Unauthenticated(_) => Problem::Disabled,
            ApiError::Invalid(_) | ApiError::Forbidden(_) => Problem::NotAllowed,
            ApiError::RateLimited { .. } => Problem::Busy,
            _ => Problem::Unavailable,
        };
        Self::new(problem, error.to_string())
    }
}
