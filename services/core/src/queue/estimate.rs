//! How long one who waits will wait, from how long chats were measured to take, at this
//! time of the week most of all.

use crate::presence::{AgentStatus, AgentView};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many of the newest chats count, about.
const MEMORY: f64 = 50.0;
/// The queue's mean counts as much as so many chats of the hour: an hour of which little
/// is known is taken to be like the others.
const PRIOR: f64 = 10.0;
/// A chat left open over night says nothing about the next one.
const LONGEST_COUNTED: Millis = Millis::from_mins(240);
/// Of the normal distribution: nine in ten are below.
const Z_90: f64 = 1.281_55;
const HOUR: u64 = 3_600_000;
const HOURS_OF_WEEK: u64 = 7 * 24;

/// Mean time from assignment to close, the newest counting most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Handling {
    all: Mean,
    /// By hour of the week, from Thursday midnight in UTC, as the epoch began.
    by_hour: BTreeMap<u64, Mean>,
    /// Absent in what earlier versions say.
    #[serde(default)]
    stretch: Stretch,
}

/// A mean in the making. In milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    /// How many it is worth; at most `MEMORY`.
    count: f64,
    mean: f64,
    /// Of the squares.
    square: f64,
}

/// Room of the agents who serve a queue and are online, in chats of its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slots {
    /// All of them.
    pub online: u32,
    /// Those not taken.
    pub free: u32,
}

impl Slots {
    /// With those of one agent more.
    pub fn add(&mut self, agent: &AgentView, weight: u32) {
        let weight = weight.max(1);
        if agent.status == AgentStatus::Online && !agent.gateways.is_empty() {
            self.online += agent.profile.capacity / weight;
            self.free += agent.free() / weight;
        }
    }
}

/// How long one will wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// On average.
    pub mean: Millis,
    /// Nine in ten are meant to wait no longer.
    pub upper: Millis,
}

impl Estimate {
    /// It does not end before then.
    pub fn not_before(self, then: Millis) -> Self {
        Self { mean: self.mean.max(then), upper: self.upper.max(then) }
    }

    /// Whichever of the two is over first.
    pub fn or_sooner(self, other: Self) -> Self {
        Self { mean: self.mean.min(other.mean), upper: self.upper.min(other.upper) }
    }
}

/// By how much upper ends are stretched, for as many waits to be within as are meant to:
/// learned from each that turned out. One that passed its end stretches, one that did not
/// shrinks, in the proportion that is wanted of the two; so the share of those that pass
/// comes to what is wanted whatever the waits are like, while no limit is reached (Gibbs
/// and Candes, 2021).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stretch(f64);

impl Default for Stretch {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Stretch {
    /// Share that may pass: less than a tenth, as what is learned lags behind.
    const PASSED: f64 = 0.08;
    /// How much one counts, in the logarithm.
    const STEP: f64 = 0.1;
    const LEAST: f64 = 0.5;
    const MOST: f64 = 8.0;

    fn learn(&mut self, is_passed: bool) {
        let towards = if is_passed { 1.0 - Self::PASSED } else { -Self::PASSED };
        self.0 = (self.0 * (Self::STEP * towards).exp()).clamp(Self::LEAST, Self::MOST);
    }
}

impl Mean {
    fn measure(&mut self, newest: f64) {
        self.count = (self.count + 1.0).min(MEMORY);
        self.mean += (newest - self.mean) / self.count;
        self.square += (newest * newest - self.square) / self.count;
    }
}

impl Handling {
    /// Takes a chat into account that was finished at a moment.
    pub fn measure(&mut self, at: Timestamp, handled: Millis) {
        let newest = handled.min(LONGEST_COUNTED).get() as f64;
        self.all.measure(newest);
        self.by_hour.entry(hour_of_week(at)).or_default().measure(newest);
    }

    /// Takes into account how true an estimate was that somebody was told who has been
    /// served since.
    pub fn proved(&mut self, told: Estimate, waited: Millis) {
        // What says "at once" is not stretched by anything.
        if told.upper > Millis::ZERO {
            self.stretch.learn(waited > told.upper);
        }
    }

