//! Failures between roles: whole, unlike those that clients are shown.

use crate::api::ApiError;
use crate::internal::Failure;
use crate::internal::failure::Kind;
use bytes::Bytes;
use prost::Message as _;
use std::time::Duration;
use tonic::{Code, Status};

/// To the wire.
pub fn error_to_failure(error: &ApiError) -> Failure {
    let (kind, message) = match error {
        ApiError::Invalid(m) => (Kind::Invalid, m.as_str()),
        ApiError::Unauthenticated(m) => (Kind::Unauthenticated, m.as_str()),
        ApiError::Forbidden(m) => (Kind::Forbidden, m.as_str()),
        ApiError::NotFound(m) => (Kind::NotFound, m.as_str()),
        ApiError::State(m) => (Kind::State, m.as_str()),
        ApiError::RateLimited { .. } => (Kind::RateLimited, ""),
        ApiError::Unavailable { reason, .. } => (Kind::Unavailable, reason.as_str()),
        ApiError::Moved => (Kind::Moved, ""),
        ApiError::Unimplemented(m) => (Kind::Unimplemented, m.as_str()),
        ApiError::Internal(m) => (Kind::Internal, m.as_str()),
    };
    let retry_after = error.retry_after().unwrap_or_default().as_millis();
    Failure {
        kind: kind.into(),
        message: message.to_owned(),
        retry_after_ms: u32::try_from(retry_after).unwrap_or(u32::MAX),
    }
}

/// From the wire; a kind of a newer version counts as a defect.
pub fn error_from_failure(failure: Failure) -> ApiError {
    let retry_after = Duration::from_millis(failure.retry_after_ms.into());
    let (kind, message) = (failure.kind(), failure.message);
    match kind {
        Kind::Invalid => ApiError::Invalid(message),
        Kind::Unauthenticated => ApiError::Unauthenticated(message),
        Kind::Forbidden => ApiError::Forbidden(message),
        Kind::NotFound => ApiError::NotFound(message),
        Kind::State => ApiError::State(message),
        Kind::RateLimited => ApiError::RateLimited { retry_after },
        Kind::Unavailable => ApiError::Unavailable { reason: message, retry_after },
        Kind::Moved => ApiError::Moved,
        Kind::Unimplemented => ApiError::Unimplemented(message),
        Kind::Internal | Kind::Unspecified => ApiError::Internal(message),
    }
}

/// As the status of a call between roles.
pub fn error_to_status(error: &ApiError) -> Status {
    let code = crate::status::codes(error).1;
    let details = error_to_failure(error).encode_to_vec();
    Status::with_details(code, error.to_string(), Bytes::from(details))
}

/// What a call between roles failed with. A status that no role has given (no
/// connection, a deadline) means that nobody knows whether anything was done.
pub fn error_from_status(status: &Status) -> ApiError {
    if !status.details().is_empty()
        && let Ok(failure) = Failure::decode(status.details())
    {
        return error_from_failure(failure);
    }
    match status.code() {
        Code::Unimplemented => ApiError::Unimplemented(status.message().to_owned()),
        Code::InvalidArgument | Code::OutOfRange => ApiError::Invalid(status.message().to_owned()),
        Code::Internal | Code::DataLoss => ApiError::Internal(status.message().to_owned()),
        code => ApiError::unavailable(format!("{code}: {}", status.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_survives_the_wire() {
        let errors = [
            ApiError::Invalid("a".into()),
            ApiError::Unauthenticated("b".into()),
            ApiError::Forbidden("c".into()),
            ApiError::NotFound("d".into()),
            ApiError::State("e".into()),
            ApiError::RateLimited { retry_after: Duration::from_millis(70) },
            ApiError::Unavailable { reason: "f".into(), retry_after: Duration::from_secs(2) },
            ApiError::Moved,
            ApiError::Unimplemented("g".into()),
            ApiError::Internal("h".into()),
        ];
        for error in errors {
            assert_eq!(error_from_status(&error_to_status(&error)), error);
        }
    }

    #[test]
    fn a_broken_connection_may_be_tried_again() {
        let error = error_from_status(&Status::cancelled("gone"));
        assert!(error.retryable(), "{error}");
    }
}
