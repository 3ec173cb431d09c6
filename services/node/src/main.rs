//! The `frontdesk` binary: settings, wiring, stop order, and the commands for
//! the terminal. Everything else lives in the role crates.

mod accounts;
mod announce;
mod blobs;
mod chat;
mod cli;
mod cluster;
mod ctl;
mod dev;
mod doctor;
mod files;
mod keys;
mod link;
mod operator;
mod ops;
mod settings;
mod signin;
mod up;

use clap::Parser as _;
use cli::{Cli, ClusterArgs, ClusterCommand, Command, RoleArgs};
use cluster::Role;
use std::process::ExitCode;

/// A sixth of the CPU per message went to the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad usage or settings, as for most commands of the system.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    files::as_many_as_allowed();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail("frontdesk", &error, 1),
    };
    runtime.block_on(run(cli.command))
}

async fn run(command: Command) -> ExitCode {
    match command {
        Command::Dev(args) => match settings::load(&args.settings) {
            Err(error) => fail("settings", &error, EXIT_USAGE),
            Ok(settings) => report("dev", dev::run(settings, &args).await),
        },
        Command::Gateway(args) => role(Role::Gateway, &args).await,
        Command::Sessions(args) => role(Role::Sessions, &args).await,
        Command::Presence(args) => role(Role::Presence, &args).await,
        Command::Routing(args) => role(Role::Routing, &args).await,
        Command::Queueing(args) => role(Role::Queueing, &args).await,
        Command::Desk(args) => role(Role::Desk, &args).await,
        Command::Cluster(ClusterArgs { command: ClusterCommand::Up(args) }) => {
            report("cluster up", up::run(&args).await)
        }
        Command::Cluster(ClusterArgs { command: ClusterCommand::Signal(args) }) => {
            report("cluster signal", up::signal(&args).await)
        }
        Command::Cluster(ClusterArgs { command: ClusterCommand::Cut(args) }) => {
            report("cluster cut", up::cut(&args).await)
        }
        Command::Cluster(ClusterArgs { command: ClusterCommand::Heal(args) }) => {
            report("cluster heal", up::heal(&args).await)
        }
        Command::Cluster(ClusterArgs { command: ClusterCommand::Certificates { folder } }) => {
            report("cluster certificates", cluster::certificates(&folder))
        }
        Command::Cluster(ClusterArgs { command: ClusterCommand::Demo(args) }) => {
            match settings::load(&args.settings) {
                Err(error) => fail("settings", &error, EXIT_USAGE),
                Ok(settings) => report("cluster demo", up::demo(&settings, &args).await),
            }
        }
        Command::Config(args) => match settings::load(&args) {
            Err(error) => fail("settings", &error, EXIT_USAGE),
            Ok(settings) => report("config", settings::print(&settings)),
        },
        Command::Chat(args) => report("chat", chat::run(args).await),
        Command::Ctl(args) => match ctl::run(args).await {
            Err(error) if error.is_usage() => fail("ctl", &error, EXIT_USAGE),
            result => report("ctl", result),
        },
        Command::Metrics => {
            print!("{}", frontdesk_telemetry::catalog::page());
            ExitCode::SUCCESS
        }
        Command::Doctor(args) => report("doctor", doctor::run(&args).await),
    }
}

async fn role(role: Role, args: &RoleArgs) -> ExitCode {
    match settings::load_for_role(args) {
        Err(error) => fail("settings", &error, EXIT_USAGE),
        Ok(settings) => report(role.as_str(), cluster::run(role, settings).await),
    }
}

fn report<E: std::error::Error>(what: &str, result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(what, &error, 1),
    }
}

/// One clear line, then the exit code.
fn fail(what: &str, error: &dyn std::error::Error, code: u8) -> ExitCode {
    let text = error.to_string().replace('\n', " ");
    eprintln!("frontdesk: {what}: {text}");
    ExitCode::from(code)
}
