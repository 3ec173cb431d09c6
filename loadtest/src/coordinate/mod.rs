//! Leads a run: gathers workers, tells them when, makes faults, brings together
//! what they report, reads everything back, and gives the verdict. It makes no
//! load itself.

mod conclude;
mod lead;
mod ledger;
mod readback;
mod sample;
mod team;

pub use team::{Recruit, work_for};

use crate::credentials::{Accounts, CredentialsError};
use crate::drive::RunError;
use crate::plan::Plan;
use crate::protocol::{self, Assignment};
use crate::scenario::Scenario;
use crate::{arithmetic::Needs, cost::Source};
use frontdesk_client::{Address, AskError, TokenError};
use frontdesk_results::RunResult;
use frontdesk_view::{Mode, View};
use std::net::IpAddr;
use std::time::SystemTime;
use uuid::Uuid;

/// What to run, and against what.
#[derive(Debug, Clone)]
pub struct Order {
    /// The scenario.
    pub scenario: Scenario,
    /// Gateways with the accounts that they share: one group, unless several
    /// systems are driven at once.
    pub cells: Vec<(Vec<Address>, String)>,
    /// Where the server's cost is seen.
    pub source: Source,
    /// Processes of the server on this machine, for faults.
    pub server_pids: Vec<u32>,
    /// Workers.
    pub recruit: Recruit,
    /// How progress is shown.
    pub mode: Mode,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CoordinateError {
    /// A worker cannot go on.
    #[error("worker {worker}: {why}")]
    Worker {
        /// Which.
        worker: usize,
        /// In its own words.
        why: String,
    },
    /// Workers did not call.
    #[error("only {have} of {count} workers have called")]
    Missing {
        /// Those that are there.
        have: usize,
        /// Those that are needed.
        count: u32,
    },
    /// No coordinator.
    #[error("coordinator: {0}")]
    Unreachable(String),
    /// This process's own part failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Too few accounts.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Conversations cannot be read back.
    #[error("reading back: {0}")]
    ReadBack(AskError),
    /// Files, sockets or processes.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Somebody wanted it to end.
    #[error("stopped before the end")]
    Stopped,
}

/// Runs a scenario to its result.
pub async fn run(order: Order) -> Result<RunResult, CoordinateError> {
    let plan = Plan::of(&order.scenario);
    let (view, stop) = View::start(picture(&order), order.mode)?;
    let led = lead::lead(&order, &plan, &view, stop).await;
    view.finish();
    led
}

fn picture(order: &Order) -> frontdesk_view::Plan {
    let scenario = &order.scenario;
    let seconds = |s: u32| std::time::Duration::from_secs(s.into());
    frontdesk_view::Plan {
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        model: scenario.model(),
        total: seconds(scenario.seconds()),
        phases: scenario
            .timeline()
            .map(|(from, phase)| frontdesk_view::PlannedPhase {
                name: phase.name.clone(),
                kind: phase.kind,
                from: seconds(from),
                to: seconds(from + phase.seconds),
            })
            .collect(),
        faults: scenario
            .faults
            .iter()
            .map(|fault| frontdesk_view::PlannedFault { name: fault.name.clone(), at: fault.at })
            .collect(),
        targets: order.targets(),
        workers: order.recruit.count(),
    }
}

impl Order {
    /// All gateways.
    fn targets(&self) -> Vec<String> {
        let addresses = self.cells.iter().flat_map(|(addresses, _)| addresses);
        addresses.map(ToString::to_string).collect()
    }

    fn assignment(&self, run: u32, sources: &[IpAddr], index: u32) -> Assignment {
        let cells = self.cells.iter().map(|(addresses, accounts)| protocol::Cell {
            gateways: addresses.iter().map(gateway).collect(),
            accounts: accounts.clone(),
        });
        Assignment {
            scenario: self.scenario.text.clone(),
            seed: self.scenario.seed,
            run,
            index,
            workers: self.recruit.count(),
            cells: cells.collect(),
            sources: sources.iter().map(ToString::to_string).collect(),
        }
    }

    /// Addresses of the loopback network to connect from, when one has too few
    /// ports; elsewhere the system chooses.
    fn sources(&self, plan: &Plan) -> Vec<IpAddr> {
        let gateways = self.cells.iter().map(|(addresses, _)| addresses.len()).sum();
        let needed = Needs::of(&self.scenario, plan, gateways).sources;
        let here = self.cells.iter().all(|(addresses, _)| {
            addresses.iter().all(|a| a.is_loopback() && !a.authority().starts_with('['))
        });
        if needed <= 1 || !here {
            return Vec::new();
        }
        // 127.0.1.1 and so on: a network of its own, 250 in each.
        (0..needed)
            .map(|n| IpAddr::from([127, 0, 1 + (n / 250) as u8, 1 + (n % 250) as u8]))
            .collect()
    }

    fn read_cells(&self) -> Result<Vec<readback::Cell>, CoordinateError> {
        let cells = self.cells.iter().map(|(addresses, accounts)| {
            Ok(readback::Cell {
                addresses: addresses.clone(),
                accounts: Accounts::parse(accounts)?,
            })
        });
        cells.collect()
    }
}

fn gateway(address: &Address) -> protocol::Gateway {
    protocol::Gateway {
        address: address.to_string(),
        tls_name: address.name().map(ToString::to_string).unwrap_or_default(),
    }
}

/// A run's id: new for every run.
fn run_id() -> u32 {
    // The random part of a version 7 UUID.
    Uuid::now_v7().as_u64_pair().1 as u32
}

fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
