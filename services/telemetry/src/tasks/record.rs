//! What is kept of tasks: of each live one, and of those of a name together. Each figure
//! is written by the one thread that runs the task, and read by whoever looks.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The tasks of one name, together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskGroup {
    /// What they are called.
    pub name: &'static str,
    /// Those that have not ended.
    pub alive: usize,
    /// Those that ever began.
    pub started: u64,
    /// Those that ended by a panic.
    pub panicked: u64,
    /// How long the oldest live one has lived.
    pub oldest_seconds: f64,
    /// How often they were run, those included that have ended.
    pub polls: u64,
    /// How long they ran, those included that have ended.
    pub busy_seconds: f64,
    /// The share of its life that the busiest live one ran: near 1 it never rests.
    pub busiest_ratio: f64,
    /// The longest that one ran without giving its thread back.
    pub longest_poll_ms: f64,
    /// The longest that one has been running now; large when it is stuck.
    pub running_for_ms: f64,
}

/// One live task.
#[derive(Debug)]
pub(super) struct Record {
    /// Of its kind; the oldest has the lowest.
    number: u64,
    began: Instant,
    polls: AtomicU64,
    busy_ns: AtomicU64,
    longest_ns: AtomicU64,
    /// Nanoseconds after `began` at which it was run; 0 while it rests.
    running_ns: AtomicU64,
}

impl Record {
    pub(super) fn begins(&self, now: Instant) {
        let since = now.saturating_duration_since(self.began);
        // Never 0, which says that it rests.
        self.running_ns.store(nanos(since).max(1), Relaxed);
    }

    pub(super) fn rests(&self, ran: Duration) {
        let ran = nanos(ran);
        // Only the thread that runs the task writes: no need to add atomically.
        self.polls.store(self.polls.load(Relaxed) + 1, Relaxed);
        self.busy_ns.store(self.busy_ns.load(Relaxed) + ran, Relaxed);
        if ran > self.longest_ns.load(Relaxed) {
            self.longest_ns.store(ran, Relaxed);
        }
        self.running_ns.store(0, Relaxed);
    }

    /// How long it has been running now.
    fn running_for(&self, now: Instant) -> Duration {
        match self.running_ns.load(Relaxed) {
            0 => Duration::ZERO,
            since => self.age(now).saturating_sub(Duration::from_nanos(since)),
        }
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

/// All tasks of one name.
#[derive(Debug)]
pub(super) struct Kind {
    name: &'static str,
    state: Mutex<State>,
    panicked: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Number of the last that began.
    last: u64,
    live: BTreeMap<u64, Arc<Record>>,
    ended: Sums,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    polls: u64,
    busy_ns: u64,
    longest_ns: u64,
}

impl Sums {
    fn add(&mut self, record: &Record) {
        self.polls += record.polls.load(Relaxed);
        self.busy_ns += record.busy_ns.load(Relaxed);
        self.longest_ns = self.longest_ns.max(record.longest_ns.load(Relaxed));
    }
}

impl Kind {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, state: Mutex::default(), panicked: AtomicU64::new(0) }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn begin(&self, began: Instant) -> Arc<Record> {
        let mut state = self.lock();
        state.last += 1;
        let record = Arc::new(Record {
            number: state.last,
            began,
            polls: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            longest_ns: AtomicU64::new(0),
            running_ns: AtomicU64::new(0),
        });
        state.live.insert(record.number, record.clone());
        record
    }

    pub(super) fn end(&self, record: &Record) {
        let mut state = self.lock();
        state.live.remove(&record.number);
        state.ended.add(record);
    }

    pub(super) fn panicked(&self) {
        self.panicked.fetch_add(1, Relaxed);
    }

    pub(super) fn group(&self, now: Instant) -> TaskGroup {
        let state = self.lock();
        let mut sums = state.ended;
        let (mut busiest, mut running) = (0_f64, Duration::ZERO);
        for record in state.live.values() {
            sums.add(record);
            let runs = record.running_for(now);
            let busy = Duration::from_nanos(record.busy_ns.load(Relaxed)) + runs;
            let share = busy.as_secs_f64() / record.age(now).as_secs_f64().max(f64::MIN_POSITIVE);
            (busiest, running) = (busiest.max(share.min(1.0)), running.max(runs));
        }
        let oldest = state.live.first_key_value().map_or(Duration::ZERO, |(_, r)| r.age(now));
        TaskGroup {
            name: self.name,
            alive: state.live.len(),
            started: state.last,
            panicked: self.panicked.load(Relaxed),
            oldest_seconds: rounded(oldest.as_secs_f64()),
            polls: sums.polls,
            busy_seconds: rounded(Duration::from_nanos(sums.busy_ns).as_secs_f64()),
            busiest_ratio: rounded(busiest),
            longest_poll_ms: millis(Duration::from_nanos(sums.longest_ns)),
            running_for_ms: millis(running),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1_000.0)
}

/// To three places: more are noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
