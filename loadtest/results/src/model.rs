//! The result of a run, as it is written to JSON and read again.

use crate::Latency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the JSON calls itself; raised when a reader of the old form would err.
pub const SCHEMA: &str = "frontdesk-loadtest/result/v1";

/// Everything a run came to.
///
/// Times are seconds since the run's begin unless their name says otherwise.
/// `counters` and `latencies` hold only the counted part (see [`Counted`]):
///
/// | counter | meaning |
/// |---|---|
/// | `sent` | messages sent for the first time |
/// | `acknowledged` | messages the server called durable |
/// | `delivered` | received by the other party, once |
/// | `started`, `assigned`, `closed` | conversations |
/// | `rated`, `transferred`, `attachments`, `typing`, `read` | what else was done |
/// | `deferred` | errors that were retried by themselves |
/// | `refused` | requests refused for good |
/// | `unsent` | due but never sent: too many were unanswered |
/// | `connected`, `reconnects` | connections opened, of which after the first |
///
/// | latency | from → to |
/// |---|---|
/// | `ack` | intended time of a message → its acknowledgement |
/// | `receipt` | intended time of a message → received by the last party |
/// | `service` | actual sending of a message → its acknowledgement |
/// | `late` | intended time → actual sending |
/// | `start` | intended arrival of a visitor → its conversation is durable |
/// | `assign` | intended arrival of a visitor → an agent has the conversation |
/// | `connect` | begin of connecting → Welcome |
/// | `watched` | intended time of a message → received by a supervisor who watches |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the harness.
    pub version: String,
    /// Id of the run: 8 hexadecimal digits, as in every payload.
    pub run: String,
    /// What was run.
    pub scenario: ScenarioInfo,
    /// RFC 3339.
    pub started_at: String,
    /// Gateways.
    pub targets: Vec<String>,
    /// Processes that made the load.
    pub workers: u32,
    /// Where the generator ran.
    pub environment: Environment,
    /// The worst of `reasons`, or passed.
    pub verdict: Verdict,
    /// As the program exits.
    pub exit_status: u8,
    /// Why the verdict is not "passed"; empty when it is.
    pub reasons: Vec<Reason>,
    /// The part that counts.
    pub counted: Counted,
    /// Totals of the counted part.
    pub counters: BTreeMap<String, u64>,
    /// Distributions of the counted part.
    pub latencies: BTreeMap<String, Latency>,
    /// The phases in order, warm-up included.
    pub phases: Vec<PhaseResult>,
    /// Second by second, over the whole run.
    pub series: Series,
    /// Faults in order of time.
    pub faults: Vec<FaultResult>,
    /// What the audit found.
    pub audit: Audit,
    /// What the generator knows of itself.
    pub generator: Generator,
    /// What the server cost, when it could be seen.
    pub server: Option<ServerCost>,
    /// The scenario's thresholds with what was measured.
    pub thresholds: Vec<ThresholdResult>,
}

/// Which scenario it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Name.
    pub name: String,
    /// A sentence about it; may be empty.
    pub description: String,
    /// Hexadecimal digest of everything that shapes the load (not of name,
    /// description and thresholds): equal digests are comparable runs.
    pub digest: String,
    /// Chooses the schedule.
    pub seed: u64,
    /// Open or closed.
    pub model: Model,
    /// What the run is for.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To measure: a generator or machine that was not fit makes it worthless.
    #[default]
    Figures,
    /// To see whether things work, on any machine: the audit and the thresholds
    /// decide, the figures claim nothing.
    Function,
}

/// Who decides when work comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// A schedule that is fixed before the run.
    Open,
    /// The server: new work comes when old work is done. Its latencies are not
    /// what a user would see.
    Closed,
}

/// Where the generator ran: results of other machines do not compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Model of the CPU.
    pub cpu: String,
    /// CPUs.
    pub cores: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Whether the server ran on this machine.
    pub with_server: bool,
}

/// How a run ended, from good to worthless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Passed,
    /// Worse than the baseline, beyond its noise.
    Regressed,
    /// A threshold was missed.
    Failed,
    /// The generator or the machine was not fit: the figures mean nothing.
    Invalid,
    /// A promise was broken, whatever the figures.
    Violated,
}

impl Verdict {
    /// The exit status that stands for it.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 2,
            Self::Regressed => 3,
            Self::Violated => 4,
            Self::Invalid => 5,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Regressed => "regressed",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Violated => "violated",
        })
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it makes of the run.
    pub verdict: Verdict,
    /// In words.
    pub text: String,
}

/// The part of a run that counts: behind the warm-up, before the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Its begin.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
}

