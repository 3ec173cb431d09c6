//! A worker: carries its share of a run's people, and reports second by second.
//! It decides nothing about the run; the coordinator tells it when to begin, to
//! fall silent and to end.

mod agenda;
mod agent;
mod common;
mod crew;
mod crowd;
mod cuts;
mod idle;
mod lane;
mod metronome;
mod person;
mod probe;
mod recorder;
mod supervisor;
mod ticker;
mod visitor;

pub use recorder::{Bucket, Counter, Timer};

use crate::credentials::{Accounts, CredentialsError};
use crate::plan::Plan;
use crate::protocol::{
    Assignment, Finished, FromWorker, Gateway, Ready, ToWorker, from_worker, to_worker::Message,
};
use crate::scenario::{Scenario, ScenarioError};
use common::{Cell, Common, Gauges, Share, Stage};
use crowd::Crowd;
use frontdesk_client::{Address, AddressError, AskError, SessionError, TokenError};
use metronome::Metronome;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Conversations that wait for a supervisor; more are not watched.
const TO_WATCH: usize = 1_024;

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Too few accounts.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A gateway's address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A connection has ended for good.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something that a run needs was refused.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A measurement failed.
    #[error("measuring: {0}")]
    Measure(#[from] std::io::Error),
    /// A task of this program died.
    #[error("a task of the generator died: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The other side of the protocol did what it must not.
    #[error("coordinator and worker disagree: {0}")]
    Protocol(&'static str),
}

/// Carries one share of a run. Reports through `reports` and follows `orders`
/// until both have ended.
pub async fn work(
    mut orders: mpsc::Receiver<ToWorker>,
    reports: mpsc::Sender<FromWorker>,
) -> Result<(), RunError> {
    let Some(Message::Assignment(assignment)) = next(&mut orders).await else {
        return Err(RunError::Protocol("no assignment"));
    };
    let (to_watch, watched) = mpsc::channel(TO_WATCH);
    let common = Arc::new(common(assignment, reports.clone(), to_watch)?);
    let (stage, told) = watch::channel(Stage::Assembling);
    let mut crowd = Crowd::assemble(common.clone(), told, watched).await?;
    send(&reports, from_worker::Message::Ready(Ready {})).await;

    let Some(Message::Begin(begin)) = next(&mut orders).await else {
        return Err(RunError::Protocol("no begin"));
    };
    let begin = to_instant(begin.at_us);
    tokio::time::sleep_until(begin).await;
    // Set once, here.
    let _ = common.began.set(begin);
    // The crowd holds a receiver: telling a stage cannot fail.
    let _ = stage.send(Stage::Running);
    let ticker = ticker::start(common.clone());
    let over = async {
        loop {
            match next(&mut orders).await {
                Some(Message::Drain(_)) => _ = stage.send(Stage::Draining),
                Some(Message::End(_)) => return Ok(()),
                Some(_) => return Err(RunError::Protocol("an order out of turn")),
                None => return Err(RunError::Protocol("the coordinator is gone")),
            }
        }
    };
    crowd.run_until(over).await?;
    let _ = stage.send(Stage::Over);
    crowd.leave().await?;
    ticker.finish().await?;
    send(&reports, from_worker::Message::Finished(Finished {})).await;
    Ok(())
}

async fn next(orders: &mut mpsc::Receiver<ToWorker>) -> Option<Message> {
    orders.recv().await?.message
}

async fn send(reports: &mpsc::Sender<FromWorker>, message: from_worker::Message) {
    // The coordinator is gone: the next order will tell.
    let _ = reports.send(FromWorker { message: Some(message) }).await;
}

fn common(
    assignment: Assignment,
    reports: mpsc::Sender<FromWorker>,
    to_watch: mpsc::Sender<(String, u32)>,
) -> Result<Common, RunError> {
    let mut scenario = Scenario::parse("scenario", &assignment.scenario)?;
    scenario.seed = assignment.seed;
    let cells = assignment.cells.iter().map(|cell| {
        let addresses = cell.gateways.iter().map(address);
        Ok(Cell {
            addresses: addresses.collect::<Result<_, AddressError>>()?,
            accounts: Accounts::parse(&cell.accounts)?,
        })
    });
    let cells: Vec<Cell> = cells.collect::<Result<_, RunError>>()?;
    if cells.iter().any(|cell| cell.addresses.is_empty()) || cells.is_empty() {
        return Err(RunError::Protocol("no gateways"));
    }
    let sources = assignment.sources.iter().filter_map(|text| text.parse().ok()).collect();
    Ok(Common {
        plan: Plan::of(&scenario),
        scenario,
        run: assignment.run,
        share: Share { index: assignment.index, workers: assignment.workers.max(1) },
        cells,
        sources,
        metronome: Metronome::start()?,
        recorder: recorder::Recorder::default(),
        gauges: Gauges::default(),
        findings: Default::default(),
        notes: Default::default(),
        began: OnceLock::new(),
        reports,
        to_watch,
    })
}

fn address(gateway: &Gateway) -> Result<Address, AddressError> {
    let address: Address = gateway.address.parse()?;
    match &*gateway.tls_name {
        "" => Ok(address),
        name => address.named(name.parse()?),
    }
}

/// A time of the wall clock on this process's clock.
fn to_instant(micros: u64) -> Instant {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
    let now = Instant::now();
    match at.duration_since(SystemTime::now()) {
        Ok(ahead) => now + ahead,
        Err(behind) => now.checked_sub(behind.duration()).unwrap_or(now),
    }
}
