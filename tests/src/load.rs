//! A run of the load-test harness, whose audit is what most whole-process tests
//! rest on: the real program, its result as it writes it.

use crate::binary;
use crate::process::Process;
use frontdesk_results::RunResult;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A run under way, with its files.
pub struct Load {
    folder: TempDir,
    process: Process,
}

impl Load {
    /// Starts a scenario given as text. `accounts` is what the server announced.
    pub fn start(accounts: &str, targets: &[&str], scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("scenario.toml");
        std::fs::write(&path, scenario).expect("a file can be written");
        Self::start_file(accounts, targets, &path, folder, &[], &[])
    }

    /// Starts a scenario of a file, with more arguments and variables.
    pub fn start_file(
        accounts: &str,
        targets: &[&str],
        scenario: &Path,
        folder: TempDir,
        more: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let file = folder.path().join("accounts.json");
        std::fs::write(&file, accounts).expect("a file can be written");
        let mut command = Command::new(binary::loadtest());
        command.arg("run").arg(scenario);
        for target in targets {
            command.args(["--target", target]);
        }
        command.arg("--accounts").arg(file).arg("--json").arg(folder.path().join("out.json"));
        command.args(more).envs(variables.iter().copied());
        Self { process: Process::start(&mut command), folder }
    }

    /// The program that runs it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits for its end; gives the result, by which it must have exited.
    pub fn finish(mut self, within: Duration) -> RunResult {
        let status = self.process.wait_exit(within).code().expect("no signal ended it");
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
