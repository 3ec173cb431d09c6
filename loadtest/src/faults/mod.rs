//! Faults as steps of a scenario: a shell command at a time, that breaks
//! something on purpose, and what it did to the delivery of messages. The command
//! is the scenario's and may do anything its user may; this module only sees to it
//! that it ends in time and that what it said is kept.

mod output;
mod recovery;

pub use recovery::{Recovery, Unmeasured, peak_per_s, recovery};

use frontdesk_results::FaultResult;
use output::Output;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fmt;
use std::io::{self, PipeWriter};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// Longest that what a command printed is waited for when the command has ended
/// and something it left behind still holds its output open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Something that is broken on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name, as in the result.
    pub name: String,
    /// When, from the begin of the run.
    pub at: Duration,
    /// For `sh -c`, with the environment of [`Surroundings`].
    pub command: String,
    /// Longest that it may take; it is killed then, with all it has started.
    pub deadline: Duration,
}

/// What a command may know of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Processes of the server, in the order in which they were named:
    /// `LOADTEST_SERVER_PIDS`, and the first as `LOADTEST_SERVER_PID`.
    pub server_pids: Vec<u32>,
    /// Addresses of its gateways: `LOADTEST_TARGETS`.
    pub targets: Vec<String>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit status.
    Exited(i32),
    /// By this signal, from somebody else.
    Signalled(i32),
    /// By the deadline.
    Overdue,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("done"),
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Signalled(signal) => write!(f, "ended by signal {signal}"),
            Self::Overdue => f.write_str("killed at its deadline"),
        }
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        // A process that has ended did one of the two.
        match status.code() {
            Some(code) => Self::Exited(code),
            None => Self::Signalled(status.signal().unwrap_or_default()),
        }
    }
}

/// A fault that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// How long the command took.
    pub took: Duration,
    /// How it ended.
    pub end: End,
    /// The first 4 KiB of what it printed, to either output.
    pub output: String,
}

impl Made {
    /// Whether the command did what it was to do. What is measured after one that
    /// did not says nothing about the fault.
    pub fn succeeded(&self) -> bool {
        self.end == End::Exited(0)
    }
}

impl Fault {
    /// Makes the fault now. Fails only when no shell can be started; a command that
    /// fails is a [`Made`] that says so. When this future is dropped, the command
    /// and all it has started are killed.
    ///
    /// What a command that ended by itself left in the background lives on, so that
    /// it may start a server again; such a process should print elsewhere.
    pub async fn make(&self, surroundings: &Surroundings) -> io::Result<Made> {
        let (mut output, writer) = Output::pipe()?;
        let began = Instant::now();
        let mut group = Group::start(&self.command, surroundings, writer)?;
        let ended = timeout(self.deadline, async {
            let read = output.read_to_end();
            tokio::pin!(read);
            // Output is read all the while, or the command would wait for us.
            tokio::select! {
                status = group.wait() => status,
                () = &mut read => group.wait().await,
            }
        });
        let end = match ended.await {
            Ok(status) => End::from(status?),
            Err(_) => {
                group.kill();
                group.wait().await?;
                End::Overdue
            }
        };
        let took = began.elapsed();
        // Whoever still holds the output open may keep it.
        let _ = timeout(LAST_WORDS, output.read_to_end()).await;
        Ok(Made { took, end, output: output.into_text() })
    }

    /// The fault as the result shows it.
    pub fn result(
        &self,
        made: &Made,
        recovery: Recovery,
        reconnect_peak_per_s: u64,
    ) -> FaultResult {
        FaultResult {
            name: self.name.clone(),
            command: self.command.clone(),
            at_s: self.at.as_secs_f64(),
            took_s: made.took.as_secs_f64(),
            exit_status: match made.end {
                End::Exited(status) => Some(status),
                End::Signalled(_) | End::Overdue => None,
            },
            recovery_s: recovery.seconds(),
            reconnect_peak_per_s,
        }
    }
}

/// A shell with all it has started, in a process group of its own.
#[derive(Debug)]
struct Group {
    shell: Child,
    /// Until the shell has been waited for: its id may be another's after that.
    id: Option<Pid>,
}

impl Group {
    fn start(command: &str, known: &Surroundings, output: PipeWriter) -> io::Result<Self> {
        let pids: Vec<String> = known.server_pids.iter().map(u32::to_string).collect();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .env("LOADTEST_SERVER_PIDS", pids.join(" "))
            .env("LOADTEST_TARGETS", known.targets.join(" "))
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        match pids.first() {
            Some(first) => shell.env("LOADTEST_SERVER_PID", first),
            None => shell.env_remove("LOADTEST_SERVER_PID"),
        };
        let shell = shell.spawn()?;
        let id = shell.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { shell, id })
    }

    /// Until the shell has ended; what it started may go on.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.shell.wait().await?;
        self.id = None;
        Ok(status)
    }

    fn kill(&mut self) {
        if let Some(id) = self.id {
            // It can only fail because nobody is left.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests;
