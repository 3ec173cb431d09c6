//! From a load and a goal to a number of agents.

use super::erlang::{Load, Outcome};

/// Slots past which nobody plans.
const MOST_SLOTS: u32 = 100_000;

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// Share to be served in time, below 1.
    pub service_level: f64,
    /// Within so many seconds.
    pub within: f64,
    /// Share of the slots that may be taken on average; 1: all.
    pub max_occupancy: f64,
    /// Chats of an agent at once.
    pub at_once: u32,
    /// Share of paid time in which an agent is not there, below 1.
    pub shrinkage: f64,
}

/// What it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Agents who are there.
    pub agents: u32,
    /// Agents who are paid for that.
    pub positions: u32,
    /// How the load fares then.
    pub outcome: Outcome,
}

/// What a web site brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Visits a second.
    pub visits: f64,
    /// Share of the visits that look at what may raise a question.
    pub interested: f64,
    /// Share of those that open a chat.
    pub chatting: f64,
}

impl Traffic {
    /// Chats a second.
    pub fn arrivals(&self) -> f64 {
        self.visits * self.interested * self.chatting
    }
}

impl Goal {
    /// The fewest agents that reach it; `None` when no number that anybody has does, or
    /// the figures make no sense.
    pub fn plan(&self, load: &Load) -> Option<Plan> {
        let share = 0.0..1.0;
        let is_sound = share.contains(&self.service_level)
            && share.contains(&self.shrinkage)
            && self.max_occupancy > 0.0
            && self.within >= 0.0
            && self.at_once > 0
            && [load.arrivals, load.handling, load.patience.unwrap_or(1.0)]
                .iter()
                .all(|figure| figure.is_finite() && *figure > 0.0)
            && load.erlangs() < f64::from(MOST_SLOTS);
        if !is_sound {
            return None;
        }
        let fares = |agents: u32| load.on(agents.saturating_mul(self.at_once), self.within);
        let is_reached = |outcome: &Outcome| {
            outcome.in_time >= self.service_level && outcome.occupancy <= self.max_occupancy
        };
        // More agents never serve worse: between one too few and one enough by halves.
        let (mut few, mut enough) = (0, 1);
        while !is_reached(&fares(enough)) {
            if enough >= MOST_SLOTS {
                return None;
            }
            (few, enough) = (enough, enough * 2);
        }
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            if is_reached(&fares(middle)) { enough = middle } else { few = middle }
        }
        let positions = self.positions(enough);
        Some(Plan { agents: enough, positions, outcome: fares(enough) })
    }

    /// Agents who are paid for so many to be there.
    pub(super) fn positions(&self, agents: u32) -> u32 {
        let positions = (f64::from(agents) / (1.0 - self.shrinkage)).ceil();
        // Below 2³² by the limits above, but for a shrinkage near 1.
        positions.min(f64::from(u32::MAX)) as u32
    }
}
