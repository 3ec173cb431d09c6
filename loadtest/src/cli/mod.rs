//! The command line: what can be asked for, and what is printed.

mod run;

use clap::{Args, Parser, Subcommand};
use frontdesk_client::{Address, TlsName};
use frontdesk_loadtest::arithmetic::Needs;
use frontdesk_loadtest::coordinate;
use frontdesk_loadtest::plan::Plan;
use frontdesk_loadtest::scenario::Scenario;
use frontdesk_results::{Baseline, Comparison, Machines, Model, RunResult, Verdict, compare};
use std::error::Error;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Failure = Box<dyn Error>;

/// The program's arguments.
#[derive(Debug, Parser)]
#[command(
    name = "frontdesk-loadtest",
    version,
    about = "Load-tests a Frontdesk over its public protocol, audits every message, and gives a verdict",
    after_help = "Exit status: 0 passed, 1 usage or not run, 2 threshold missed, 3 regression \
                  against a baseline, 4 audit violation, 5 invalid generator."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario
    Run(Box<RunArgs>),
    /// Check a scenario without running it, and print what it needs
    Check(CheckArgs),
    /// Print a result again; writes RESULT.html unless told what else to write
    Report(ReportArgs),
    /// Learn a baseline, with its noise, from three runs or more
    Baseline(BaselineArgs),
    /// Compare a result with a baseline
    Compare(CompareArgs),
    /// Print the JSON Schema of results
    Schema,
    /// Work for a coordinator; `run` starts these by itself
    Worker {
        /// Where the coordinator listens
        #[arg(long, value_name = "URL")]
        coordinator: String,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The scenario (TOML)
    scenario: PathBuf,
    /// Address of a gateway; may be given several times
    #[arg(long = "target", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    targets: Vec<Address>,
    /// What the targets' certificates are for, when that is not the host dialled; they are
    /// called by it, too
    #[arg(long, value_name = "NAME")]
    tls_name: Option<TlsName>,
    /// A target whose name has several addresses is as many gateways, one at each
    #[arg(long)]
    each_address: bool,
    /// Who may sign in: what `frontdesk dev --print json` prints. One file for all targets,
    /// or one for each target when they are systems of their own
    #[arg(long, value_name = "FILE", required = true)]
    accounts: Vec<PathBuf>,
    /// Server process on this machine whose cost is measured; may be given several times
    #[arg(long = "server-pid", value_name = "PID", conflicts_with = "server_metrics")]
    server_pids: Vec<u32>,
    /// The server's metrics page (http://HOST:PORT/metrics); may be given several times
    #[arg(long = "server-metrics", value_name = "URL")]
    server_metrics: Vec<String>,
    /// Worker processes; as many as the scenario needs by default
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// Wait for workers to call here instead of starting them
    #[arg(long, value_name = "ADDRESS", requires = "workers")]
    listen: Option<SocketAddr>,
    /// Another seed than the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Allow targets that are not on this machine
    #[arg(long)]
    allow_remote: bool,
    /// Progress as lines, even on a terminal
    #[arg(long)]
    plain: bool,
    /// Compare with this baseline; a regression is exit status 3
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Allow a baseline of another machine
    #[arg(long, requires = "baseline")]
    any_machine: bool,
    #[command(flatten)]
    outputs: Outputs,
}

/// Where results go.
#[derive(Debug, Args)]
struct Outputs {
    /// Write the result as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report that opens in any browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the course of time as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The scenario (TOML)
    scenario: PathBuf,
    /// Gateways it would be run against
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    gateways: u32,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// The result (JSON)
    result: PathBuf,
    #[command(flatten)]
    outputs: Outputs,
}

#[derive(Debug, Args)]
struct BaselineArgs {
    /// Results of the same scenario on the same machine (JSON)
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct CompareArgs {
    /// The baseline (JSON)
    base: PathBuf,
    /// The result (JSON)
    new: PathBuf,
    /// Allow a baseline of another machine
    #[arg(long)]
    any_machine: bool,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Run(args) => run::run(*args),
            Command::Check(args) => check(&args),
            Command::Report(args) => report(&args),
            Command::Baseline(args) => baseline(&args),
            Command::Compare(args) => compare_files(&args),
            Command::Schema => {
                print(frontdesk_results::RESULT_JSON_SCHEMA)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Worker { coordinator } => {
                run::runtime()?.block_on(coordinate::work_for(coordinator))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let scenario = Scenario::read(&args.scenario)?;
    let plan = Plan::of(&scenario);
    let model = match scenario.model() {
        Model::Open => "open model",
        Model::Closed => "closed model: the server decides when work comes",
    };
    let needs = Needs::of(&scenario, &plan, args.gateways as usize);
    let (name, digest, seed) = (&scenario.name, scenario.digest(), scenario.seed);
    print(&format!(
        "scenario       {name} ({model})\ndigest         {digest}, seed {seed}\n{needs}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let result = RunResult::from_json(&read(&args.result)?)?;
    let outputs = &args.outputs;
    let nowhere = [&outputs.json, &outputs.html, &outputs.csv, &outputs.junit];
    print(&frontdesk_results::summary(&result))?;
    if nowhere.iter().all(|path| path.is_none()) {
        let path = args.result.with_extension("html");
        write(&path, &frontdesk_results::html(&result, None))?;
        print(&format!("\n{}\n", path.display()))?;
    }
    outputs.write(&result, None)?;
    Ok(ExitCode::SUCCESS)
}

fn baseline(args: &BaselineArgs) -> Result<ExitCode, Failure> {
    let results = args.results.iter().map(|path| Ok(RunResult::from_json(&read(path)?)?));
    let results: Vec<RunResult> = results.collect::<Result<_, Failure>>()?;
    let baseline = Baseline::learn(&results)?;
    write(&args.out, &baseline.to_json())?;
    print(&format!("{}: a baseline of {} runs\n", args.out.display(), results.len()))?;
    Ok(ExitCode::SUCCESS)
}

fn compare_files(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let result = RunResult::from_json(&read(&args.new)?)?;
    let comparison = compare_with(&args.base, &result, args.any_machine)?;
    print(&format!("{comparison}\n"))?;
    let regressed = Verdict::Regressed.exit_status();
    Ok(if comparison.regressed() { ExitCode::from(regressed) } else { ExitCode::SUCCESS })
}

fn compare_with(base: &Path, result: &RunResult, any_machine: bool) -> Result<Comparison, Failure> {
    let machines = if any_machine { Machines::Any } else { Machines::Same };
    Ok(compare(&Baseline::from_json(&read(base)?)?, result, machines)?)
}

impl Outputs {
    fn write(&self, result: &RunResult, comparison: Option<&Comparison>) -> Result<(), Failure> {
        if let Some(path) = &self.json {
            write(path, &result.to_json())?;
        }
        if let Some(path) = &self.html {
            write(path, &frontdesk_results::html(result, comparison))?;
        }
        if let Some(path) = &self.csv {
            write(path, &frontdesk_results::csv(result))?;
        }
        if let Some(path) = &self.junit {
            write(path, &frontdesk_results::junit(result, comparison))?;
        }
        Ok(())
    }
}

/// Prints; whoever reads only the first lines is no error.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()).into())
}
