//! The `frontdesk` binary: settings, wiring, stop order, and the commands for
//! the terminal. Everything else lives in the role crates.

mod chat;
mod cli;
mod ctl;
mod dev;
mod link;
mod settings;
mod signin;

use clap::Parser as _;
use cli::{Cli, Command};
use std::process::ExitCode;

/// A sixth of the CPU per message went to the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad usage or settings, as for most commands of the system.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
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
        Command::Config(args) => match settings::load(&args) {
            Err(error) => fail("settings", &error, EXIT_USAGE),
            Ok(settings) => report("config", settings::print(&settings)),
        },
        Command::Chat(args) => report("chat", chat::run(args).await),
        Command::Ctl(args) => report("ctl", ctl::run(args).await),
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