    /// The mean for a moment; `None` while nothing has been measured.
    pub fn mean(&self, at: Timestamp) -> Option<Millis> {
        self.mean_millis(at).map(|mean| Millis::new(mean.max(0.0) as u64))
    }

    fn of_hour(&self, at: Timestamp) -> Mean {
        self.by_hour.get(&hour_of_week(at)).copied().unwrap_or_default()
    }

    fn mean_millis(&self, at: Timestamp) -> Option<f64> {
        let hour = self.of_hour(at);
        let weighted = hour.count * hour.mean + PRIOR * self.all.mean;
        (self.all.count > 0.0).then(|| weighted / (hour.count + PRIOR))
    }

    /// Variance by the square of the mean: 1 for an exponential distribution, which is
    /// what is believed of chats while few are known.
    fn spread(&self) -> f64 {
        let Mean { count, mean, square } = self.all;
        let seen = if mean > 0.0 { (square / (mean * mean) - 1.0).max(0.0) } else { 1.0 };
        (count * seen + PRIOR) / (count + PRIOR)
    }

    /// How long it will take until `behind` of the slots have fallen free: one does every
    /// mean ÷ slots. What is not known besides: how long each chat takes, and whether the
    /// mean is true. The sum is taken for gamma-distributed (its quantile by Wilson and
    /// Hilferty, 1931). `None` while nothing has been measured or nobody is there.
    pub fn estimate(&self, behind: f64, slots: Slots, now: Timestamp) -> Option<Estimate> {
        let mean = self.mean_millis(now)?;
        if slots.online == 0 {
            return None;
        }
        let each = mean / f64::from(slots.online);
        let expected = each * behind.max(0.0);
        if expected <= 0.0 {
            return Some(Estimate::default());
        }
        let known = self.all.count + self.of_hour(now).count;
        let spread = self.spread();
        let variance = spread * (behind * each * each + expected * expected / known);
        let shape = expected * expected / variance.max(f64::MIN_POSITIVE);
        let root = 1.0 - 1.0 / (9.0 * shape) + Z_90 / (3.0 * shape.sqrt());
        let upper = (expected * root.powi(3) * self.stretch.0).max(expected);
        Some(Estimate { mean: Millis::new(expected as u64), upper: Millis::new(upper as u64) })
    }
}

fn hour_of_week(at: Timestamp) -> u64 {
    at.as_millis() / HOUR % HOURS_OF_WEEK
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FULL: Slots = Slots { online: 10, free: 0 };

    fn told(handling: &Handling) -> Estimate {
        handling.estimate(5.0, FULL, Timestamp::ZERO).unwrap()
    }

    proptest! {
        /// However the waits are spread and drift, as long as they are not out of all
        /// proportion.
        #[test]
        fn nine_in_ten_are_within(
            factors in prop::collection::vec(0.1..4.0_f64, 1..50), drift in -0.0002..0.0002_f64,
        ) {
            let mut handling = Handling::default();
            for _ in 0..40 {
                handling.measure(Timestamp::ZERO, Millis::from_secs(300));
            }
            let rounds = 3_000_u32;
            let mut passed = 0;
            for (n, factor) in (0..rounds).zip(factors.iter().cycle()) {
                let said = told(&handling);
                let waited = 150_000.0 * factor * (drift * f64::from(n)).exp();
                let waited = Millis::new(waited as u64);
                passed += u32::from(waited > said.upper);
                handling.proved(said, waited);
            }
            prop_assert!(passed <= rounds / 10, "{passed} of {rounds} passed their upper end");
        }
    }

    #[test]
    fn what_nobody_passes_comes_closer_to_the_mean() {
        let mut handling = Handling::default();
        handling.measure(Timestamp::ZERO, Millis::from_secs(60));
        let first = told(&handling);
        for _ in 0..100 {
            handling.proved(told(&handling), Millis::ZERO);
        }
        let last = told(&handling);
        assert_eq!(last.mean, first.mean);
        assert!(last.upper < first.upper && last.upper >= last.mean, "{last:?} {first:?}");
        handling.proved(Estimate::default(), Millis::from_secs(9));
        assert_eq!(told(&handling), last, "who was told nothing proves nothing");
    }
}
