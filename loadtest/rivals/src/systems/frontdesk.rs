//! Frontdesk: one process on a journal of its own, or a whole cluster.

use super::{Places, Run, SystemError, finish, ids, temporary};
use crate::adapters::Frontdesk;
use crate::drive::{self, Load};
use crate::process::{Process, ProcessError};
use frontdesk_loadtest::credentials::Accounts;
use serde::Deserialize;
use tokio::process::Command;

/// What `frontdesk` says besides its accounts.
#[derive(Deserialize)]
struct Announced {
    listen: String,
    /// Of a cluster.
    #[serde(default)]
    gateways: Vec<String>,
}

/// `frontdesk dev`.
pub(super) async fn one_process(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let folder = temporary(places)?;
    let mut command = command(places);
    command.arg("dev").arg("--data").arg(folder.path().join("data"));
    command.args(["--listen", "127.0.0.1:0", "--log", "error"]);
    run(command, load).await
}

/// `frontdesk cluster up`: its CPU time is that of everything it starts, Redis and
/// PostgreSQL included.
pub(super) async fn cluster(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let folder = temporary(places)?;
    let mut command = command(places);
    command.args(["cluster", "up", "--base-port", "0", "--data"]).arg(folder.path());
    command.env("FRONTDESK_LOG__LEVEL", "error");
    run(command, load).await
}

async fn run(mut command: Command, load: &Load) -> Result<Run, SystemError> {
    command.args(["--print", "json", "--extra-agents", &load.agents.to_string()]);
    let mut process = Process::start("frontdesk", command)?;
    let line = process.ready().await?;
    let announced: Result<Announced, _> = serde_json::from_str(&line);
    let announced = announced.map_err(|e| ProcessError::Unexpected("frontdesk", e))?;
    let accounts = Accounts::parse(&line)?;
    let agents = accounts.agents(load.agents)?;
    let gateways = match announced.gateways.is_empty() {
        true => vec![announced.listen],
        false => announced.gateways,
    };
    let gateways: Result<Vec<_>, _> = gateways.iter().map(|gateway| gateway.parse()).collect();
    let adapter = Frontdesk::new(gateways?, accounts, agents, load.pairs, load.bytes)?;
    let processes = vec![process];
    let driven = drive::run(&adapter, load, &ids(&processes)).await;
    finish(processes, driven).await
}

/// With its own settings but for the limits of one client: the generator does
/// the work of hundreds.
fn command(places: &Places) -> Command {
    let mut command = Command::new(places.binaries.join("frontdesk"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FRONTDESK_") {
            command.env_remove(name);
        }
    }
    for (limit, most) in [
        ("REQUESTS_PER_SECOND", "1000000"),
        ("REQUEST_BURST", "1000000"),
        ("HANDSHAKES_PER_SECOND", "100000"),
        ("HANDSHAKE_BURST", "100000"),
    ] {
        command.env(format!("FRONTDESK_GATEWAY__{limit}"), most);
    }
    command
}
