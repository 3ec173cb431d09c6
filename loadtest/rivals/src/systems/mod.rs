//! What is compared: each system as its servers on this machine, fresh for every
//! run, and the adapter that reaches it.

mod frontdesk;
mod socketio;

use crate::adapters::{LinkError, Relay};
use crate::drive::{self, DriveError, Load, Outcome};
use crate::process::{Process, ProcessError};
use clap::ValueEnum;
use frontdesk_client::AddressError;
use frontdesk_loadtest::credentials::CredentialsError;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::process::Command;

/// A system of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// Reads, looks up, writes.
    Relay,
    /// One node.
    SocketIo,
    /// Two nodes, joined by Redis.
    SocketIoRedis,
    /// One process.
    Frontdesk,
    /// Two gateways, two owners, three voters and the rest, with Redis and PostgreSQL.
    FrontdeskCluster,
}

impl System {
    /// As the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Relay => "bare relay (parse, look up, write)",
            Self::SocketIo => "Socket.IO, one node",
            Self::SocketIoRedis => "Socket.IO, two nodes + Redis",
            Self::Frontdesk => "Frontdesk, one process",
            Self::FrontdeskCluster => "Frontdesk, cluster + Redis + PostgreSQL",
        }
    }

    /// Whether a message is on stable storage before it is acknowledged.
    pub fn is_durable(self) -> bool {
        matches!(self, Self::Frontdesk | Self::FrontdeskCluster)
    }

    /// Whether it needs Node.js and its packages.
    pub fn needs_node(self) -> bool {
        matches!(self, Self::SocketIo | Self::SocketIoRedis)
    }
}

/// Which of Socket.IO's adapters for Redis joins the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RedisAdapter {
    /// One pattern subscription: every node hears everything.
    Classic,
    /// Sharded publish/subscribe: a node hears the rooms it has.
    Sharded,
}

/// Where programs lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// Folder with `frontdesk` and `frontdesk-relay`.
    pub binaries: PathBuf,
    /// Folder with `server.mjs` and its packages.
    pub node: PathBuf,
    /// Socket.IO's adapter.
    pub redis_adapter: RedisAdapter,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// A server failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Redis does not answer.
    #[error("redis-server does not answer: {0}")]
    Redis(io::Error),
    /// There is no place for data.
    #[error("temporary folder: {0}")]
    Folder(io::Error),
    /// Frontdesk's accounts are of no use.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Frontdesk's address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The adapter could not be made.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The load broke off.
    #[error(transparent)]
    Drive(#[from] DriveError),
}

/// One run of a system.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// What the servers' processes are, as in the outcome's CPU seconds.
    pub parts: Vec<&'static str>,
    /// What was measured.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Starts the system, drives it and stops it.
pub async fn run(system: System, places: &Places, load: &Load) -> Result<Run, SystemError> {
    match system {
        System::Relay => relay(places, load).await,
        System::SocketIo => socketio::one_node(places, load).await,
        System::SocketIoRedis => socketio::two_nodes(places, load).await,
        System::Frontdesk => frontdesk::one_process(places, load).await,
        System::FrontdeskCluster => frontdesk::cluster(places, load).await,
    }
}

/// How a server says where it listens.
#[derive(Deserialize)]
struct Listening {
    port: u16,
}

async fn listening(name: &'static str, command: Command) -> Result<(Process, u16), ProcessError> {
    let mut process = Process::start(name, command)?;
    let line = process.ready().await?;
    let said: Result<Listening, _> = serde_json::from_str(&line);
    let port = said.map_err(|e| ProcessError::Unexpected(name, e))?.port;
    Ok((process, port))
}

/// Stops every process, whatever the others do, after a run.
async fn finish(
    processes: Vec<Process>,
    driven: Result<Outcome, DriveError>,
) -> Result<Run, SystemError> {
    let parts = processes.iter().map(Process::name).collect();
    for process in processes {
        process.stop().await?;
    }
    Ok(Run { parts, outcome: driven? })
}

fn ids(processes: &[Process]) -> Vec<u32> {
    processes.iter().map(Process::id).collect()
}

async fn relay(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let command = Command::new(places.binaries.join("frontdesk-relay"));
    let (process, port) = listening("relay", command).await?;
    let processes = vec![process];
    let adapter = Relay { port, bytes: load.bytes };
    let driven = drive::run(&adapter, load, &ids(&processes)).await;
    finish(processes, driven).await
}

/// Beside the programs: a temporary folder of the system may lie in memory, where
/// nothing is durable.
fn temporary(places: &Places) -> Result<TempDir, SystemError> {
    tempfile::tempdir_in(&places.binaries).map_err(SystemError::Folder)
}
