//! `frontdesk-rivals`: prints what a message costs Frontdesk and its rivals.

use clap::Parser;
use frontdesk_loadtest::cost;
use frontdesk_rivals::compare::{self, Turn};
use frontdesk_rivals::drive::Load;
use frontdesk_rivals::label;
use frontdesk_rivals::report::{self, Report};
use frontdesk_rivals::statistics::Spread;
use frontdesk_rivals::systems::{Places, RedisAdapter, System, SystemError};
use frontdesk_rivals::versions::{self, Missing};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{SignalKind, signal};

/// A message was lost, disordered, damaged or not acknowledged; the same code as
/// the load-test harness has for it.
const FAULTY: u8 = 4;
/// Synced writes of which the median is told.
const SYNCED_WRITES: usize = 100;
/// The most chats that an agent of `frontdesk dev --extra-agents` carries.
const MOST_CHATS: i64 = 50;
/// What has not come by then after a run is lost.
const ARRIVE_WITHIN: Duration = Duration::from_secs(15);

/// Measures Frontdesk, Socket.IO and a bare relay with one generator.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Systems to measure, in this order.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [
        System::Relay, System::SocketIo, System::SocketIoRedis, System::Frontdesk,
        System::FrontdeskCluster,
    ])]
    systems: Vec<System>,
    /// Runs of each system.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that count in each run.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Seconds before them that do not.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=600))]
    warm_up: u64,
    /// Pairs of a visitor and an agent.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pairs: u32,
    /// Pairs of one agent, who has them all on one connection.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=MOST_CHATS))]
    chats: u32,
    /// Messages of each side of a pair that are on their way or unacknowledged.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    window: u32,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128,
        value_parser = clap::value_parser!(u16).range(label::MIN_BYTES as i64..=512))]
    bytes: u16,
    /// How Socket.IO's nodes talk through Redis.
    #[arg(long, value_enum, default_value_t = RedisAdapter::Classic)]
    redis_adapter: RedisAdapter,
    /// Folder of the Node.js server.
    #[arg(long, default_value = "loadtest/rivals/node")]
    node: PathBuf,
    /// Folder for rivals.json and rivals.md.
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Missing(#[from] Missing),
    #[error(transparent)]
    System(#[from] SystemError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("stopped")]
    Stopped,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version are no error, but come this way.
            let usage = error.use_stderr();
            return match error.print() {
                Ok(()) if !usage => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            };
        }
    };
    // Whatever is running ends with the future that started it.
    let compared = tokio::select! {
        compared = compared(&arguments) => compared,
        () = stopped() => Err(Failure::Stopped),
    };
    match compared {
        Ok(report) if report.is_faultless() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAULTY),
        Err(failure) => {
            eprintln!("frontdesk-rivals: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn compared(arguments: &Arguments) -> Result<Report, Failure> {
    let binaries = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    let Arguments { systems, redis_adapter, .. } = arguments;
    let (node, redis_adapter) = (arguments.node.clone(), *redis_adapter);
    let places = Places { binaries, node, redis_adapter };
    let versions = versions::needed(systems, &places)?;
    let load = load(arguments);
    let environment = cost::environment(true);
    let synced_write_us = synced_write_us(&places.binaries)?;
    let started_at_unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());

    let turns = compare::run(systems, arguments.rounds, &places, &load, tell).await?;
    let rows = report::rows(systems, &turns, environment.cores);
    let schema = report::SCHEMA;
    let report = Report {
        schema,
        started_at_unix,
        environment,
        synced_write_us,
        versions,
        load,
        redis_adapter,
        rows,
        turns,
    };
    println!("\n{}", report.markdown());
    if let Some(folder) = &arguments.results {
        write(folder, &report)?;
    }
    Ok(report)
}

fn load(arguments: &Arguments) -> Load {
    Load {
        pairs: arguments.pairs,
        agents: arguments.pairs.div_ceil(arguments.chats) as usize,
        window: arguments.window,
        bytes: arguments.bytes.into(),
        warm_up: Duration::from_secs(arguments.warm_up),
        counted: Duration::from_secs(arguments.seconds),
        arrive_within: ARRIVE_WITHIN,
    }
}

/// One line for a run that has ended.
fn tell(turn: &Turn) {
    let outcome = &turn.run.outcome;
    eprintln!(
        "round {}  {:<34}  {:>7.1} µs/message  {:>7.0} messages/s  {:>4.2} + {:.2} cores  \
         stolen {:.1} %{}",
        turn.round,
        turn.system.title(),
        turn.cost_us(),
        turn.rate(),
        turn.server_cores(),
        turn.generator_cores(),
        outcome.machine.stolen * 100.0,
        if outcome.faults.total() > 0 {
            format!("  FAULTS {:?}", outcome.faults)
        } else {
            String::new()
        },
    );
}

/// The median time of a 4 KiB write with fdatasync in a folder, µs.
fn synced_write_us(folder: &Path) -> io::Result<f64> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..SYNCED_WRITES {
        let begun = Instant::now();
        file.write_all(&[0x5a; 4_096])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Spread::of(times).map_or(0.0, |spread| spread.median))
}

fn write(folder: &Path, report: &Report) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("rivals.json"), serde_json::to_vec_pretty(report)?)?;
    Ok(fs::write(folder.join("rivals.md"), report.markdown())?)
}

/// Somebody asks this program to end.
async fn stopped() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        Some(()) = terminated.recv() => {}
        Ok(()) = tokio::signal::ctrl_c() => {}
    }
}
