//! What may be asked of a conversation, and the answers.

use super::alarm::Alarm;
use super::event::{Attachment, Contact, ErasedWhy, OfferOutcome, Unserved};
use crate::ids::{AgentId, ClientMsgId, OfferId, QueueId, Seq};
use crate::party::Participant;
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a conversation begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// Queue to wait in; the edge has filled in the site's default.
    pub queue: QueueId,
    /// Pre-chat attributes.
    pub attributes: BTreeMap<Arc<str>, Arc<str>>,
    /// Address of the page.
    pub page: Arc<str>,
    /// BCP 47 tag or empty.
    pub language: Arc<str>,
    /// By what way the visitor came, such as `web`. This and the next are absent in
    /// what earlier versions say.
    #[serde(default)]
    pub channel: Option<Arc<str>>,
    /// Minutes of waiting added to what its queue gives: what the rule says by which it
    /// came there.
    #[serde(default)]
    pub extra_minutes: i32,
    /// The version of the site's text that the visitor has agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Arc<str>>,
    /// A first message with its id.
    pub first_message: Option<(ClientMsgId, Arc<str>)>,
}

/// Where a transfer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferTarget {
    /// Any agent of a queue.
    Queue(QueueId),
    /// One agent; after a while anyone of the present queue.
    Agent(Participant),
    /// An agent of the present queue who has all of these, however long that takes.
    Skill(Skills),
}

/// What becomes of one whom a queue does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    /// It waits in another queue, with the same clock.
    Queue(QueueId),
    /// It ends; when the visitor leaves word it waits again.
    Form,
    /// It keeps its place; the visitor may leave word and go.
    Callback,
}

/// A wish of a client or of routing. Every one may be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Visitor: open it.
    Start(StartRequest),
    /// Visitor or staff: say something.
    Send {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// Text.
        text: Arc<str>,
        /// Files, resolved at the edge.
        attachments: Vec<Attachment>,
        /// The sender's message that must stand before this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<ClientMsgId>,
    },
    /// Staff: remark among themselves.
    Note {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// Text.
        text: Arc<str>,
        /// Agents it is for, resolved at the edge.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Participant>,
    },
    /// Supervisor: say something to the staff only.
    Whisper {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// Text.
        text: Arc<str>,
    },
    /// Either side has read up to here.
    MarkRead {
        /// Highest seq read.
        seq: Seq,
    },
    /// Either side writes, or stopped.
    Typing {
        /// Whether it does.
        typing: bool,
    },
    /// Either side: end it.
    Close,
    /// Visitor: take it up again.
    Reopen,
    /// Visitor: satisfaction.
    Rate {
        /// 1–5.
        score: u8,
        /// Words.
        comment: Arc<str>,
    },
    /// Agent: hand it on.
    Transfer {
        /// To whom.
        target: TransferTarget,
        /// For whoever takes over.
        note: Arc<str>,
        /// Stay as a guest once somebody has taken it.
        #[serde(default)]
        warm: bool,
    },
    /// Its agent or a supervisor: ask an agent to join.
    Invite {
        /// Whom, resolved at the edge.
        agent: Participant,
        /// What for.
        note: Arc<str>,
    },
    /// Staff: take part beside the one who has it.
    Join,
    /// A guest goes; its agent or a supervisor may send one away.
    Leave {
        /// Who goes; `None`: the caller.
        agent: Option<AgentId>,
    },
    /// Supervisor: put it back to its old place in the queue.
    ForceRelease {
        /// Only when it is this one's; `None`: whoever has it.
        agent: Option<AgentId>,
    },
    /// Supervisor: change its place in the queue.
    SetPriority {
        /// Minutes of waiting added to what its queue gives.
        minutes: i32,
    },
    /// Staff: replace the tags.
    SetTags {
        /// The whole new set.
        tags: Vec<Arc<str>>,
    },
    /// Routing: ask an agent, who has room reserved.
    Offer {
        /// The offer.
        offer: OfferId,
        /// Whom.
        agent: Participant,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Routing, for an agent whose reservation is confirmed: assign.
    Accept {
        /// The offer.
        offer: OfferId,
        /// Who takes it.
        agent: AgentId,
    },
    /// Routing, for a supervisor whose reservation is confirmed: assign, whoever has it.
    TakeOver {
        /// Who takes it.
        supervisor: Participant,
    },
    /// Routing: an offer is over.
    EndOffer {
        /// The offer.
        offer: OfferId,
        /// How it ended.
        outcome: OfferOutcome,
        /// The agent's words.
        reason: Arc<str>,
    },
    /// Visitor: where to be reached.
    LeaveContact(Contact),
    /// Queueing: its queue does not serve it.
    Unserved {
        /// Where it waits; elsewhere by now, it stays there.
        queue: QueueId,
        /// Why not.
        why: Unserved,
        /// What becomes of it.
        instead: Instead,
        /// When somebody is there again, for the visitor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens_at: Option<Timestamp>,
    },
    /// Queueing: something has been so for as long as its queue allows.
    Alarm(Alarm),
    /// Queueing: nobody took a transfer in time.
    ReturnTransfer {
        /// When it was handed on; of another transfer by now, nothing is done.
        handed_on_at: Timestamp,
    },
    /// Desk: forget what was said. Its owner has all that is stored replaced in the same
    /// step.
    Erase {
        /// Why.
        why: ErasedWhy,
    },
    /// Routing: the agent went away; what it had waits again, at the old place.
    AgentLost {
        /// Who went.
        agent: AgentId,
    },
}

impl Command {
    /// The sender's id, for what may be said only once.
    pub fn client_msg_id(&self) -> Option<&ClientMsgId> {
        match self {
            Self::Send { client_msg_id, .. }
            | Self::Note { client_msg_id, .. }
            | Self::Whisper { client_msg_id, .. } => Some(client_msg_id),
            _ => None,
        }
    }
}

/// What the sender of a command is told once its events are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or was so already.
    Done,
    /// The message or note stands at `seq`.
    Sent {
        /// Its place.
        seq: Seq,
        /// Its time.
        at: Timestamp,
        /// It had been appended before.
        duplicate: bool,
    },
}

/// Why a command was refused. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Absent, or not the caller's to know of.
    #[error("no such conversation")]
    NotFound,
    /// Known to the caller, but not the caller's to do.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A documented limit is broken.
    #[error("{0}")]
    Invalid(&'static str),
    /// Not in this state.
    #[error("{0}")]
    State(&'static str),
    /// Something that must come before it has not come yet: it may be asked again.
    #[error("{0}")]
    Early(&'static str),
}
