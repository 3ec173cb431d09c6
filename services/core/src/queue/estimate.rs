//! How long one who waits will wait, from how long chats were measured to take, at this
//! time of the week most of all.

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

/// How long one will wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// On average.
    pub mean: Millis,
    /// Nine in ten are meant to wait no longer.
    pub upper: Millis,
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
        let upper = (expected * root.powi(3)).max(expected);
        Some(Estimate { mean: Millis::new(expected as u64), upper: Millis::new(upper as u64) })
    }
}

fn hour_of_week(at: Timestamp) -> u64 {
    at.as_millis() / HOUR % HOURS_OF_WEEK
}
