//! Agents as the other roles see them. Data only: what may change and when is
//! decided in `agent`.

use super::claim::Claim;
use crate::ids::{AgentId, ConversationId, NodeId, QueueId, SiteId};
use crate::language::Language;
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether an agent is there for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Takes chats.
    Online,
    /// At work, wants no more chats now.
    Busy,
    /// Not at the desk.
    Away,
    /// Not there.
    Offline,
}

/// What `desk` says of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentProfile {
    /// Name to show, at most 80 characters.
    pub name: Arc<str>,
    /// Slots, 1–100.
    pub capacity: u32,
    /// Queues the agent serves, those it serves first coming first; empty for all of
    /// the site.
    pub queues: Vec<QueueId>,
    /// Whether it is a supervisor.
    pub supervisor: bool,
    /// What the agent is good at. Absent in what earlier versions wrote.
    #[serde(default, skip_serializing_if = "Skills::is_empty")]
    pub skills: Skills,
    /// Languages it speaks, for queues that ask for that of the visitor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// Most conversations of a queue that it has at once, where it says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub caps: BTreeMap<QueueId, u32>,
}

/// How an agent's room is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// For an offer; free again at the time given.
    Reserved(Timestamp),
    /// By a chat, until it is released.
    Active,
    /// After a chat; free again at the time given.
    WrapUp(Timestamp),
}

/// Room taken by one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The conversation.
    pub conversation: ConversationId,
    /// Slots.
    pub weight: u32,
    /// How.
    pub hold: Hold,
    /// The queue it counts for, where the queue's conversations are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// An agent as the other roles see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The tenant.
    pub site: SiteId,
    /// The agent.
    pub id: AgentId,
    /// What `desk` says of it.
    pub profile: AgentProfile,
    /// Status in force: `Offline` when no connection is left and the grace
    /// period is over.
    pub status: AgentStatus,
    /// Why, in the agent's words.
    pub reason: Arc<str>,
    /// Since when it has this status.
    pub since: Timestamp,
    /// Slots taken.
    pub load: u32,
    /// By what.
    pub reservations: Vec<Reservation>,
    /// Since when nothing has been assigned; for longest-idle.
    pub idle_since: Timestamp,
    /// When it last got a conversation; for round-robin. Only a hint: replicas of
    /// different versions may differ in it.
    #[serde(default)]
    pub assigned_at: Timestamp,
    /// Offers in a row that it has not answered, where they are counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u32,
    /// Gateways with a connection of this agent, and how many.
    pub gateways: Vec<(NodeId, u32)>,
    /// Raised by every change of this agent.
    pub revision: u64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl AgentView {
    /// Slots free for new chats; 0 unless online and connected.
    pub fn free(&self) -> u32 {
        if self.status == AgentStatus::Online && !self.gateways.is_empty() {
            self.profile.capacity.saturating_sub(self.load)
        } else {
            0
        }
    }

    /// Whether the agent serves a queue.
    pub fn serves(&self, queue: &QueueId) -> bool {
        self.queue_rank(queue).is_some()
    }

    /// How many queues the agent serves before this one; `None` when it does not
    /// serve it.
    pub fn queue_rank(&self, queue: &QueueId) -> Option<usize> {
        match self.profile.queues.as_slice() {
            [] => Some(0),
            queues => queues.iter().position(|served| served == queue),
        }
    }

    /// Whether the agent speaks a language.
    pub fn speaks(&self, language: &Language) -> bool {
        self.profile.languages.contains(language)
    }

    /// Most conversations of a queue that the agent may have at once, when each of
    /// the queue's agents may have `max`.
    pub fn cap(&self, queue: &QueueId, max: Option<u32>) -> Option<u32> {
        self.profile.caps.get(queue).copied().into_iter().chain(max).min()
    }

    /// Conversations of a queue that the agent could take now, when each takes so many
    /// slots and each of the queue's agents may have `max`.
    pub fn room_for(&self, queue: &QueueId, weight: u32, max: Option<u32>) -> u32 {
        if !self.serves(queue) {
            return 0;
        }
        let room = self.free() / weight.max(1);
        let Some(cap) = self.cap(queue, max) else { return room };
        let had = u32::try_from(self.claimed(queue).count()).unwrap_or(u32::MAX);
        room.min(cap.saturating_sub(had))
    }

    /// Conversations that count for a queue, those in wrap-up included.
    pub fn claimed<'v>(&'v self, queue: &'v QueueId) -> impl Iterator<Item = &'v Reservation> {
        let counts = |r: &&Reservation| r.claim.as_ref().is_some_and(|c| c.queue == *queue);
        self.reservations.iter().filter(counts)
    }
}
