//! Frontdesk's one process, on a journal of its own.

use super::{Places, Run, SystemError, finish, ids, temporary};
use crate::adapters::Frontdesk;
use crate::drive::{self, Load};
use crate::process::{Process, ProcessError};
use frontdesk_loadtest::credentials::Accounts;
use serde::Deserialize;
use std::path::Path;
use tokio::process::Command;

/// What `frontdesk dev` says besides its accounts.
#[derive(Deserialize)]
struct Announced {
    listen: String,
}

pub(super) async fn run(places: &Places, load: &Load) -> Result<Run, SystemError> {
    let folder = temporary(places)?;
    let mut process = Process::start("frontdesk", dev_command(places, folder.path(), load))?;
    let line = process.ready().await?;
    let announced: Result<Announced, _> = serde_json::from_str(&line);
    let announced = announced.map_err(|e| ProcessError::Unexpected("frontdesk", e))?;
    let accounts = Accounts::parse(&line)?;
    let agents = accounts.agents(load.agents)?;
    let address = announced.listen.parse()?;
    let adapter = Frontdesk::new(address, accounts, agents, load.pairs, load.bytes)?;
    let processes = vec![process];
    let driven = drive::run(&adapter, load, &ids(&processes)).await;
    finish(processes, driven).await
}

/// With its own settings but for the limits of one client: the generator does
/// the work of hundreds.
fn dev_command(places: &Places, folder: &Path, load: &Load) -> Command {
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
    command.arg("dev").arg("--data").arg(folder.join("data"));
    command.args(["--listen", "127.0.0.1:0", "--print", "json", "--log", "error"]);
    command.args(["--extra-agents", &load.agents.to_string()]);
    command
}
