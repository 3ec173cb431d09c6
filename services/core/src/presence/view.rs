//! Agents as the other roles see them. Data only: what may change and when is
//! decided in `agent`.

use crate::ids::{AgentId, ConversationId, NodeId, QueueId, SiteId};
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Gateways with a connection of this agent, and how many.
    pub gateways: Vec<(NodeId, u32)>,
    /// Raised by every change of this agent.
    pub revision: u64,
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
}
