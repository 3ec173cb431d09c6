//! The admin token: who has it operates the process. Never printed, never compared in
//! a time that tells how much of it was right. A browser gives it as the password of
//! whatever name, and is thereby let look, never change: it sends what it has been told
//! once with every request, whoever brought that about.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    let looks = [Method::GET, Method::HEAD].contains(request.method());
    if given(&headers, looks).is_some_and(|given| is_same(&given, token.as_bytes())) {
        return next.run(request).await;
    }
    let said = "the admin token is absent or wrong\n";
    let mut refused = (StatusCode::UNAUTHORIZED, said).into_response();
    for way in ["Bearer", "Basic realm=\"Frontdesk: the admin token as password\""] {
        refused.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
    }
    refused
}

/// What was given for the token; as a password only by who `looks` and changes nothing.
fn given(headers: &HeaderMap, looks: bool) -> Option<Vec<u8>> {
    let given = headers.get(header::AUTHORIZATION)?.as_bytes();
    if let Some(token) = given.strip_prefix(b"Bearer ") {
        return Some(token.to_vec());
    }
    let pair = STANDARD.decode(given.strip_prefix(b"Basic ").filter(|_| looks)?).ok()?;
    let name = pair.iter().position(|byte| *byte == b':')?;
    pair.get(name + 1..).map(<[u8]>::to_vec)
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
    fn a_browser_gives_the_token_as_a_password_and_only_looks() {
        let given = |value: &str, looks| {
            let headers = [(header::AUTHORIZATION, value.parse().unwrap())];
            given(&headers.into_iter().collect(), looks)
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let token = Some(b"0123456789abc:ef".to_vec());
        for looks in [true, false] {
            assert_eq!(given("Bearer 0123456789abc:ef", looks), token);
            assert_eq!(given("Digest 0123456789abc:ef", looks), None);
        }
        for pair in ["admin:0123456789abc:ef", ":0123456789abc:ef"] {
            assert_eq!(given(&basic(pair), true), token, "{pair}");
            assert_eq!(given(&basic(pair), false), None, "{pair}");
        }
        assert_eq!(given(&basic("0123456789abcdef"), true), None, "no name, no colon");
        assert_eq!(given("Basic :::", true), None);
    }

    #[test]
    fn a_token_is_long_or_absent_and_is_not_shown() {
        assert!(AdminToken::new("short").is_err());
        assert!(AdminToken::new("").unwrap().0.is_none());
        let token = AdminToken::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "AdminToken(hidden)");
    }
}
