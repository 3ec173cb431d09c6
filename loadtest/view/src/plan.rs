//! What is known of a run before it begins, and what comes second by second.

use frontdesk_results::{Model, PhaseKind};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is going to happen. Times count from the begin of the load.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the scenario.
    pub scenario: String,
    /// A sentence about it; may be empty.
    pub description: String,
    /// Open or closed.
    pub model: Model,
    /// When the load ends.
    pub total: Duration,
    /// In order of time.
    pub phases: Vec<PlannedPhase>,
    /// In order of time.
    pub faults: Vec<PlannedFault>,
    /// Gateways.
    pub targets: Vec<String>,
    /// Processes that make the load.
    pub workers: u32,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPhase {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: PhaseKind,
    /// Begin.
    pub from: Duration,
    /// End.
    pub to: Duration,
}

/// Something that will be broken on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// Name.
    pub name: String,
    /// When.
    pub at: Duration,
}

/// One second of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Its end.
    pub at: Duration,
    /// Values by the names of [`frontdesk_results::Series`]; what was not measured
    /// is absent.
    pub columns: BTreeMap<String, f64>,
    /// Broken promises since the begin of the run.
    pub violations: u64,
    /// The first of them, in words, once there is one.
    pub first_offence: Option<String>,
    /// What happened in this second and is worth a line: a fault, a late worker.
    pub notes: Vec<String>,
}

impl Plan {
    /// The phase at a time, with its number from 0; none behind the end.
    pub(crate) fn phase_at(&self, at: Duration) -> Option<(usize, &PlannedPhase)> {
        self.phases.iter().enumerate().find(|(_, phase)| phase.from <= at && at < phase.to)
    }

    /// The fault that comes next.
    pub(crate) fn next_fault(&self, at: Duration) -> Option<&PlannedFault> {
        self.faults.iter().find(|fault| fault.at >= at)
    }
}
