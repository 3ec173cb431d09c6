//! Plain HTTP for probes, metrics and whoever operates the process, apart from
//! everything else and never on the address that clients reach. What changes or
//! shows more than numbers wants the admin token.

mod debug;
mod headers;
mod log;
mod token;

pub(crate) use debug::{DebugPages, LateInspector, columns};
pub(crate) use token::{AdminToken, TooShort};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::get;
use frontdesk_gateway::ReadinessCheck;
use frontdesk_telemetry::tasks;
use frontdesk_telemetry::{LogControl, MetricsHandle};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What is told, and what can be changed.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) metrics: MetricsHandle,
    /// Says whether the process can do its work; `Err` names what is missing.
    pub(crate) readiness: ReadinessCheck,
    pub(crate) logs: LogControl,
    pub(crate) admin_token: AdminToken,
    pub(crate) debug: DebugPages,
}

/// Serves in a task that ends with `stop`.
pub(crate) async fn serve(
    address: SocketAddr,
    ops: Ops,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, std::io::Error> {
    let listener = TcpListener::bind(address).await?;
    let router = router(ops);
    Ok(tasks::spawn("ops.listener", async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the health listener has ended");
        }
    }))
}

fn router(ops: Ops) -> Router {
    let guard = from_fn_with_state(ops.admin_token.clone(), token::guard);
    let guarded = Router::new()
        .route("/admin/log", get(log::show).put(log::change).delete(log::restore))
        .route("/debug", get(debug::index))
        .route("/debug/", get(debug::index))
        .route("/debug/style.css", get(debug::style))
        .route("/debug/{page}", get(debug::page))
        .route_layer(guard);
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|State(ops): State<Ops>| async move { ops.metrics.render() }))
        .merge(guarded)
        .layer(from_fn(headers::layer))
        .with_state(ops)
}

async fn ready(State(ops): State<Ops>) -> impl IntoResponse {
    match (ops.readiness)().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
}
