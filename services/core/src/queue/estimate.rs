//! How long one who waits will wait, from how long chats were measured to take.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// Share of the newest measurement in the mean: the last ten or so chats count.
const NEWEST_SHARE: f64 = 0.2;
/// A chat left open over night says nothing about the next one.
const LONGEST_COUNTED: Millis = Millis::from_mins(240);

/// Mean time from assignment to close, the newest counting most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Handling {
    mean_millis: Option<f64>,
}

/// Room of the agents who serve a queue and are online, in chats of its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slots {
    /// All of them.
    pub online: u32,
    /// Those not taken.
    pub free: u32,
}

impl Handling {
    /// Takes a finished chat into account.
    pub fn measure(&mut self, handled: Millis) {
        let newest = handled.min(LONGEST_COUNTED).get() as f64;
        self.mean_millis = Some(match self.mean_millis {
            None => newest,
            Some(mean) => mean + NEWEST_SHARE * (newest - mean),
        });
    }

    /// The mean; `None` while nothing has been measured.
    pub fn mean(&self) -> Option<Millis> {
        self.mean_millis.map(|mean| Millis::new(mean.max(0.0) as u64))
    }

    /// How long the one at `position` (1 is next) will wait: a slot falls free
    /// every mean ÷ slots. Agents who serve several queues count for each, so it
    /// errs on the short side while the others are busy. `None` while nothing
    /// has been measured or nobody is there.
    pub fn estimate(&self, position: u32, slots: Slots) -> Option<Millis> {
        let mean = self.mean()?.get();
        if slots.online == 0 {
            return None;
        }
        let behind = u64::from(position.saturating_sub(slots.free));
        Some(Millis::new(mean.saturating_mul(behind) / u64::from(slots.online)))
    }
}
