//! Brings together what workers report: sums, distributions, phases, the course
//! of time, and the audit's cases. Histograms are merged, never averaged.

use crate::audit::{Case, Dossier, Findings};
use crate::drive::{Bucket, Counter, RunError, Timer};
use crate::protocol::Tick;
use crate::scenario::Scenario;
use frontdesk_results::{Latency, Series, latency};
use hdrhistogram::Histogram;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds for which distributions are kept apart: what was meant to happen
/// earlier and ends only now still counts, but no longer shows in the series.
const OPEN_SECONDS: u32 = 120;
/// Different notes that a run shows.
const MAX_TOLD: usize = 200;

/// What a worker said last.
#[derive(Debug, Default, Clone)]
struct Latest {
    connections: u64,
    conversations: u64,
    waiting: u64,
    sent: u64,
    answered: u64,
    delivered: u64,
    cpu_seconds: f64,
}

/// Sums over all workers.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Totals {
    pub(super) connections: u64,
    pub(super) conversations: u64,
    pub(super) waiting: u64,
    pub(super) sent: u64,
    pub(super) answered: u64,
    pub(super) delivered: u64,
    pub(super) cpu_seconds: f64,
}

/// What was measured beside the workers' reports at the end of a second.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Beside {
    pub(super) server_cores: Option<f64>,
    pub(super) server_mib: Option<f64>,
    pub(super) generator_cores: Option<f64>,
    pub(super) stolen: Option<f64>,
}

/// Everything that was reported.
pub(super) struct Ledger {
    scenario: Scenario,
    workers: Vec<Latest>,
    counted: Bucket,
    phases: Vec<Bucket>,
    open: BTreeMap<u32, Bucket>,
    /// Gauges and costs by second.
    rows: BTreeMap<u32, (Totals, Beside)>,
    series: Series,
    lag: Histogram<u64>,
    /// Until everybody leaves at once: that the generator is late then, delays
    /// nothing that is measured.
    pub(super) loading: bool,
    pub(super) cases: BTreeMap<u32, Case>,
    pub(super) findings: Findings,
    notes: Vec<String>,
    /// What has been said once is not said again.
    told: BTreeSet<String>,
}

