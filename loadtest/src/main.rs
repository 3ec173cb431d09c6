//! `frontdesk-loadtest`: runs a scenario against a Frontdesk and gives a verdict.
//! Exit status: 0 passed, 1 usage, 4 audit violation, 5 invalid generator.

use clap::{Args, Parser, Subcommand};
use frontdesk_loadtest::credentials::Accounts;
use frontdesk_loadtest::drive::{self, Target};
use frontdesk_loadtest::report::Verdict;
use frontdesk_loadtest::scenario::Scenario;
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "frontdesk-loadtest", version, about = "Load-tests a Frontdesk and audits it")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario.
    Run(RunArgs),
    /// Check a scenario without running it.
    Check {
        /// The scenario (TOML).
        scenario: PathBuf,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The scenario (TOML).
    scenario: PathBuf,
    /// Address of a gateway; may be given several times.
    #[arg(long = "target", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    targets: Vec<String>,
    /// Who may sign in: the line that `frontdesk dev --print json` prints.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// Server process on this machine whose cost is measured; may be given several times.
    #[arg(long = "server-pid", value_name = "PID")]
    server_pids: Vec<u32>,
    /// Write the result as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Allow targets that are not on this machine.
    #[arg(long)]
    allow_remote: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Printing help or a usage error can only fail with the terminal gone.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("frontdesk-loadtest: {error}");
            ExitCode::from(1)
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Check { scenario } => {
            println!("{:#?}", Scenario::read(&scenario)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(args) => {
            let scenario = Scenario::read(&args.scenario)?;
            for url in args.targets.iter().filter(|_| !args.allow_remote) {
                check_local(url)?;
            }
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(run(scenario, args))
        }
    }
}

async fn run(scenario: Scenario, args: RunArgs) -> Result<ExitCode, Box<dyn Error>> {
    let target = Target {
        urls: args.targets,
        accounts: Accounts::read(&args.accounts)?,
        server_pids: args.server_pids,
    };
    if let Some(report) = drive::run_chats(&scenario, &target).await? {
        report.print();
        return finish(&report, report.verdict, args.json.as_deref());
    }
    if let Some(report) = drive::run_idle(&scenario, &target).await? {
        report.print();
        return finish(&report, report.verdict, args.json.as_deref());
    }
    Err("the scenario has no load".into())
}

fn finish(
    report: &impl Serialize,
    verdict: Verdict,
    json: Option<&Path>,
) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_vec_pretty(report)?)?;
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

/// Load goes to this machine unless somebody says otherwise in so many words.
fn check_local(url: &str) -> Result<(), Box<dyn Error>> {
    let uri: http::Uri = url.parse()?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let local = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if local {
        Ok(())
    } else {
        Err(format!("{url} is not on this machine; --allow-remote permits it").into())
    }
}
