//! The role's metrics. Labels are closed sets: the commands' names, their
//! outcomes, and the agents' statuses.

use ::metrics::{counter, gauge, histogram};
use std::time::Duration;

/// What became of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Done,
    Refused,
    Failed,
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

pub(crate) fn command(name: &'static str, outcome: Outcome, took: Duration) {
    counter!("frontdesk_presence_commands_total", "command" => name, "outcome" => outcome.label())
        .increment(1);
    histogram!("frontdesk_presence_command_seconds", "command" => name).record(took);
}

/// Agents of one status, and the slots taken and there of those online.
pub(crate) fn agents(status: &'static str, count: u64) {
    gauge!("frontdesk_presence_agents", "status" => status).set(count as f64);
}

pub(crate) fn slots(taken: u64, capacity: u64) {
    gauge!("frontdesk_presence_slots_taken").set(taken as f64);
    gauge!("frontdesk_presence_slots_online").set(capacity as f64);
    let occupancy = if capacity == 0 { 0.0 } else { taken as f64 / capacity as f64 };
    gauge!("frontdesk_presence_occupancy_ratio").set(occupancy);
}