impl Ledger {
    pub(super) fn new(scenario: Scenario, workers: usize) -> Self {
        Self {
            phases: vec![Bucket::default(); scenario.phases.len()],
            scenario,
            workers: vec![Latest::default(); workers],
            counted: Bucket::default(),
            open: BTreeMap::new(),
            rows: BTreeMap::new(),
            series: Series::default(),
            lag: Latency::recorder(),
            loading: true,
            cases: BTreeMap::new(),
            findings: Findings::default(),
            notes: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// A worker's tick.
    pub(super) fn tick(&mut self, worker: usize, tick: &Tick) -> Result<(), RunError> {
        for second in &tick.seconds {
            let bucket = Bucket::from_wire(second).map_err(|_| UNREADABLE)?;
            self.second(second.second, &bucket);
        }
        if self.loading {
            let lag = latency::from_bytes(&tick.lag).map_err(|_| UNREADABLE)?;
            self.lag.add(lag).expect("histograms that grow take any value");
        }
        for count in &tick.violations {
            let violation = serde_json::from_str(&count.violation).map_err(|_| UNREADABLE)?;
            self.findings.add(violation, count.count);
        }
        for offence in &tick.offences {
            let offence = serde_json::from_str(offence).map_err(|_| UNREADABLE)?;
            self.findings.remember(offence);
        }
        for note in &tick.notes {
            if self.told.len() < MAX_TOLD && self.told.insert(note.clone()) {
                self.notes.push(note.clone());
            }
        }
        if let Some(latest) = self.workers.get_mut(worker) {
            *latest = Latest {
                connections: tick.connections,
                conversations: tick.conversations,
                waiting: tick.waiting,
                sent: tick.sent,
                answered: tick.answered,
                delivered: tick.delivered,
                cpu_seconds: tick.cpu_seconds,
            };
        }
        Ok(())
    }

    fn second(&mut self, second: u32, bucket: &Bucket) {
        let mut from = 0;
        for (phase, into) in self.scenario.phases.iter().zip(&mut self.phases) {
            let to = from + phase.seconds;
            if (from..to).contains(&second) {
                into.merge(bucket);
                if !phase.warm_up {
                    self.counted.merge(bucket);
                }
            }
            from = to;
        }
        self.open.entry(second).or_default().merge(bucket);
    }

    /// One person's end of a conversation.
    pub(super) fn dossier(&mut self, dossier: Dossier) {
        self.cases.entry(dossier.number).or_default().add(dossier);
    }

    /// Sums over the workers' last ticks.
    pub(super) fn totals(&self) -> Totals {
        self.workers.iter().fold(Totals::default(), |sum, of| Totals {
            connections: sum.connections + of.connections,
            conversations: sum.conversations + of.conversations,
            waiting: sum.waiting + of.waiting,
            sent: sum.sent + of.sent,
            answered: sum.answered + of.answered,
            delivered: sum.delivered + of.delivered,
            cpu_seconds: sum.cpu_seconds + of.cpu_seconds,
        })
    }

    /// What people should be told.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Closes a second for the eye: gauges and costs at its end, with what has
    /// been reported of it so far.
    pub(super) fn close(&mut self, second: u32, beside: Beside) -> BTreeMap<String, f64> {
        let totals = self.totals();
        self.rows.insert(second, (totals, beside));
        let columns = self.columns(second);
        let old: Vec<u32> =
            self.rows.keys().copied().take_while(|s| *s + OPEN_SECONDS < second).collect();
        old.into_iter().for_each(|second| self.settle(second));
        columns
    }

    fn columns(&self, second: u32) -> BTreeMap<String, f64> {
        let mut columns = BTreeMap::new();
        if let Some((totals, beside)) = self.rows.get(&second) {
            let measured = [
                ("connections", Some(totals.connections as f64)),
                ("conversations", Some(totals.conversations as f64)),
                ("waiting", Some(totals.waiting as f64)),
                ("server_cores", beside.server_cores),
                ("server_mib", beside.server_mib),
                ("generator_cores", beside.generator_cores),
                ("stolen", beside.stolen),
            ];
            let known = measured.into_iter().filter_map(|(name, value)| Some((name, value?)));
            columns.extend(known.map(|(name, value)| (name.to_owned(), value)));
        }
        let nothing = Bucket::default();
        let bucket = self.open.get(&second).unwrap_or(&nothing);
        for counter in Counter::ALL {
            let name = format!("{}_per_s", counter.name());
            columns.insert(name, bucket.counter(*counter) as f64);
        }
        for timer in [Timer::Ack, Timer::Receipt] {
            let Some(times) = bucket.timer(timer) else { continue };
            for (name, micros) in [
                ("p50", times.value_at_quantile(0.5)),
                ("p99", times.value_at_quantile(0.99)),
                ("max", times.max()),
            ] {
                columns.insert(format!("{}_{name}_ms", timer.name()), micros as f64 / 1e3);
            }
        }
        columns
    }

    /// Moves a second into the series for good.
    fn settle(&mut self, second: u32) {
        let columns = self.columns(second);
        self.rows.remove(&second);
        self.open.retain(|open, _| *open > second);
        let rows = self.series.at_s.len();
        self.series.at_s.push(f64::from(second) + 1.0);
        for (name, value) in columns {
            let column = self.series.columns.entry(name).or_default();
            column.resize(rows, None);
            column.push(Some(value));
        }
        self.series.columns.values_mut().for_each(|column| column.resize(rows + 1, None));
    }

    /// Delivered and reconnected by second, for faults.
    pub(super) fn course(&self, counter: Counter) -> Vec<(f64, u64)> {
        let name = format!("{}_per_s", counter.name());
        let column = self.series.columns.get(&name).into_iter().flatten();
        let settled = self.series.at_s.iter().zip(column);
        settled.map(|(at, value)| (*at, value.unwrap_or(0.0) as u64)).collect()
    }

    /// All that was reported, in its final form.
    pub(super) fn finish(mut self) -> Finished {
        let seconds: Vec<u32> = self.rows.keys().copied().collect();
        seconds.into_iter().for_each(|second| self.settle(second));
        Finished {
            totals: self.totals(),
            delivered: self.course(Counter::Delivered),
            reconnects: self.course(Counter::Reconnects),
            counted: self.counted,
            phases: self.phases,
            series: self.series,
            lag: self.lag,
            findings: self.findings,
            cases: self.cases,
        }
    }
}

const UNREADABLE: RunError = RunError::Protocol("a report cannot be read");

/// A run's figures when it is over.
pub(super) struct Finished {
    pub(super) totals: Totals,
    pub(super) counted: Bucket,
    pub(super) phases: Vec<Bucket>,
    pub(super) series: Series,
    pub(super) delivered: Vec<(f64, u64)>,
    pub(super) reconnects: Vec<(f64, u64)>,
    pub(super) lag: Histogram<u64>,
    pub(super) findings: Findings,
    pub(super) cases: BTreeMap<u32, Case>,
}
