//! `frontdesk cluster up`: a whole cluster on this machine, for trying it out and
//! for tests. Redis and PostgreSQL are the machine's own programs, with their
//! files in the cluster's folder; every process of Frontdesk is started again when
//! it ends, as an orchestrator would.

mod announce;
mod child;
mod demo;
mod engines;
mod files;
mod layout;
mod network;
mod partition;
mod roster;
mod signal;

use crate::cli::UpArgs;
use announce::Announcement;
use child::{Child, Spec};
pub(crate) use demo::run as demo;
use files::Files;
use frontdesk_core::ids::InvalidId;
use frontdesk_desk::DeskError;
use frontdesk_store::postgres::{PostgresError, PostgresSettings};
use layout::Layout;
pub(crate) use partition::{cut, heal};
use roster::Roster;
pub(crate) use signal::run as signal;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{Instant, sleep};

/// The longest that a process may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Why the cluster could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{program} is needed: install {package} ({source})")]
    Program { program: &'static str, package: &'static str, source: io::Error },
    #[error("{what} did not start: see {log}")]
    NotReady { what: String, log: String },
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Store(#[from] PostgresError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Runs until SIGINT or SIGTERM.
pub(crate) async fn run(args: &UpArgs) -> Result<(), UpError> {
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    let mut terminate = unix::signal(SignalKind::terminate())?;
    let layout = Layout::plan(args).await?;
    let files = Files::prepare(&args.data, &layout)?;

    let roster = Arc::new(Roster::new(&files.folder));
    let mut children = Vec::new();
    let started = tokio::select! {
        started = start(args, &layout, &files, &roster, &mut children) => started,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    if started.is_ok() {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    stop(children).await;
    if let Some(network) = &layout.network {
        network.remove().await;
    }
    started
}

async fn start(
    args: &UpArgs,
    layout: &Layout,
    files: &Files,
    roster: &Arc<Roster>,
    children: &mut Vec<Child>,
) -> Result<(), UpError> {
    if let Some(network) = &layout.network {
        network.make().await?;
    }
    engines::initialise(files).await?;
    for spec in engines::specs(layout, files) {
        children.push(Child::start(spec, args.restart_delay(), roster.clone())?);
    }
    let desk = engines::desk_store(layout, files, READY_WITHIN).await?;
    let origins = layout.origins();
    let wanted = demo::Wanted {
        site: &demo::NAME.parse()?,
        origins: &origins,
        reset_passwords: args.accounts.reset_passwords,
        extra_agents: args.accounts.extra_agents,
    };
    let (site, accounts) = demo::make(desk, wanted).await?;
    for spec in layout.processes().map(|process| Spec::of_process(process, layout, files)) {
        children.push(Child::start(spec, args.restart_delay(), roster.clone())?);
    }
    for child in children.iter() {
        ready(child).await?;
    }
    Announcement::new(layout, files, &site, &accounts, roster.path()).print(args.accounts.print)?;
    Ok(())
}

/// Waits until a process says that it is ready.
async fn ready(child: &Child) -> Result<(), UpError> {
    let Some(address) = child.health() else { return Ok(()) };
    let give_up = Instant::now() + READY_WITHIN;
    while Instant::now() < give_up {
        if child::is_ready(address).await {
            return Ok(());
        }
        sleep(ASK_EVERY).await;
    }
    Err(UpError::NotReady { what: child.name().to_owned(), log: child.log().display().to_string() })
}

/// In the order that lets each finish: gateways first, engines last.
async fn stop(mut children: Vec<Child>) {
    while let Some(last) = children.pop() {
        // Those of one kind together: a drain waits for others.
        let rank = last.rank();
        let mut together = vec![last];
        while children.last().is_some_and(|child| child.rank() == rank) {
            together.extend(children.pop());
        }
        futures::future::join_all(together.into_iter().map(Child::stop)).await;
    }
}

/// Settings by which this process itself reaches the database.
fn postgres_settings(url: String) -> PostgresSettings {
    PostgresSettings { url, ..PostgresSettings::default() }
}
