//! `frontdesk gateway|sessions|presence|routing|queueing|desk`: one role of a
//! cluster in this process. The same role crates as in `dev`; only the wiring is
//! here, and the order in which things start and stop.

mod about;
mod clock;
mod desk;
mod founding;
mod gateway;
mod listener;
mod matching;
mod parts;
mod presence;
mod process;
mod sessions;
pub(crate) mod settings;

pub(crate) use process::load_tls;

use crate::settings::Settings;
use frontdesk_cluster::tls::{TlsError, kept_local_ca};
use frontdesk_core::ids::InvalidId;
use frontdesk_desk::DeskError;
use frontdesk_gateway::StartError;
use frontdesk_presence::PresenceError;
use frontdesk_proto::api::ApiError;
use frontdesk_sessions::SessionsError;
use frontdesk_telemetry::{LogError, MetricsError};
use std::path::Path;

/// The role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Gateway,
    Sessions,
    Presence,
    Routing,
    Queueing,
    Desk,
}

impl Role {
    /// As on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Sessions => "sessions",
            Self::Presence => "presence",
            Self::Routing => "routing",
            Self::Queueing => "queueing",
            Self::Desk => "desk",
        }
    }
}

/// Why a process could not start or run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Traces(#[from] frontdesk_telemetry::traces::TracesError),
    #[error(transparent)]
    AdminToken(#[from] crate::ops::TooShort),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("cluster.tls: {0}")]
    Tls(#[from] frontdesk_cluster::tls::TlsError),
    #[error(transparent)]
    Store(#[from] frontdesk_store::postgres::PostgresError),
    #[error(transparent)]
    Files(#[from] frontdesk_store::s3::S3Error),
    #[error(transparent)]
    Bus(#[from] frontdesk_bus::BadSettings),
    #[error(transparent)]
    Presence(#[from] PresenceError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    #[error(transparent)]
    Gateway(#[from] StartError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Certificates of a local authority in a folder, kept while they are good.
pub(crate) fn certificates(folder: &Path) -> Result<(), TlsError> {
    kept_local_ca(folder, clock::clock()()).map(drop)
}

/// Runs a role until SIGINT or SIGTERM.
pub(crate) async fn run(role: Role, settings: Settings) -> Result<(), ClusterError> {
    let mut process = process::Process::start(role, settings)?;
    let traces = process.take_traces();
    let ended = match role {
        Role::Gateway => gateway::run(process).await,
        Role::Sessions => sessions::run(process).await,
        Role::Presence => presence::run(process).await,
        Role::Routing => matching::run_routing(process).await,
        Role::Queueing => matching::run_queueing(process).await,
        Role::Desk => desk::run(process).await,
    };
    // Last: what the stop did is told as well.
    if let Some(traces) = traces {
        traces.stop().await;
    }
    ended
}
