//! Who takes which conversation: one round of decisions over those who wait and
//! the agents as they are known.
//!
//! A round must never give an agent more than its capacity, nor the same
//! conversation twice. It only proposes: presence has the last word on room, the
//! conversation on who is assigned.

mod ability;
#[cfg(test)]
mod any_round;
mod classes;
#[cfg(test)]
mod laws;
mod needed;
mod place;
mod round;
#[cfg(test)]
mod tests;

pub use ability::{Abilities, Able, Wanted, wait_for};

use crate::ids::{AgentId, ConversationId, QueueId};
use crate::language::Language;
use crate::presence::AgentView;
use crate::queue::Entry;
use crate::skill::{Needs, Skills};
use crate::time::{Millis, Timestamp};
use needed::Wish;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which of several suitable agents is asked, after the one a transfer is meant
/// for, the one who had the conversation before, and those who serve the queue
/// before others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The smallest share of capacity taken, then the longest idle.
    #[default]
    LeastLoaded,
    /// The longest without a new chat, then the least loaded.
    LongestIdle,
    /// The best at what the queue ideally asks for, then the least loaded.
    BestProficiency,
    /// In turn: with the fewest open offers, then the longest without a new chat.
    RoundRobin,
}

/// How an agent comes to have a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// It is offered, and the agent accepts.
    #[default]
    Offer,
    /// It is offered and accepted in its name at once.
    Auto,
}

/// That agents have to speak the visitor's language, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageRule {
    /// Once it has waited so long anyone will do; `None`: never.
    #[serde(default)]
    pub relax_after: Option<Millis>,
}

/// How the conversations of a queue find an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// What is required of an agent.
    pub needs: Needs,
    /// Which of those who fulfil it is asked.
    pub policy: Policy,
    /// How long one who comes back waits for the agent of before, when that one is
    /// signed in and has no room.
    pub hold_for_previous: Millis,
    /// Whether its agents have to speak the visitor's language. This and what follows is
    /// absent in what earlier versions say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageRule>,
    /// Most of its conversations that one agent has at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_agent: Option<u32>,
    /// Most of its conversations that all agents have at once. Best effort: counted
    /// from what is known of the agents at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active: Option<u32>,
    /// How an agent comes to have one.
    #[serde(default)]
    pub acceptance: Acceptance,
}

impl Rules {
    /// How many of a queue's conversations its agents could take now, when each takes so
    /// many slots and may be given to any of them.
    pub fn free_slots<'a>(
        &self,
        queue: &QueueId,
        weight: u32,
        agents: impl IntoIterator<Item = &'a AgentView>,
    ) -> u32 {
        let (mut room, mut active) = (0_u32, 0_u32);
        for agent in agents {
            room = room.saturating_add(agent.room_for(queue, weight, self.max_per_agent));
            active = active.saturating_add(place::active(agent, queue));
        }
        self.max_active.map_or(room, |max| room.min(max.saturating_sub(active)))
    }

    /// Whether whoever serves the queue will do for one who waits in it.
    pub fn suits_anyone(&self, entry: &Entry) -> bool {
        Wish::of(self, entry).is_plain()
    }

    /// Whether the conversations that an agent has of the queue are to be counted.
    pub fn counts(&self, queue: &QueueId, agent: &AgentView) -> bool {
        self.max_active.is_some() || agent.cap(queue, self.max_per_agent).is_some()
    }
}

/// A conversation in want of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it waits.
    pub queue: QueueId,
    /// How it waits.
    pub entry: Entry,
    /// Not before this are agents asked again who declined or did not answer.
    pub ask_again_at: Option<Timestamp>,
    /// What its queue says.
    pub rules: Arc<Rules>,
}

/// An agent as it may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// What is known of the agent.
    pub agent: Arc<AgentView>,
    /// Slots spoken for that `agent` does not show yet.
    pub pending: u32,
    /// The queues of the conversations that they are for.
    pub asked: Vec<QueueId>,
}

