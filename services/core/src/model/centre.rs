//! What a centre consists of, and what comes to it.

use super::outcome::Ran;
use super::run::Run;
use crate::hours::Hours;
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::matching::{self, Request, Rules, Seat};
use crate::presence::AgentProfile;
use crate::queue::Limits;
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// One who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When; in any order.
    pub at: Timestamp,
    /// Where to.
    pub queue: QueueId,
    /// How long it takes an agent who has the skills the queue ideally asks for, and no
    /// other chat meanwhile.
    pub handling: Millis,
    /// After how long of waiting it gives up; `None`: never.
    pub patience: Option<Millis>,
    /// Where it is handed on to after that, and how long it takes there.
    pub then: Vec<Leg>,
}

/// A part of a conversation, with one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where it waits for that one.
    pub queue: QueueId,
    /// How long it takes.
    pub handling: Millis,
}

/// How a queue works.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Head start in minutes of waiting.
    pub priority_minutes: u32,
    /// Slots that one takes.
    pub weight: u32,
    /// How long the slots stay taken afterwards.
    pub wrap_up: Millis,
    /// How an agent is found.
    pub rules: Arc<Rules>,
    /// When it is open; always without.
    pub hours: Option<Arc<Hours>>,
    /// How many may wait and how long.
    pub limits: Limits,
}

impl Queue {
    /// One that takes everything as it comes.
    pub fn plain(rules: Rules) -> Self {
        Self {
            priority_minutes: 0,
            weight: 1,
            wrap_up: Millis::ZERO,
            rules: Arc::new(rules),
            hours: None,
            limits: Limits::default(),
        }
    }

    /// Whether some may not be served here.
    pub(super) fn is_limited(&self) -> bool {
        self.hours.is_some() || !self.limits.is_none()
    }
}

/// One agent.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Capacity, queues and skills.
    pub profile: AgentProfile,
    /// When it is there; outside of these it takes nothing new.
    pub shifts: Vec<(Timestamp, Timestamp)>,
}

/// How long a chat takes an agent who has several at once, by how many: in hundredths of
/// what it takes alone. Past the last it is as long as at the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace(Vec<u32>);

impl Pace {
    /// From one at once on; none: others do not matter. Never shorter than with fewer.
    pub fn new(percents: &[u32]) -> Self {
        let mut longest = 100;
        let rising = percents.iter().map(|percent| {
            longest = longest.max(*percent);
            longest
        });
        Self(rising.collect())
    }

    /// How much of the work of one chat is done in a time in which an agent has so many.
    pub fn speed(&self, at_once: usize) -> f64 {
        let last = self.0.len().checked_sub(1);
        let percent = last.map_or(100, |last| self.0[at_once.saturating_sub(1).min(last)]);
        100.0 / f64::from(percent)
    }
}

/// How agents are found for those who wait.
pub trait Choice {
    /// Whom to ask for what, and when time alone may change that. Asks no agent for more
    /// than its free slots.
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        now: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>);

    /// A conversation is over, that agent has had so long for it.
    fn ended(&mut self, _queue: &QueueId, _at: Timestamp, _handled: Millis) {}
}

/// That of routing.
pub struct Ours;

impl Choice for Ours {
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        now: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>) {
        let decision = matching::decide(waiting, seats, now);
        let pairs = decision.assignments.iter().map(|a| (a.conversation, a.agent));
        (pairs.collect(), decision.due)
    }
}

/// A centre.
#[derive(Debug, Clone)]
pub struct Centre {
    /// By name.
    pub queues: HashMap<QueueId, Queue>,
    /// In an order that means nothing.
    pub staff: Vec<Staff>,
    /// In hundredths, how long an agent takes who lacks a skill that the queue ideally
    /// asks for.
    pub unskilled_percent: u32,
    /// After how long such an agent hands it on instead, if it was not handed on for that
    /// before.
    pub hands_on_after: Option<Millis>,
    /// What several at once cost.
    pub pace: Pace,
}

impl Centre {
    /// Runs through arrivals, until the last of them has been served or has given up.
    /// Those to a queue that there is not are not served.
    pub fn run(&self, arrivals: &[Arrival], choice: &mut dyn Choice) -> Ran {
        Run::new(self, arrivals).through(choice)
    }
}
