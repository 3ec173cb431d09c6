//! `frontdesk cluster signal`: sends a signal to a process of a cluster by its name.

use super::roster::{self, ProcessState};
use super::{UpError, child};
use crate::cli::{SignalArgs, SignalName};
use rustix::process::{Pid, Signal, kill_process};

/// Stands for the voter that leads.
const LEADER: &str = "raft-leader";

/// Signals each of the processes named.
pub(crate) async fn run(args: &SignalArgs) -> Result<(), UpError> {
    let processes = roster::read(&args.cluster.data)?;
    for name in &args.names {
        let process = find(&processes, name).await?;
        let pid = process.pid.and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| UpError::Settings(format!("{name} does not run")))?;
        kill_process(pid, signal_of(args.signal)).map_err(std::io::Error::from)?;
        println!("{} {}", process.name, pid.as_raw_nonzero());
    }
    Ok(())
}

pub(super) async fn find<'p>(
    processes: &'p [ProcessState],
    name: &str,
) -> Result<&'p ProcessState, UpError> {
    if name != LEADER {
        let found = processes.iter().find(|process| process.name == name);
        return found.ok_or_else(|| UpError::Settings(format!("there is no process {name}")));
    }
    for process in processes.iter().filter(|process| process.kind == "presence") {
        let address = process.health.as_deref().and_then(|address| address.parse().ok());
        if let Some(address) = address
            && child::metric(address, "frontdesk_raft_is_leader").await == Some(1.0)
        {
            return Ok(process);
        }
    }
    Err(UpError::Settings("no voter leads now".into()))
}

fn signal_of(name: SignalName) -> Signal {
    match name {
        SignalName::Term => Signal::TERM,
        SignalName::Int => Signal::INT,
        SignalName::Quit => Signal::QUIT,
        SignalName::Kill => Signal::KILL,
        SignalName::Stop => Signal::STOP,
        SignalName::Cont => Signal::CONT,
    }
}
