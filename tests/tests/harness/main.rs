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
use frontdesk_tests::load::Load;
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

/// A run under way.
struct Run(Load);

impl Run {
    /// Starts a scenario against this address with the server's accounts.
    fn start(server: &Server, target: &Address, scenario: &str) -> Self {
        Self(Load::start(server.announced(), &[&target.to_string()], scenario))
    }

    /// Starts a scenario of a file, with more arguments.
    fn start_file(
        server: &Server,
        target: &Address,
        scenario: &Path,
        folder: TempDir,
        more: &[&str],
    ) -> Self {
        let target = target.to_string();
        Self(Load::start_file(server.announced(), &[&target], scenario, folder, more, &[]))
    }

    /// Waits for its end; gives the result, by which it must have exited.
    fn finish(self) -> RunResult {
        self.0.finish(RUN)
    }
}
