//! The load-test harness can fail: the real program against a real server, with
//! one thing wrong on purpose in each test, and nothing wrong in others.

mod audit;
mod baseline;
mod faults;
mod usage;
mod verdicts;

use frontdesk_client::Address;
use frontdesk_results::{RunResult, Verdict};
use frontdesk_tests::binary;
use frontdesk_tests::process::Process;
use frontdesk_tests::server::{Plan, Server};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The longest run of any scenario here, on a machine that has other work.
const RUN: Duration = Duration::from_secs(120);

/// A server with room for the harness's agents.
async fn server() -> Server {
    Plan::default().extra_agents(2).start().await
}

/// `frontdesk-loadtest` with these arguments.
fn loadtest(arguments: &[&str]) -> Process {
    Process::start(Command::new(binary::loadtest()).args(arguments))
}

/// Panics unless the run ended like this.
#[track_caller]
fn ended(result: &RunResult, verdict: Verdict) {
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
        Self::start_file(server, target, &path, folder, &[])
    }

    /// Starts a scenario of a file, with more arguments.
    fn start_file(
        server: &Server,
        target: &Address,
        scenario: &Path,
        folder: TempDir,
        more: &[&str],
    ) -> Self {
        let accounts = folder.path().join("accounts.json");
        std::fs::write(&accounts, server.announced()).expect("a file can be written");
        let mut command = Command::new(binary::loadtest());
        command.arg("run").arg(scenario).args(["--target", &target.to_string()]);
        command.arg("--accounts").arg(accounts).arg("--json").arg(folder.path().join("out.json"));
        command.args(more);
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
