//! The one place where failures become what clients see: error frames, gRPC
//! statuses, HTTP statuses and close codes.

use crate::api::ApiError;
use crate::convert::duration_to_proto;
use crate::v1::{self, ErrorCode};
use tonic::{Code, Status};

/// Longest `Error.message`, in bytes.
const MAX_MESSAGE_BYTES: usize = 500;

/// The error frame's code, the gRPC code and the HTTP status of a failure.
pub fn codes(error: &ApiError) -> (ErrorCode, Code, u16) {
    match error {
        ApiError::Invalid(_) => (ErrorCode::InvalidArgument, Code::InvalidArgument, 400),
        ApiError::Unauthenticated(_) => (ErrorCode::Unauthenticated, Code::Unauthenticated, 401),
        ApiError::Forbidden(_) => (ErrorCode::PermissionDenied, Code::PermissionDenied, 403),
        ApiError::NotFound(_) => (ErrorCode::NotFound, Code::NotFound, 404),
        ApiError::State(_) => (ErrorCode::FailedPrecondition, Code::FailedPrecondition, 409),
        ApiError::RateLimited { .. } => (ErrorCode::RateLimited, Code::ResourceExhausted, 429),
        ApiError::Unavailable { .. } | ApiError::Moved => {
            (ErrorCode::Unavailable, Code::Unavailable, 503)
        }
        ApiError::Unimplemented(_) => (ErrorCode::Unimplemented, Code::Unimplemented, 501),
        ApiError::Internal(_) => (ErrorCode::Internal, Code::Internal, 500),
    }
}

/// As an error frame. What an internal error says stays in the logs.
pub fn to_proto(error: &ApiError) -> v1::Error {
    v1::Error {
        code: codes(error).0.into(),
        message: public_message(error),
        retryable: error.retryable(),
        retry_after: error.retry_after().map(duration_to_proto),
        conversation_id: String::new(),
    }
}

/// As a gRPC status.
pub fn to_status(error: &ApiError) -> Status {
    Status::new(codes(error).1, public_message(error))
}

fn public_message(error: &ApiError) -> String {
    let mut message = match error {
        ApiError::Internal(_) => "internal error".to_owned(),
        ApiError::Unavailable { .. } | ApiError::Moved => "unavailable, try again".to_owned(),
        other => other.to_string(),
    };
    let mut end = message.len().min(MAX_MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    message
}

/// Why a connection ends: `Bye.code`, the WebSocket close code, in bands that
/// say whether to reconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The server drains: reconnect now.
    Draining,
    /// The reader was too slow: reconnect now and resume.
    TooSlow,
    /// Nothing was heard in time: reconnect now.
    Silent,
    /// Too many connections: reconnect later.
    TooManyConnections,
    /// Overloaded: reconnect later.
    Overloaded,
    /// The token is refused: do not reconnect with it.
    TokenRefused,
    /// The token has expired: get a new one first.
    TokenExpired,
    /// The protocol was broken: do not reconnect.
    Protocol,
    /// A frame over the limit: do not reconnect.
    TooLarge,
    /// No Hello in time: do not reconnect.
    NoHello,
    /// Signed out: do not reconnect.
    SignedOut,
}

impl CloseCode {
    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::Draining => 4000,
            Self::TooSlow => 4001,
            Self::Silent => 4002,
            Self::TooManyConnections => 4100,
            Self::Overloaded => 4101,
            Self::TokenRefused => 4200,
            Self::TokenExpired => 4201,
            Self::Protocol => 4202,
            Self::TooLarge => 4203,
            Self::NoHello => 4204,
            Self::SignedOut => 4205,
        }
    }

    /// A word for logs and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::TooSlow => "too_slow",
            Self::Silent => "silent",
            Self::TooManyConnections => "too_many_connections",
            Self::Overloaded => "overloaded",
            Self::TokenRefused => "token_refused",
            Self::TokenExpired => "token_expired",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::NoHello => "no_hello",
            Self::SignedOut => "signed_out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_internal_error_says_stays_inside() {
        let frame = to_proto(&ApiError::Internal("secret path".into()));
        assert_eq!(frame.message, "internal error");
        assert!(frame.retryable);
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        let frame = to_proto(&ApiError::Invalid("é".repeat(400)));
        assert!(frame.message.len() <= MAX_MESSAGE_BYTES);
    }
}
