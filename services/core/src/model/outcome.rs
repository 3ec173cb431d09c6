//! What a run came to, and how it looks queue by queue.

use crate::conversation::Unserved;
use crate::ids::QueueId;
use crate::time::Millis;
use std::collections::BTreeMap;

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// It waits still.
    #[default]
    Waits,
    /// An agent had it.
    Served(Served),
    /// It went before one had.
    GaveUp {
        /// After how long.
        after: Millis,
    },
    /// Its queue ended it.
    TurnedAway {
        /// Why.
        why: Unserved,
        /// After how long.
        after: Millis,
    },
}

/// That one was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// After how long.
    pub wait: Millis,
    /// By the how manieth agent.
    pub agent: usize,
    /// Whether that one had what the queue ideally asks for.
    pub skilled: bool,
}

impl Fate {
    /// How it was served, if it was.
    pub fn served(&self) -> Option<Served> {
        match self {
            Self::Served(served) => Some(*served),
            Self::Waits | Self::GaveUp { .. } | Self::TurnedAway { .. } => None,
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// What became of each arrival, in their order.
    pub fates: Vec<Fate>,
    /// Waits after being handed on, and where.
    pub again: Vec<(QueueId, Millis)>,
    /// Times that one was handed on.
    pub handed_on: u64,
    /// The time for which each agent's slots were taken by chats, in slot-milliseconds.
    pub taken: Vec<u64>,
    /// The same by queue.
    pub taken_for: BTreeMap<QueueId, u64>,
}

impl Ran {
    pub(super) fn nothing(arrivals: usize, staff: usize) -> Self {
        Self { fates: vec![Fate::Waits; arrivals], taken: vec![0; staff], ..Self::default() }
    }

    pub(super) fn took(&mut self, agent: usize, queue: &QueueId, time: Millis, slots: u32) {
        let slots = time.get() * u64::from(slots);
        if let Some(taken) = self.taken.get_mut(agent) {
            *taken += slots;
        }
        *self.taken_for.entry(queue.clone()).or_default() += slots;
    }
}

/// How those fared who came to a queue; as figures define it, by the clock on the wall.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Those who came.
    pub arrivals: u64,
    /// Of these, those whom an agent had.
    pub served: u64,
    /// Those who went before.
    pub gave_up: u64,
    /// Those whom the queue ended.
    pub turned_away: u64,
    /// Waits of the served, the shortest first.
    pub waits: Vec<Millis>,
    /// Served within the target.
    pub in_target: u64,
    /// Those to be served within it.
    pub of_target: u64,
    /// Slot-milliseconds that agents had for this queue.
    pub taken: u64,
}

impl Line {
    /// Adds those of another queue.
    pub fn add(&mut self, other: &Self) {
        self.arrivals += other.arrivals;
        self.served += other.served;
        self.gave_up += other.gave_up;
        self.turned_away += other.turned_away;
        self.waits.extend(&other.waits);
        self.waits.sort_unstable();
        self.in_target += other.in_target;
        self.of_target += other.of_target;
        self.taken += other.taken;
    }

    /// The wait that so many per cent of the served do not exceed (the nearest rank).
    pub fn wait(&self, percent: usize) -> Option<Millis> {
        let rank = (self.waits.len() * percent).div_ceil(100).max(1);
        self.waits.get(rank - 1).copied()
    }

    /// Share of those to be served in time that were.
    pub fn service_level(&self) -> Option<f64> {
        (self.of_target > 0).then(|| self.in_target as f64 / self.of_target as f64)
    }

    fn note(&mut self, fate: &Fate, target: Option<Millis>) {
        self.arrivals += 1;
        let late = |after: Millis| u64::from(target.is_some_and(|target| after > target));
        match *fate {
            Fate::Waits => {}
            Fate::Served(Served { wait, .. }) => {
                self.served += 1;
                self.waits.push(wait);
                self.of_target += u64::from(target.is_some());
                self.in_target += u64::from(target.is_some_and(|target| wait <= target));
            }
            Fate::GaveUp { after } => {
                self.gave_up += 1;
                self.of_target += late(after);
            }
            Fate::TurnedAway { why, .. } => {
                self.turned_away += 1;
                let counts = target.is_some() && why != Unserved::OutOfHours;
                self.of_target += u64::from(counts);
            }
        }
    }
}

/// How it looks by the queue that each came to.
pub fn lines<'q>(
    came_to: impl IntoIterator<Item = &'q QueueId>,
    ran: &Ran,
    target: impl Fn(&QueueId) -> Option<Millis>,
) -> BTreeMap<QueueId, Line> {
    let mut lines: BTreeMap<QueueId, Line> = BTreeMap::new();
    for (queue, fate) in came_to.into_iter().zip(&ran.fates) {
        lines.entry(queue.clone()).or_default().note(fate, target(queue));
    }
    for (queue, taken) in &ran.taken_for {
        lines.entry(queue.clone()).or_default().taken += taken;
    }
    lines.values_mut().for_each(|line| line.waits.sort_unstable());
    lines
}
