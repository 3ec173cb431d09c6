//! The embedded pages, under a policy by which nothing else can run in them.

use super::error::{Failure, json};
use crate::shared::Shared;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use frontdesk_proto::api::ApiError;
use std::borrow::Cow;
use std::sync::Arc;

/// Pages load from here only; they talk to the gateway and to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; font-src 'self'; media-src 'self' blob: data:; \
    connect-src 'self' ws: wss:; frame-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; object-src 'none'";

/// A group of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Lives on other people's pages.
    Widget,
    Console,
    Supervisor,
    Demo,
}

impl Section {
    fn folder(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::Console => "console",
            Self::Supervisor => "supervisor",
            Self::Demo => "demo",
        }
    }

    /// Who may put these pages into a frame.
    fn frame_ancestors(self) -> &'static str {
        match self {
            // The widget is part of the page that carries it; it has no frame.
            Self::Widget | Self::Console | Self::Supervisor => "'none'",
            Self::Demo => "'self'",
        }
    }
}

pub(super) async fn root(State(shared): State<Arc<Shared>>) -> Redirect {
    Redirect::temporary(if shared.settings.demo.is_some() { "/demo/" } else { "/console/" })
}

pub(super) async fn widget(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(Section::Widget, &path, &headers)
}

pub(super) async fn console_index(headers: HeaderMap) -> Response {
    serve(Section::Console, "", &headers)
}

pub(super) async fn console(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(Section::Console, &path, &headers)
}

pub(super) async fn supervisor_index(headers: HeaderMap) -> Response {
    serve(Section::Supervisor, "", &headers)
}

pub(super) async fn supervisor(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(Section::Supervisor, &path, &headers)
}

pub(super) async fn demo_index(shared: State<Arc<Shared>>, headers: HeaderMap) -> Response {
    demo(shared, Path(String::new()), headers).await
}

pub(super) async fn demo(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    match &shared.settings.demo {
        Some(_) => serve(Section::Demo, &path, &headers),
        None => absent(),
    }
}

/// What the demo shop's widget is to be started with.
pub(super) async fn demo_config(State(shared): State<Arc<Shared>>) -> Response {
    match &shared.settings.demo {
        Some(demo) => json(StatusCode::OK, &serde_json::json!({ "siteKey": demo.site_key })),
        None => absent(),
    }
}

fn absent() -> Response {
    Failure::from(ApiError::NotFound("no such page".into())).into_response()
}

fn serve(section: Section, path: &str, headers: &HeaderMap) -> Response {
    let Some(page) = frontdesk_web::page(&format!("{}/{path}", section.folder())) else {
        return absent();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let unchanged = known.is_some_and(|k| k == "*" || k.split(',').any(|t| same(t, &page.etag)));
    let body = match (unchanged, page.bytes) {
        (true, _) => Body::empty(),
        (false, Cow::Borrowed(bytes)) => Body::from(bytes),
        (false, Cow::Owned(bytes)) => Body::from(bytes),
    };
    let mut response = Response::new(body);
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = response.headers_mut();
    let caching = if page.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let policy = format!("{POLICY}; frame-ancestors {}", section.frame_ancestors());
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, page.media_type);
    set(header::ETAG, &page.etag);
    set(header::CACHE_CONTROL, caching);
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if section == Section::Widget {
        // Module scripts of another origin are loaded by CORS rules.
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    }
    response
}

fn same(known: &str, etag: &str) -> bool {
    let known = known.trim();
    known.strip_prefix("W/").unwrap_or(known) == etag
}
