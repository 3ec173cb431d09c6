//! The HTTP side: tokens, files, transcripts, health, pages.

mod attachments;
mod cors;
mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod headers;
mod oidc;
mod ops;
mod pages;
mod sniff;
#[cfg(test)]
mod tests;
mod tokens;
mod transcript;
mod upgrade;

#[cfg(test)]
pub(crate) use tests::status_of_transcript;

use crate::auth;
use crate::calls;
use crate::shared::{CALL_DEADLINE, Shared, within};
use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use error::Failure;
use frontdesk_core::party::Principal;
use frontdesk_proto::api::{ApiError, SiteConfig};
use std::sync::Arc;

/// Routes, and the list that the OpenAPI description is checked against.
struct Routes {
    router: Router<Arc<Shared>>,
    /// Whether their calls begin traces.
    recorded: bool,
    list: Vec<(Method, &'static str)>,
}

impl Routes {
    fn new(recorded: bool) -> Self {
        Self { router: Router::new(), recorded, list: Vec::new() }
    }

    fn get<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        self.on(Method::GET, MethodFilter::GET, path, handler)
    }

    fn post<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        self.on(Method::POST, MethodFilter::POST, path, handler)
    }

    fn on<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        let mut answered = on(filter, handler);
        if self.recorded {
            answered = answered.layer(from_fn_with_state(path, calls::http));
        }
        self.router = self.router.route(path, answered);
        self.list.push((method, path));
        self
    }
}

/// What pages of other origins may call.
fn api() -> Routes {
    Routes::new(true)
        .post("/v1/visitor/token", tokens::visitor)
        .post("/v1/agent/sign-in", tokens::sign_in)
        .post("/v1/conversations/{id}/attachments", attachments::upload)
        .get("/v1/attachments/{id}", attachments::download)
        .get("/v1/conversations/{id}/transcript", transcript::transcript)
}

/// Signing in by way of a provider.
fn provider() -> Routes {
    Routes::new(true)
        .get("/auth/methods", oidc::methods)
        .get("/auth/oidc/start", oidc::start)
        .get("/auth/oidc/callback", oidc::callback)
        .post("/auth/oidc/token", oidc::token)
}

/// The rest: nothing that other roles are asked for.
fn local() -> Routes {
    Routes::new(false)
        .get("/v1/ws", upgrade::websocket)
        .get("/livez", ops::live)
        .get("/readyz", ops::ready)
        .get("/metrics", ops::metrics)
        .get("/openapi.json", ops::openapi)
        .get("/", pages::root)
        .get("/demo/config.json", pages::demo_config)
        .get("/widget/{*path}", pages::widget)
        .get("/console/", pages::console_index)
        .get("/console/{*path}", pages::console)
        .get("/supervisor/", pages::supervisor_index)
        .get("/supervisor/{*path}", pages::supervisor)
        .get("/demo/", pages::demo_index)
        .get("/demo/{*path}", pages::demo)
}

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let cors = from_fn_with_state(shared.clone(), cors::layer);
    let headers = from_fn_with_state(shared.clone(), headers::layer);
    Router::new()
        .merge(api().router.route_layer(cors))
        .merge(provider().router)
        .merge(local().router)
        .fallback(error::not_found)
        .layer(headers)
        .with_state(shared)
}

/// Whether a page at `origin` may use a site through this `host`: when the site
/// allows it, or when the page is the gateway's own.
pub(crate) fn origin_allowed(site: &SiteConfig, origin: &str, host: &str) -> bool {
    let own = origin.split_once("://").is_some_and(|(_, authority)| {
        !authority.is_empty() && authority.eq_ignore_ascii_case(host)
    });
    own || site.allowed_origins.iter().any(|a| a == "*" || a.eq_ignore_ascii_case(origin))
}

/// The `Origin` of a browser's request and the `Host` it was sent to.
fn origin_of(headers: &HeaderMap) -> Option<(&str, &str)> {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("invalid"));
    Some((text(header::ORIGIN)?, text(header::HOST).unwrap_or_default()))
}

/// The caller, from a page that may call for the caller's site.
async fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Principal, Failure> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let (who, _) = auth::caller(shared, auth::bearer(value)?).await?;
    if let Some((origin, host)) = origin_of(headers) {
        let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site(&who.site))
            .await?
            .ok_or_else(|| ApiError::NotFound("site".into()))?;
        if !origin_allowed(&site, origin, host) {
            return Err(ApiError::Forbidden("this page may not call for this site".into()).into());
        }
    }
    Ok(who)
}
