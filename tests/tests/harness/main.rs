//! The load-test harness can fail: the real program against a real server, with
//! one thing wrong on purpose in each test, and nothing wrong in others.

mod audit;
mod usage;
mod verdicts;

use frontdesk_client::Address;
use frontdesk_results::{Generator, MOST_STOLEN, RunResult, Verdict};
use frontdesk_tests::binary;
use frontdesk_tests::process::Process;
use frontdesk_tests::server::{Plan, Server};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::RwLock;

/// The longest run of any scenario here, on a machine that has other work.
const RUN: Duration = Duration::from_secs(120);

/// Runs until one is valid, on a machine that has other work.
const MOST_RUNS: u32 = 4;
/// A machine with less idle CPU time than this share has other work.
const BUSY_IDLE: f64 = 0.1;

/// Tests that judge speed have the machine for themselves (write); the others
/// share it (read).
static MACHINE: RwLock<()> = RwLock::const_new(());

/// A server with room for the harness's agents.
async fn server() -> Server {
    Plan::default().extra_agents(2).start().await
}

/// `frontdesk-loadtest` with these arguments.
fn loadtest(arguments: &[&str]) -> Process {
    Process::start(Command::new(binary::loadtest()).args(arguments))
}

/// Runs again while the program says that the machine was not fit for it: such a
/// run says nothing of the server.
fn judged(start: impl Fn() -> Run) -> RunResult {
    for _ in 1..MOST_RUNS {
        let result = start().finish();
        if result.verdict != Verdict::Invalid {
            return result;
        }
        println!("again: {:?}", result.reasons);
    }
    start().finish()
}

/// Panics unless the run ended like this. Only on a machine that had no time to
/// spare may it be invalid instead, and for no other reason.
#[track_caller]
fn ended(result: &RunResult, verdict: Verdict) {
    let Generator { idle, stolen, .. } = result.generator;
    let busy = idle < BUSY_IDLE || stolen > MOST_STOLEN;
    if result.verdict == Verdict::Invalid && busy {
        let others = result.reasons.iter().filter(|reason| reason.verdict != Verdict::Invalid);
        assert!(others.into_iter().all(|r| r.verdict == verdict), "{:?}", result.reasons);
        return println!("never valid: the machine was busy with something else");
    }
    assert_eq!(result.verdict, verdict, "{:?}", result.reasons);
}

/// A run under way, with its files.
struct Run {
    folder: TempDir,
    process: Process,
}

impl Run {
    /// Starts a scenario against this address with the server's accounts.
    fn start(server: &Server, target: &Address, scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("scenario.toml");
        std::fs::write(&path, scenario).expect("a file can be written");
        Self::start_file(server, target, &path, folder)
    }

    fn start_file(server: &Server, target: &Address, scenario: &Path, folder: TempDir) -> Self {
        let accounts = folder.path().join("accounts.json");
        std::fs::write(&accounts, server.announced()).expect("a file can be written");
        let mut command = Command::new(binary::loadtest());
        command.arg("run").arg(scenario).args(["--target", &target.to_string()]);
        command.arg("--accounts").arg(accounts).arg("--json").arg(folder.path().join("out.json"));
        Self { process: Process::start(&mut command), folder }
    }

    /// Waits for its end; gives the result, by which it must have exited.
    fn finish(mut self) -> RunResult {
        let status = self.process.wait_exit(RUN).code().expect("no signal ended it");
        let result = std::fs::read_to_string(self.folder.path().join("out.json"));
        let result = result.unwrap_or_else(|e| {
            panic!("status {status} without a result ({e}):\n{}", self.process.printed())
        });
        let result: RunResult = RunResult::from_json(&result).expect("a result as its schema says");
        assert_eq!(i32::from(result.exit_status), status, "the program exits as it says");
        assert_eq!(result.exit_status, result.verdict.exit_status());
        result
    }
}
