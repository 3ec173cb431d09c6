//! A server process: started, asked where it listens, stopped by its id.

use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Hashing the passwords of many accounts takes its time on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// What went wrong with a process.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be run.
    #[error("cannot start {0}: {1}")]
    Start(PathBuf, io::Error),
    /// It has ended, or says nothing.
    #[error("{0} did not say within {READY_WITHIN:?} that it is ready")]
    NotReady(&'static str),
    /// What it says is not understood.
    #[error("{0} said something unexpected: {1}")]
    Unexpected(&'static str, serde_json::Error),
    /// It cannot be waited for.
    #[error("{0}: {1}")]
    Wait(&'static str, io::Error),
}

/// A running part of a server. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    id: u32,
    /// Kept open: a process must not fail when it prints something.
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a program; what it says about errors goes where ours goes.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self, ProcessError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let program = PathBuf::from(command.as_std().get_program());
        let mut child = command.spawn().map_err(|e| ProcessError::Start(program, e))?;
        let stdout = child.stdout.take().expect("standard output is piped");
        let id = child.id().expect("it has not been waited for");
        Ok(Self { name, child, id, lines: BufReader::new(stdout).lines() })
    }

    /// What it is for.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The first line of its output, which says that it is ready.
    pub(crate) async fn ready(&mut self) -> Result<String, ProcessError> {
        match tokio::time::timeout(READY_WITHIN, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Err(error)) => Err(ProcessError::Wait(self.name, error)),
            Ok(Ok(None)) | Err(_) => Err(ProcessError::NotReady(self.name)),
        }
    }

    /// Ends it, gently first.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus, ProcessError> {
        if let Some(pid) = i32::try_from(self.id).ok().and_then(Pid::from_raw) {
            // It may have ended by itself: the wait tells.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = match tokio::time::timeout(STOP_WITHIN, self.child.wait()).await {
            Ok(ended) => ended,
            Err(_) => match self.child.kill().await {
                Ok(()) => self.child.wait().await,
                Err(error) => Err(error),
            },
        };
        ended.map_err(|e| ProcessError::Wait(self.name, e))
    }
}
