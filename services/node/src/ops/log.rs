//! `/admin/log`: what is logged, and another level for a while.

use super::Ops;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use frontdesk_telemetry::LogLevel;
use serde::Deserialize;
use std::time::Duration;

/// How long another level lasts when nothing is said.
const USUAL_SECONDS: u64 = 600;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Directives, as in the settings.
    level: String,
    #[serde(default = "usual_seconds")]
    seconds: u64,
}

fn usual_seconds() -> u64 {
    USUAL_SECONDS
}

pub(super) async fn show(State(ops): State<Ops>) -> Json<LogLevel> {
    Json(ops.logs.level())
}

pub(super) async fn change(
    State(ops): State<Ops>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<LogLevel>, (StatusCode, String)> {
    let time = Duration::from_secs(wanted.seconds);
    match ops.logs.change(&wanted.level, time) {
        Ok(()) => Ok(Json(ops.logs.level())),
        Err(error) => Err((StatusCode::BAD_REQUEST, format!("{error}\n"))),
    }
}

pub(super) async fn restore(State(ops): State<Ops>) -> Json<LogLevel> {
    ops.logs.restore();
    Json(ops.logs.level())
}
