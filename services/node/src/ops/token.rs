//! The admin token: who has it operates the process. Never printed, never compared in
//! a time that tells how much of it was right.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

/// Shorter ones could be guessed.
const LEAST_BYTES: usize = 16;

/// The token, when one is set.
#[derive(Clone)]
pub(crate) struct AdminToken(Option<Arc<str>>);

/// The token cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("telemetry.admin_token: {LEAST_BYTES} characters or more")]
pub(crate) struct TooShort;

impl AdminToken {
    /// As in the settings: none when it is empty.
    pub(crate) fn new(token: &str) -> Result<Self, TooShort> {
        match token.len() {
            0 => Ok(Self(None)),
            1..LEAST_BYTES => Err(TooShort),
            _ => Ok(Self(Some(token.into()))),
        }
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "AdminToken(hidden)" } else { "AdminToken(none)" })
    }
}

/// Lets through who bears the token.
pub(super) async fn guard(
    State(token): State<AdminToken>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = &token.0 else {
        return (StatusCode::NOT_FOUND, "telemetry.admin_token is not set\n").into_response();
    };
    let given = headers.get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    if is_same(given, token.as_bytes()) {
        return next.run(request).await;
    }
    let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, ask, "the admin token is absent or wrong\n").into_response()
}

/// Looks at every byte, whichever of them differ.
fn is_same(given: &[u8], right: &[u8]) -> bool {
    let differing = given.iter().zip(right).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    given.len() == right.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let right = b"0123456789abcdef";
        assert!(is_same(right, right));
        for wrong in [&b""[..], b"0123456789abcde", b"0123456789abcdeF", b"0123456789abcdef0"] {
            assert!(!is_same(wrong, right), "{wrong:?}");
        }
    }

    #[test]
    fn a_token_is_long_or_absent_and_is_not_shown() {
        assert!(AdminToken::new("short").is_err());
        assert!(AdminToken::new("").unwrap().0.is_none());
        let token = AdminToken::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "AdminToken(hidden)");
    }
}
