//! What a run does: TOML, checked before anything is started. A mistake is
//! named with its line and the reason.

mod carriers;
mod distribution;
mod read;

pub use carriers::Carriers;
pub use distribution::Distribution;

use crate::faults::Fault;
use frontdesk_results::{Model, PhaseKind, Purpose, Threshold};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// Largest message the protocol takes, in bytes.
pub const MAX_MESSAGE_BYTES: f64 = 32_768.0;

/// What a run does.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name for the report.
    pub name: String,
    /// A sentence for the report.
    pub description: String,
    /// What a run of it is for.
    pub purpose: Purpose,
    /// Chooses the schedule: the same seed does the same at the same times.
    pub seed: u64,
    /// One after the other; at least one of them counts.
    pub phases: Vec<Phase>,
    /// Everything else that shapes the load.
    pub load: Load,
    /// What is broken on purpose, in order of time.
    pub faults: Vec<Fault>,
    /// What fails the run although the audit is content.
    pub thresholds: Vec<Threshold>,
    /// The text it was read from.
    pub text: String,
}

/// Who is there and what they do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// How conversations arrive.
    pub arrivals: Arrivals,
    /// Populations and idle connections are built up no faster than this.
    pub joins_per_second: f64,
    /// Agents, who are online from before the begin to the end.
    pub agents: Agents,
    /// Supervisors, the same.
    pub supervisors: Supervisors,
    /// What happens in a conversation.
    pub talk: Talk,
    /// How visitors are connected.
    pub visitor_carriers: Carriers,
    /// How agents are connected.
    pub agent_carriers: Carriers,
    /// How supervisors are connected.
    pub supervisor_carriers: Carriers,
}

/// Agents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agents {
    /// How many.
    pub count: u32,
    /// How long an offer waits for its agent, in seconds.
    pub accept_seconds: Distribution,
}

/// Supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Supervisors {
    /// How many.
    pub count: u32,
    /// Share of the conversations that one of them follows.
    pub watch: f64,
}

/// A stretch of time with its levels of load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: PhaseKind,
    /// Length in whole seconds.
    pub seconds: u32,
    /// Not counted.
    pub warm_up: bool,
    /// New conversations a second (open model).
    pub arrivals: Level,
    /// Conversations that are there at once (closed model, unless their
    /// messages come at a rate).
    pub population: Level,
    /// Visitors who are connected and say nothing.
    pub idle: Level,
    /// Storm: the share of connections that is cut at the begin.
    pub cut: f64,
    /// Churn: mean life of a connection in seconds.
    pub connection_seconds: Option<f64>,
}

/// A level of load over a phase.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Level {
    /// At the begin.
    pub from: f64,
    /// At the end, or at the peak of a spike.
    pub to: f64,
}

/// What happens in a conversation. Shares are 0–1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Talk {
    /// When messages are sent.
    pub pace: Pace,
    /// Bytes of a message's text; the audit's header is the least.
    pub length_bytes: Distribution,
    /// From the visitor's arrival to the first message of the exchange, by
    /// when an agent should be there.
    pub lead: Duration,
    /// Share of messages that are announced by "typing".
    pub typing: f64,
    /// Share of received messages whose receipt is confirmed.
    pub read: f64,
    /// Share of messages with a file.
    pub attachments: f64,
    /// Share of conversations that are handed back to the queue half-way.
    pub transfers: f64,
    /// Share of conversations that the visitor closes; the agent closes the
    /// others.
    pub visitor_closes: f64,
    /// Share of conversations that are rated.
    pub ratings: f64,
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Pace {
    /// People: a number of messages with pauses, then the end.
    Script {
        /// Messages of both sides together, the visitor's first one included.
        messages: Distribution,
        /// Pause before each, in seconds.
        think_seconds: Distribution,
    },
    /// At fixed times until the run ends.
    Rate {
        /// Messages a second of one conversation, both sides together.
        per_second: f64,
        /// How they are spread.
        arrivals: Arrivals,
    },
    /// As fast as it goes until the run ends: each side keeps as many messages
    /// unacknowledged (closed model).
    Window(u32),
    /// Nothing is said.
    Silent,
}

/// How events of a rate are spread in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// As people come: independent of one another.
    #[default]
    Poisson,
    /// In equal intervals.
    Even,
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It makes no sense.
    #[error("{path}:{line}: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// Line in the file, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

impl Scenario {
    /// Reads and checks a scenario.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: name.clone(), source })?;
        Self::parse(&name, &text)
    }

    /// The same from text; `name` is for the error.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        read::parse(text).map_err(|(line, reason)| ScenarioError::Invalid {
            path: name.to_owned(),
            line,
            reason,
        })
    }

    /// Length of the whole run, warm-up included.
    pub fn seconds(&self) -> u32 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// The phases with their first seconds.
    pub fn timeline(&self) -> impl Iterator<Item = (u32, &Phase)> {
        self.phases.iter().scan(0, |at, phase| {
            let from = *at;
            *at += phase.seconds;
            Some((from, phase))
        })
    }

    /// Whether a second of the run counts.
    pub fn counts(&self, second: u32) -> bool {
        let mut phases = self.timeline();
        phases.any(|(from, p)| !p.warm_up && (from..from + p.seconds).contains(&second))
    }

    /// Open, unless the server decides when work comes.
    pub fn model(&self) -> Model {
        let population = self.phases.iter().any(|p| p.population.most() > 0.0);
        match self.load.talk.pace {
            Pace::Window(_) => Model::Closed,
            Pace::Script { .. } if population => Model::Closed,
            _ => Model::Open,
        }
    }

    /// Whether messages should flow.
    pub fn talks(&self) -> bool {
        self.load.talk.pace != Pace::Silent
            && self.phases.iter().any(|p| p.population.most() > 0.0 || p.arrivals.most() > 0.0)
    }

    /// Digest of all that shapes the load: equal ones are comparable.
    pub fn digest(&self) -> String {
        let faults: Vec<_> = self.faults.iter().map(|f| (&f.name, f.at, &f.command)).collect();
        let shape = (&self.phases, &self.load, self.seed, faults);
        let text = serde_json::to_vec(&shape).expect("plain values are JSON");
        // FNV-1a, 64 bits: it tells scenarios apart, it does not protect them.
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

impl Level {
    /// Always the same.
    pub fn constant(value: f64) -> Self {
        Self { from: value, to: value }
    }

    /// The higher of its ends.
    pub fn most(self) -> f64 {
        self.from.max(self.to)
    }
}
