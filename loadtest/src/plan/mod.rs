//! What is meant to happen when: computed from scenario and seed before the
//! run, so that a slow server cannot slow its own test. Every process of a run
//! computes the same plan and takes its share of it.

mod level;
mod random;
mod schedule;
mod script;

pub use random::Dice;
pub use schedule::Schedule;
pub use script::{Ending, Line, Script};

use crate::scenario::{Arrivals, Level, Pace, Phase, Scenario};
use level::{arrivals, joins};
use std::time::Duration;

/// When one of a population comes and goes, since the run's begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Comes.
    pub from: Duration,
    /// Goes, at the latest.
    pub to: Duration,
}

/// A moment at which many connections are cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// When.
    pub at: Duration,
    /// Share of the connections, 0–1.
    pub share: f64,
}

/// A time in which connections come and go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Churn {
    /// Its begin and end.
    pub stay: Stay,
    /// Mean life of a connection.
    pub mean: Duration,
}

/// The whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its length.
    pub length: Duration,
    /// Conversations that arrive, in order of time; the place is the number.
    pub arrivals: Vec<Duration>,
    /// Places of the population. With scripted talk a place starts one
    /// conversation after the other.
    pub places: Vec<Stay>,
    /// Visitors who are connected and say nothing.
    pub idle: Vec<Stay>,
    /// Storms.
    pub cuts: Vec<Cut>,
    /// Churns.
    pub churns: Vec<Churn>,
}

impl Plan {
    /// Computes the plan of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let load = &scenario.load;
        let levels = |of: fn(&Phase) -> Level| -> Vec<(Phase, Level)> {
            scenario.phases.iter().map(|phase| (phase.clone(), of(phase))).collect()
        };
        Self {
            length: Duration::from_secs(scenario.seconds().into()),
            arrivals: arrivals(&levels(|p| p.arrivals), load.arrivals, scenario.seed),
            places: joins(&levels(|p| p.population), load.joins_per_second),
            idle: joins(&levels(|p| p.idle), load.joins_per_second),
            cuts: scenario.timeline().filter_map(cut).collect(),
            churns: scenario.timeline().filter_map(churn).collect(),
        }
    }

    /// What is said in a conversation, and when after its begin.
    pub fn script(scenario: &Scenario, number: u32) -> Script {
        Script::of(&scenario.load.talk, Dice::of(scenario.seed, "script", number))
    }

    /// The schedule of one side of a conversation that talks at a rate.
    pub fn schedule(
        scenario: &Scenario,
        number: u32,
        side: crate::payload::Side,
    ) -> Option<Schedule> {
        let Pace::Rate { per_second, arrivals } = scenario.load.talk.pace else { return None };
        let lane = Dice::of(scenario.seed, side.name(), number);
        // Each side sends half of the messages; in equal intervals they take turns.
        let mean = Duration::from_secs_f64(2.0 / per_second);
        let shift = if side == crate::payload::Side::Agent { 0.5 } else { 0.0 };
        Some(Schedule::new(arrivals, mean, shift, lane))
    }

    /// Conversations that are there at once, at most: for arithmetic, with an
    /// estimate of how long scripted ones take.
    pub fn conversations_at_once(&self, scenario: &Scenario) -> usize {
        let length = scenario.load.talk.expected_seconds();
        let mut from = 0;
        let arriving = (0..self.arrivals.len()).map(|n| {
            let begin = self.arrivals[n].saturating_sub(Duration::from_secs_f64(length));
            from += self.arrivals[from..].iter().take_while(|at| **at < begin).count();
            n + 1 - from
        });
        self.places.len() + arriving.max().unwrap_or(0)
    }
}

fn stay((from, phase): (u32, &Phase)) -> Stay {
    let from = Duration::from_secs(from.into());
    Stay { from, to: from + Duration::from_secs(phase.seconds.into()) }
}

fn cut(place: (u32, &Phase)) -> Option<Cut> {
    (place.1.cut > 0.0).then(|| Cut { at: stay(place).from, share: place.1.cut })
}

fn churn(place: (u32, &Phase)) -> Option<Churn> {
    let mean = Duration::from_secs_f64(place.1.connection_seconds?);
    Some(Churn { stay: stay(place), mean })
}

/// Evenly or as people come.
fn gap(arrivals: Arrivals, mean: Duration, dice: &mut Dice) -> Duration {
    match arrivals {
        Arrivals::Even => mean,
        Arrivals::Poisson => mean.mul_f64(dice.exponential()),
    }
}
