//! For those who run the gateway: health, metrics, the API's description.

use super::error::Failure;
use crate::shared::{CALL_DEADLINE, Shared};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_proto::api::ApiError;
use std::sync::Arc;

/// The description of every route, OpenAPI 3.1.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// The process runs.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The process can serve. The body names the part that cannot.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match tokio::time::timeout(CALL_DEADLINE, (shared.deps.readiness)()).await {
        Ok(Ok(())) => "ok\n".into_response(),
        Ok(Err(part)) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {part}\n")).into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready: a check hangs\n").into_response(),
    }
}

/// Prometheus text format.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Failure> {
    let render = shared.deps.metrics_render.clone();
    // Rendering walks every series: not on a thread that serves clients.
    let text = tokio::task::spawn_blocking(move || render())
        .await
        .map_err(|e| ApiError::Internal(format!("metrics cannot be rendered: {e}")))?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// The API's description.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
