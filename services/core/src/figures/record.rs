//! The facts of one conversation that figures are made of. Holds no text of anybody but
//! the beginning of the first message, which rules may look at.

use crate::conversation::Unserved;
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which.
    pub conversation: ConversationId,
    /// BCP 47 tag or empty.
    pub language: Arc<str>,
    /// Its tags now, sorted.
    pub tags: Vec<Arc<str>>,
    /// In order of time.
    pub episodes: Vec<Episode>,
    /// How the visitor came: `web`, `app`, …; empty when not known. Absent in what
    /// earlier versions say, as is whatever has a default here.
    #[serde(default)]
    pub channel: Arc<str>,
    /// What was known when it began.
    #[serde(default)]
    pub opening: Opening,
}

/// What rules may choose a queue by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Address of the page.
    pub page: Arc<str>,
    /// What was said of the visitor.
    pub attributes: BTreeMap<Arc<str>, Arc<str>>,
    /// The beginning of the first message, at most `MAX_OPENING` bytes.
    pub text: Arc<str>,
}

/// Bytes of a first message that are kept: a page of 500 records stays below 1 MiB.
pub const MAX_OPENING: usize = 1_024;

/// From a beginning to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// When it began.
    pub began_at: Timestamp,
    /// The queue it came to first.
    pub queue: QueueId,
    /// When an agent took it first, and who.
    pub served: Option<(Timestamp, AgentId)>,
    /// When the staff said something first, and who.
    pub first_response: Option<(Timestamp, AgentId)>,
    /// When it ended, and how.
    pub ended: Option<(Timestamp, End)>,
    /// Agents who had it, in order.
    pub stints: Vec<Stint>,
    /// Waits after the first.
    pub rewaits: Vec<Rewait>,
    /// Answers of the staff, in order.
    pub answers: Vec<Answer>,
    /// Agents who were asked, in order.
    pub offers: Vec<OfferFact>,
    /// When it was handed on, by whom, in which queue.
    pub transfers: Vec<(Timestamp, AgentId, QueueId)>,
    /// When an agent went away with it, who, in which queue.
    pub losses: Vec<(Timestamp, AgentId, QueueId)>,
    /// When a supervisor put it back, from whom, in which queue. Absent in what earlier
    /// versions say.
    #[serde(default)]
    pub releases: Vec<(Timestamp, AgentId, QueueId)>,
    /// Messages.
    pub visitor_messages: u32,
    /// Messages, by the last agent who said one.
    pub staff_messages: Vec<(AgentId, u32)>,
    /// 1–5; the last one counts.
    pub rating: Option<u8>,
    /// When it was made to wait once more or elsewhere, and in which queue.
    #[serde(default)]
    pub requeues: Vec<(Timestamp, QueueId)>,
    /// Messages of the staff to which nothing was unanswered, after one of another agent.
    #[serde(default)]
    pub follow_ups: Vec<(Timestamp, AgentId)>,
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By the visitor.
    Visitor,
    /// By the staff.
    Staff,
    /// By its queue.
    Unserved(Unserved),
    /// By nobody: the visitor had been gone for long.
    VisitorLost,
}

/// An agent had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stint {
    /// Who.
    pub agent: AgentId,
    /// As the agent was called then.
    pub name: Arc<str>,
    /// In which queue.
    pub queue: QueueId,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: still.
    pub to: Option<Timestamp>,
}

/// It waited again, for another agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewait {
    /// Where.
    pub queue: QueueId,
    /// Since when.
    pub from: Timestamp,
    /// When it was taken, and by whom.
    pub taken: Option<(Timestamp, AgentId)>,
}

/// The staff answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub agent: AgentId,
    /// When the visitor had said what was answered.
    pub asked_at: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// An agent was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferFact {
    /// Who.
    pub agent: AgentId,
    /// In which queue.
    pub queue: QueueId,
    /// When.
    pub at: Timestamp,
    /// What came of it; `None`: still open.
    pub asked: Option<Asked>,
}

/// What came of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Taken.
    Accepted,
    /// Refused.
    Declined,
    /// Not answered in time.
    Missed,
    /// Gone before an answer.
    Withdrawn,
}
