//! What all people of one worker share.

use super::metronome::Metronome;
use super::recorder::{Counter, Recorder, Timer};
use crate::audit::{Dossier, Findings};
use crate::credentials::Accounts;
use crate::plan::Plan;
use crate::protocol::{self, FromWorker, from_worker::Message};
use crate::scenario::Scenario;
use frontdesk_client::Address;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Notes for people that are kept between two ticks.
const MAX_NOTES: usize = 20;

/// What everybody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Agents and supervisors come.
    Assembling,
    /// The run.
    Running,
    /// Nothing new is said; what is under way arrives.
    Draining,
    /// Conversations are closed, everybody leaves.
    Over,
}

/// Gateways that share accounts.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) addresses: Vec<Address>,
    pub(super) accounts: Accounts,
}

/// Which part of the run is this worker's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) index: u32,
    pub(super) workers: u32,
}

impl Share {
    /// Whether the n-th of something is this worker's.
    pub(super) fn has(self, n: u32) -> bool {
        n % self.workers == self.index
    }
}

/// What is there now, and sums since the begin.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) connections: AtomicU64,
    pub(super) conversations: AtomicU64,
    pub(super) waiting: AtomicU64,
    pub(super) sent: AtomicU64,
    /// Messages with a final answer, good or bad.
    pub(super) answered: AtomicU64,
    pub(super) delivered: AtomicU64,
}

pub(super) struct Common {
    pub(super) scenario: Scenario,
    pub(super) plan: Plan,
    pub(super) run: u32,
    pub(super) share: Share,
    pub(super) cells: Vec<Cell>,
    pub(super) sources: Vec<IpAddr>,
    pub(super) metronome: Metronome,
    pub(super) recorder: Recorder,
    pub(super) gauges: Gauges,
    pub(super) findings: Mutex<Findings>,
    pub(super) notes: Mutex<Vec<String>>,
    pub(super) began: OnceLock<Instant>,
    pub(super) reports: mpsc::Sender<FromWorker>,
    /// Conversations for supervisors to watch: id and number.
    pub(super) to_watch: mpsc::Sender<(String, u32)>,
}

impl Common {
    /// Since the run's begin; zero before it.
    pub(super) fn since(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// A time of the plan.
    pub(super) fn at(&self, since: Duration) -> Instant {
        self.began.get().map_or_else(Instant::now, |began| *began + since)
    }

    pub(super) fn count(&self, shard: u32, counter: Counter) {
        let sum = match counter {
            Counter::Sent => Some(&self.gauges.sent),
            Counter::Acknowledged => Some(&self.gauges.answered),
            Counter::Delivered => Some(&self.gauges.delivered),
            _ => None,
        };
        if let Some(sum) = sum {
            sum.fetch_add(1, Ordering::Relaxed);
        }
        self.recorder.count(shard, counter, self.since());
    }

    pub(super) fn time(&self, shard: u32, timer: Timer, intended: Duration) {
        let taken = self.since().saturating_sub(intended);
        self.recorder.time(shard, timer, intended, taken);
    }

    /// Notes what the audit has found.
    pub(super) fn found(&self, findings: Findings) {
        if findings.total() > 0 {
            self.findings.lock().unwrap_or_else(PoisonError::into_inner).merge(findings);
        }
    }

    /// Tells people something, unless too much is told already.
    pub(super) fn tell(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MAX_NOTES && !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// A connection is gone: worth telling unless it was cut by the plan.
    pub(super) fn lost(&self, why: &str) {
        if !why.ends_with("on purpose") {
            self.tell(format!("a connection was lost: {why}"));
        }
    }

    /// Hands one end of a conversation to the audit.
    pub(super) async fn file(&self, dossier: Dossier) {
        let message = Message::Dossier(protocol::Dossier::from(dossier));
        // The coordinator is gone: so is whoever would want to know.
        let _ = self.reports.send(FromWorker { message: Some(message) }).await;
    }
}

/// Up by one while it lives.
pub(super) struct Held<'a>(&'a AtomicU64);

impl<'a> Held<'a> {
    pub(super) fn new(gauge: &'a AtomicU64) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
