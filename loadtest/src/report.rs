//! What a run came to: figures, a verdict, and both for people and programs.

use crate::audit::Violations;
use crate::cost::Shares;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Percentiles of a latency, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Samples.
    pub count: u64,
    /// Half are below.
    pub p50_us: u64,
    /// 95 % are below.
    pub p95_us: u64,
    /// 99 % are below.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Latency {
    /// Of recorded microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50_us: histogram.value_at_quantile(0.5),
            p95_us: histogram.value_at_quantile(0.95),
            p99_us: histogram.value_at_quantile(0.99),
            max_us: histogram.max(),
        }
    }
}

/// How a run ended, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing to object.
    Passed,
    /// The audit found a violation.
    Violated,
    /// The generator or the machine was not fit: the figures mean nothing.
    Invalid,
}

impl Verdict {
    /// The exit status of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Violated => 4,
            Self::Invalid => 5,
        }
    }
}

/// What a run of conversations came to.
#[derive(Debug, Clone, Serialize)]
pub struct ChatReport {
    /// The scenario.
    pub scenario: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    pub reasons: Vec<String>,
    /// Counted seconds.
    pub seconds: f64,
    /// Messages received by the other party in the counted time.
    pub delivered: u64,
    /// The same, per second.
    pub delivered_per_second: f64,
    /// CPU time of the server's processes per delivered message.
    pub server_cpu_us_per_message: Option<f64>,
    /// Share of one core that the server used.
    pub server_cores: Option<f64>,
    /// From the intended time to the acknowledgement.
    pub acknowledged: Latency,
    /// From the intended time to the receipt by the other party.
    pub received: Latency,
    /// How late the generator was itself.
    pub late: Latency,
    /// What the audit found.
    pub violations: Violations,
    /// Conversations that were read back whole after the run.
    pub read_back: usize,
    /// Errors that the server answered, which were retried.
    pub errors: u64,
    /// The machine meanwhile.
    pub machine: Shares,
}

/// What idle connections came to.
#[derive(Debug, Clone, Serialize)]
pub struct IdleReport {
    /// The scenario.
    pub scenario: String,
    /// How it ended.
    pub verdict: Verdict,
    /// (connections, resident bytes of the server).
    pub steps: Vec<(usize, u64)>,
    /// KiB resident per idle connection: the slope.
    pub kib_per_connection: f64,
    /// KiB more per connection once each has a live conversation.
    pub kib_per_conversation: f64,
    /// Server CPU in the quiet seconds, as a share of one core.
    pub idle_cores: f64,
}

impl ChatReport {
    /// A table for people.
    pub fn print(&self) {
        println!("{:<28}{}", "scenario", self.scenario);
        println!("{:<28}{:?}", "verdict", self.verdict);
        for reason in &self.reasons {
            println!("{:<28}{reason}", "");
        }
        println!("{:<28}{} ({:.0}/s)", "delivered", self.delivered, self.delivered_per_second);
        if let (Some(cpu), Some(cores)) = (self.server_cpu_us_per_message, self.server_cores) {
            println!("{:<28}{cpu:.1} µs ({cores:.2} cores)", "server CPU per message");
        }
        for (name, l) in [
            ("to acknowledgement", self.acknowledged),
            ("to receipt", self.received),
            ("generator late by", self.late),
        ] {
            println!(
                "{name:<28}p50 {} µs, p95 {} µs, p99 {} µs, max {} µs",
                l.p50_us, l.p95_us, l.p99_us, l.max_us
            );
        }
        println!(
            "{:<28}{} conversations read back; {} violations; {} errors retried",
            "audit",
            self.read_back,
            self.violations.total(),
            self.errors
        );
        for example in &self.violations.examples {
            println!("{:<28}{example}", "");
        }
        println!(
            "{:<28}{:.0} % idle, {:.1} % stolen",
            "machine",
            self.machine.idle * 100.0,
            self.machine.stolen * 100.0
        );
    }
}

impl IdleReport {
    /// A table for people.
    pub fn print(&self) {
        println!("{:<28}{}", "scenario", self.scenario);
        for (connections, bytes) in &self.steps {
            println!("{connections:<28}{} KiB resident", bytes / 1_024);
        }
        println!("{:<28}{:.2} KiB", "per idle connection", self.kib_per_connection);
        println!("{:<28}{:.2} KiB", "per live conversation", self.kib_per_conversation);
        println!("{:<28}{:.3} cores", "server while idle", self.idle_cores);
    }
}
