//! One who waits, and what it is ordered by.

use super::board::Terms;
use crate::conversation::{Arrival, QueuedReason, Reachable, Summary};
use crate::ids::{AgentId, ConversationId, Seq};
use crate::language::Language;
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One conversation that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its head when this was known; an older one never replaces a newer.
    pub version: Seq,
    /// When it began to wait.
    pub waiting_since: Timestamp,
    /// How it came to this queue. Absent in what earlier versions say.
    #[serde(default)]
    pub arrival: Option<Arrival>,
    /// Whether its visitor may be reached when gone.
    #[serde(default)]
    pub reachable: Reachable,
    /// Head start in minutes of waiting, as its queue has it.
    pub priority_minutes: u32,
    /// Minutes besides its queue's. Absent in what earlier versions say.
    #[serde(default)]
    pub extra_minutes: i32,
    /// Slots it will take.
    pub weight: u32,
    /// Agents not to be asked before the others were; the longest ago first.
    pub excluded: Vec<AgentId>,
    /// Agent it is meant for, and until when only for that one.
    pub target: Option<(AgentId, Timestamp)>,
    /// Agent who had it before.
    pub previous: Option<AgentId>,
    /// Required of whoever takes it, besides what its queue asks for.
    #[serde(default)]
    pub asked_skills: Skills,
    /// The visitor's, as far as it is known.
    #[serde(default)]
    pub language: Option<Language>,
}

impl Entry {
    /// How a conversation waits, under the terms of its queue.
    pub fn of(summary: &Summary, terms: Terms) -> Self {
        let target = summary.target.as_ref();
        Self {
            conversation: summary.id,
            version: summary.head,
            waiting_since: summary.waiting_since,
            arrival: summary.arrival,
            reachable: summary.reachable,
            priority_minutes: terms.priority_minutes,
            extra_minutes: summary.extra_minutes,
            weight: terms.weight,
            excluded: summary.excluded.clone(),
            target: target.and_then(|(agent, until)| Some((agent.agent_id()?, *until))),
            previous: summary.last_agent.as_ref().and_then(|agent| agent.agent_id()),
            asked_skills: summary.asked_skills.clone(),
            language: Language::of_tag(&summary.language),
        }
    }

    /// How it came to this queue.
    pub fn arrived(&self) -> Arrival {
        let began = Arrival { at: self.waiting_since, reason: QueuedReason::Started };
        self.arrival.unwrap_or(began)
    }

    /// Since when it waits for the agent of before: one whose agent was lost had none of
    /// that time yet.
    pub fn held_since(&self) -> Timestamp {
        match self.arrival {
            Some(Arrival { at, reason: QueuedReason::AgentLost }) => at,
            _ => self.waiting_since,
        }
    }

    /// Its place among all who wait, in any queue.
    pub fn order_key(&self) -> OrderKey {
        let minutes = i128::from(self.priority_minutes) + i128::from(self.extra_minutes);
        let head_start = minutes * 60_000;
        OrderKey {
            effective_since: i128::from(self.waiting_since.as_millis()) - head_start,
            conversation: self.conversation,
        }
    }
}

/// Smaller is served first. A total order: ids break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// Arrival moved back by the priority, in milliseconds since the Unix epoch;
    /// below zero only for absurd priorities.
    effective_since: i128,
    conversation: ConversationId,
}

impl OrderKey {
    /// Of one who would come now: behind all who came at the same moment.
    pub fn of_newcomer(now: Timestamp, priority_minutes: u32) -> Self {
        let head_start = i128::from(priority_minutes) * 60_000;
        Self {
            effective_since: i128::from(now.as_millis()) - head_start,
            conversation: ConversationId::from_uuid(uuid::Uuid::max()),
        }
    }

    /// The score in milliseconds: time waited plus priority.
    pub fn score_millis(&self, now: Timestamp) -> i128 {
        i128::from(now.as_millis()) - self.effective_since
    }
}
