//! Plain HTTP for probes and metrics, apart from everything else.

use super::ClusterError;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use frontdesk_telemetry::MetricsHandle;
use futures::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Says whether the process can do its work; `Err` names what is missing.
pub(super) type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What is told.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) metrics: MetricsHandle,
    pub(super) readiness: Readiness,
}

/// Serves in a task that ends with `stop`.
pub(super) async fn serve(
    address: SocketAddr,
    health: Health,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, ClusterError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ClusterError::Listen { address, source })?;
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(|State(health): State<Health>| async move { health.metrics.render() }),
        )
        .with_state(health);
    Ok(tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the health listener has ended");
        }
    }))
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    match (health.readiness)().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
}
