//! Cross-origin calls: the widget lives on other people's pages.
//!
//! Answers may be read by pages of any site's allowed origins; whether a page
//! may act for the site in question is checked by each handler.

use super::{origin_allowed, origin_of};
use crate::shared::{CALL_DEADLINE, Shared, within};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// How long browsers may remember a preflight, in seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// Answers browsers that ask before they call, and lets allowed pages read the
/// answers of the others.
pub(super) async fn layer(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = allowed(&shared, request.headers()).await;
    if request.method() == Method::OPTIONS {
        return preflight(allowed);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, content-disposition"),
        );
    }
    response
}

fn preflight(allowed: Option<HeaderValue>) -> Response {
    let Some(origin) = allowed else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-file-name"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        (header::VARY, "Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The origin to allow: one that any site allows.
async fn allowed(shared: &Shared, headers: &HeaderMap) -> Option<HeaderValue> {
    let (origin, host) = origin_of(headers)?;
    let sites = within(CALL_DEADLINE, "desk", shared.deps.desk.sites()).await.ok()?;
    let any = sites.iter().any(|site| origin_allowed(site, origin, host));
    any.then(|| headers.get(header::ORIGIN).cloned()).flatten()
}