/// What a phase does with the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// From one level to another.
    Ramp,
    /// One level.
    Steady,
    /// Up to a peak and down again.
    Spike,
    /// One level, for long.
    Soak,
    /// Connections are cut all at once and come back.
    Storm,
    /// Connections come and go all the time.
    Churn,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseResult {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: PhaseKind,
    /// Not counted.
    pub warm_up: bool,
    /// Begin.
    pub from_s: f64,
    /// End.
    pub to_s: f64,
    /// As in [`RunResult`].
    pub counters: BTreeMap<String, u64>,
    /// As in [`RunResult`].
    pub latencies: BTreeMap<String, Latency>,
}

/// Columns of one value a second; `None` where nothing was measured.
///
/// Columns: every counter of [`RunResult`] as `NAME_per_s`; the latencies `ack`
/// and `receipt` of what ended in that second as `NAME_p50_ms`, `NAME_p99_ms`,
/// `NAME_max_ms`; `connections`, `conversations` and `waiting` (not yet
/// assigned) at its end; `server_cores`, `server_mib`, `generator_cores` and
/// `stolen` (0–1).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// End of each interval.
    pub at_s: Vec<f64>,
    /// Name → values, as many as `at_s`.
    pub columns: BTreeMap<String, Vec<Option<f64>>>,
}

/// A fault that was made on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultResult {
    /// Name.
    pub name: String,
    /// What was run.
    pub command: String,
    /// When.
    pub at_s: f64,
    /// How long the command took.
    pub took_s: f64,
    /// Its exit status; `None` when a signal or the deadline ended it.
    pub exit_status: Option<i32>,
    /// From the fault until messages were delivered again as before; `None`
    /// when they were not before the end.
    pub recovery_s: Option<f64>,
    /// The most reconnects in one second after it.
    pub reconnect_peak_per_s: u64,
}

/// How a promise can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// Acknowledged, but not received or not read back.
    Lost,
    /// Received or stored more than once.
    Duplicated,
    /// Behind a later message of the same sender, though nothing was repeated.
    Reordered,
    /// Never sent in this run, or damaged.
    Phantom,
    /// In another conversation.
    Misrouted,
    /// An event whose `prev` is not the event before it.
    Gap,
    /// Read back under another `seq` than was acknowledged.
    Contradicted,
    /// A conversation with two assigned agents at once.
    TwoAgents,
    /// An agent with more conversations than its capacity.
    OverCapacity,
    /// An internal event that reached a visitor.
    Leaked,
}

/// One broken promise, with ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    /// Which.
    pub violation: Violation,
    /// The conversation (UUID), or the agent's for an agent's offence.
    pub conversation: String,
    /// `visitor` or `agent`, where a message is concerned.
    pub sender: Option<String>,
    /// Number of the message among its sender's in this conversation, from 1.
    pub number: Option<u32>,
    /// `seq` of the event, when known.
    pub seq: Option<u32>,
    /// The rest in words: who noticed it, and when.
    pub detail: String,
}

/// What the audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Audit {
    /// How often each; absent when never.
    pub violations: BTreeMap<Violation, u64>,
    /// The first ones, at most a hundred.
    pub offences: Vec<Offence>,
    /// Conversations that were read back whole.
    pub conversations_read: u64,
    /// Messages in them.
    pub messages_read: u64,
    /// Acknowledged messages that were reconciled with them.
    pub messages_acknowledged: u64,
}

/// What the generator knows of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// How late its tasks ran when they were to wake.
    pub lag: Latency,
    /// CPUs it used.
    pub cores: f64,
    /// Share of the machine's CPU time in which nobody worked, 0–1.
    pub idle: f64,
    /// Share that the host took away, 0–1.
    pub stolen: f64,
}

/// What the server cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerCost {
    /// Where the figures are from: `process` (the kernel) or `metrics` (scraped).
    pub source: String,
    /// CPU time of all its processes in the counted part, seconds.
    pub cpu_s: f64,
    /// The same per delivered message, microseconds.
    pub cpu_us_per_message: Option<f64>,
    /// Resident memory at the end, MiB.
    pub resident_mib: f64,
    /// Resident bytes that one more connection costs: the slope of a line fitted
    /// through `points`; `None` when connections hardly changed.
    pub bytes_per_connection: Option<f64>,
    /// What the line was fitted through.
    pub points: Vec<SlopePoint>,
}

/// Connections and memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SlopePoint {
    /// Connections that were open.
    pub connections: u64,
    /// Resident bytes of all server processes.
    pub resident_bytes: u64,
}

/// A threshold with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// As the scenario has it: `receipt.p99 < 50ms`.
    pub threshold: String,
    /// What was measured, in the threshold's unit; `None` when it was not.
    pub measured: Option<f64>,
    /// Whether it held. What was not measured did not.
    pub held: bool,
}