impl Seat {
    /// One of which everything is known.
    pub fn new(agent: Arc<AgentView>) -> Self {
        Self { agent, pending: 0, asked: Vec::new() }
    }
}

/// A conversation and the agent to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The conversation.
    pub conversation: ConversationId,
    /// Where it waits.
    pub queue: QueueId,
    /// Whom to ask.
    pub agent: AgentId,
    /// Slots it takes.
    pub weight: u32,
}

/// Why an agent was not chosen for a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Serves other queues.
    NotServing,
    /// Is not good enough at what is required now.
    Unskilled,
    /// Does not speak the visitor's language.
    Language,
    /// Is busy, away or offline, or has no connection at this moment.
    NotOnline,
    /// The conversation waits for the agent a transfer named.
    HeldForTarget,
    /// The conversation waits for the agent who had it before.
    HeldForPrevious,
    /// Declined or did not answer, and others with room are there to ask.
    Excluded,
    /// Declined or did not answer; nobody else can take it, but it is too soon.
    AskedJustNow,
    /// The agents have as many conversations of the queue as they may.
    QueueFull,
    /// The agent has as many conversations of the queue as it may.
    QueueCap,
    /// Has fewer free slots than it takes.
    NoRoom,
    /// Its free slots are saved for a heavier conversation with a higher score.
    Saved,
    /// Could have taken it; another was better.
    Outranked,
}

/// What came of one agent for one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// To be asked.
    Chosen,
    /// Not.
    Rejected(Rejection),
}

impl Verdict {
    /// In one word, for people and clients.
    pub const fn as_str(self) -> &'static str {
        let Self::Rejected(why) = self else { return "chosen" };
        match why {
            Rejection::NotServing => "not_serving",
            Rejection::Unskilled => "unskilled",
            Rejection::Language => "language",
            Rejection::NotOnline => "not_online",
            Rejection::HeldForTarget => "held_for_target",
            Rejection::HeldForPrevious => "held_for_previous",
            Rejection::Excluded => "excluded",
            Rejection::AskedJustNow => "asked_just_now",
            Rejection::QueueFull => "queue_full",
            Rejection::QueueCap => "queue_cap",
            Rejection::NoRoom => "no_room",
            Rejection::Saved => "saved",
            Rejection::Outranked => "outranked",
        }
    }
}

/// How one conversation was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The conversation.
    pub conversation: ConversationId,
    /// What was required at this moment.
    pub required: Skills,
    /// The language that was required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Every agent that was looked at.
    pub candidates: Vec<(AgentId, Verdict)>,
}

/// Verdicts that a round writes down about conversations that nobody gets; those who
/// are assigned are always explained. 65,536 × 24 bytes are 1.5 MiB, and a millisecond.
pub const MAX_VERDICTS: usize = 65_536;

/// What a round came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whom to ask for what, highest score first.
    pub assignments: Vec<Assignment>,
    /// How, highest score first. Ends where no agent had room left; of those who get
    /// nobody only the first are there, as far as `MAX_VERDICTS` go.
    pub traces: Vec<Trace>,
    /// When time alone may change the outcome.
    pub due: Option<Timestamp>,
    /// It ended at the number of assignments that was asked for: another round may find
    /// more.
    pub more: bool,
}

/// Decides one round: the highest score first, over all queues given.
pub fn decide(requests: &[Request], seats: &[Seat], now: Timestamp) -> Decision {
    decide_some(requests, seats, now, usize::MAX)
}

/// As `decide`, but ends after `most` assignments, so that a round stays short.
pub fn decide_some(requests: &[Request], seats: &[Seat], now: Timestamp, most: usize) -> Decision {
    let mut in_order: Vec<&Request> = requests.iter().collect();
    in_order.sort_by_cached_key(|request| request.entry.order_key());
    let mut round = round::Round::new(requests, seats, now);
    for request in in_order {
        if !round.has_room() {
            break;
        }
        if round.assigned() >= most {
            return Decision { more: true, ..round.finish() };
        }
        round.serve(request);
    }
    round.finish()
}
