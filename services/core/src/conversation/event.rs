//! What happened: the facts a conversation is the fold of.

use super::alarm::RaisedAlarm;
use crate::ids::{AttachmentId, ClientMsgId, ConversationId, OfferId, QueueId, Seq, SiteId};
use crate::party::{Audience, Participant};
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file that a message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Given by the upload.
    pub id: AttachmentId,
    /// File name without path parts, at most 200 bytes.
    pub name: Arc<str>,
    /// Found by looking at the bytes.
    pub media_type: Arc<str>,
    /// Bytes.
    pub size: u32,
}

/// Why a queue does not serve one who waits in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unserved {
    /// It came while nobody is there.
    OutOfHours,
    /// As many as may wait were there before it.
    QueueFull,
    /// It has waited as long as one may.
    WaitedTooLong,
}

/// Why a conversation waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuedReason {
    /// It has just begun.
    Started,
    /// The visitor took it up again.
    Reopened,
    /// An agent handed it on.
    Transferred,
    /// Its agent went away.
    AgentLost,
    /// The queue before this one does not serve it.
    Unserved(Unserved),
    /// It had ended unserved, and the visitor left word.
    ContactLeft,
    /// A supervisor took it from its agent and put it back.
    Released,
    /// Nobody took a transfer in time.
    TransferReturned,
    /// It had waited so long elsewhere that an alarm sent it here.
    Alarm,
}

/// How an offer ended without an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The agent refused.
    Declined,
    /// The agent did not answer in time.
    Expired,
    /// The conversation closed, or the agent went away.
    Withdrawn,
}

/// Why an agent no longer has the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleasedReason {
    /// Handed on.
    Transferred,
    /// The agent went away.
    AgentLost,
    /// A supervisor has it now.
    TakenOver,
    /// A supervisor put it back.
    Forced,
}

/// Who ended the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedReason {
    /// The visitor.
    ByVisitor,
    /// The agent or a supervisor.
    ByAgent,
    /// Nobody: its queue does not serve it, and asks the visitor to leave word.
    Unserved(Unserved),
    /// Nobody: the visitor has been without any connection for long.
    VisitorLost,
    /// Nobody: what it says is erased.
    Erased,
}

/// Why what was said is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasedWhy {
    /// Its visitor is to be forgotten.
    Request,
    /// The site keeps it no longer.
    Retention,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The visitor opened the conversation; always seq 1.
    Started {
        /// The tenant.
        site: SiteId,
        /// Pre-chat attributes.
        attributes: BTreeMap<Arc<str>, Arc<str>>,
        /// Address of the page.
        page: Arc<str>,
        /// BCP 47 tag or empty.
        language: Arc<str>,
        /// By what way the visitor came, such as `web`; empty when not known.
        #[serde(default = "nothing")]
        channel: Arc<str>,
        /// What the visitor has agreed to, where the site asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consent: Option<Consent>,
    },
    /// Somebody said something.
    Message {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// May be empty only with attachments.
        text: Arc<str>,
        /// Files.
        attachments: Vec<Attachment>,
    },
    /// A private remark.
    Note {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// Not empty.
        text: Arc<str>,
        /// Agents it is for: they may read the conversation from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Participant>,
    },
    /// Waits for an agent.
    Queued {
        /// Where.
        queue: QueueId,
        /// Why.
        reason: QueuedReason,
    },
    /// An agent was asked.
    Offered {
        /// The offer.
        offer: OfferId,
        /// Who was asked.
        agent: Participant,
        /// Until when.
        expires_at: Timestamp,
    },
    /// An offer ended without an assignment.
    OfferEnded {
        /// The offer.
        offer: OfferId,
        /// Who had been asked.
        agent: Participant,
        /// How.
        outcome: OfferOutcome,
        /// The agent's words.
        reason: Arc<str>,
    },
    /// The agent has it.
    Assigned {
        /// Who.
        agent: Participant,
    },
    /// The agent has it no longer.
    Released {
        /// Who.
        agent: Participant,
        /// Why.
        reason: ReleasedReason,
    },
    /// Handed on to a queue, or to an agent within the present queue.
    Transferred {
        /// Queue it now waits in.
        to_queue: QueueId,
        /// Agent it is meant for.
        to_agent: Option<Participant>,
        /// For whoever takes over.
        note: Arc<str>,
        /// Required of whoever takes over, besides what the queue asks for.
        #[serde(default, skip_serializing_if = "Skills::is_empty")]
        to_skills: Skills,
        /// Whoever handed it on stays as a guest once somebody has taken it.
        #[serde(default)]
        warm: bool,
    },
    /// The whole new set of tags, sorted.
    TagsChanged {
        /// Tags.
        tags: Vec<Arc<str>>,
    },
    /// It ended.
    Closed {
        /// By whom.
        reason: ClosedReason,
    },
    /// Taken up again.
    Reopened,
    /// Rated by the visitor.
    Rated {
        /// 1–5.
        score: u8,
        /// Words.
        comment: Arc<str>,
    },
    /// The visitor may leave word, and need not stay. Unless `Closed` follows, the
    /// conversation keeps its place.
    ContactAsked {
        /// Why it is not served.
        why: Unserved,
        /// Out of hours: when somebody is there again, as far as that is known.
        opens_at: Option<Timestamp>,
    },
    /// The visitor said where to be reached.
    ContactLeft(Contact),
    /// A supervisor said something to the staff.
    Whisper {
        /// The sender's id of it.
        client_msg_id: ClientMsgId,
        /// Not empty.
        text: Arc<str>,
    },
    /// An agent was asked to join, and may read from now on.
    Invited {
        /// Who.
        agent: Participant,
        /// What for.
        note: Arc<str>,
    },
    /// Takes part beside the one who has it.
    Joined {
        /// Who.
        agent: Participant,
    },
    /// Takes part no longer.
    Left {
        /// Who.
        agent: Participant,
        /// Was sent away, and may not read any more.
        by_other: bool,
    },
    /// How many minutes count for it besides its queue's priority.
    PriorityChanged {
        /// All of them, not only what is new.
        minutes: i32,
    },
    /// Something was so for as long as its queue allows; what that brought about follows.
    AlarmRaised(RaisedAlarm),
    /// Nobody took a transfer in time: it is meant for the agent who handed it on.
    TransferReturned {
        /// Who.
        to_agent: Participant,
    },
    /// What was said before is gone, wherever it was stored; always the last event.
    Erased {
        /// Why.
        why: ErasedWhy,
    },
}

/// As events were stored before there were channels.
fn nothing() -> Arc<str> {
    Arc::from("")
}

/// A visitor's agreement to a text that the site has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Which version of the text.
    pub version: Arc<str>,
    /// When, by the server's clock.
    pub at: Timestamp,
}

/// Where a visitor may be reached. At least one of the two is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail address.
    pub email: Arc<str>,
    /// Telephone number.
    pub phone: Arc<str>,
    /// What it is about.
    pub text: Arc<str>,
}

impl Body {
    /// Who may see it.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Note { .. }
            | Self::Offered { .. }
            | Self::OfferEnded { .. }
            | Self::Transferred { .. }
            | Self::TagsChanged { .. }
            | Self::Whisper { .. }
            | Self::Invited { .. }
            | Self::PriorityChanged { .. }
            | Self::AlarmRaised(_)
            | Self::TransferReturned { .. } => Audience::Internal,
            Self::Started { .. }
            | Self::Message { .. }
            | Self::Queued { .. }
            | Self::Assigned { .. }
            | Self::Released { .. }
            | Self::Closed { .. }
            | Self::Reopened
            | Self::Rated { .. }
            | Self::ContactAsked { .. }
            | Self::ContactLeft(_)
            | Self::Joined { .. }
            | Self::Left { .. }
            | Self::Erased { .. } => Audience::Public,
        }
    }

    /// The sender's id, for what may be sent only once.
    pub fn client_msg_id(&self) -> Option<&ClientMsgId> {
        match self {
            Self::Message { client_msg_id, .. }
            | Self::Note { client_msg_id, .. }
            | Self::Whisper { client_msg_id, .. } => Some(client_msg_id),
            _ => None,
        }
    }
}

/// One durable event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The conversation.
    pub conversation: ConversationId,
    /// 1, 2, 3 … over all audiences.
    pub seq: Seq,
    /// Seq of the event before it that a visitor may see.
    pub prev_public: Seq,
    /// Never before that of the event before.
    pub at: Timestamp,
    /// Who caused it.
    pub by: Participant,
    /// What it says.
    pub body: Body,
}

impl Event {
    /// Seq of the event before it that a reader of `audience` may see.
    pub fn prev(&self, audience: Audience) -> Seq {
        match audience {
            Audience::Public => self.prev_public,
            Audience::Internal => Seq::new(self.seq.get() - 1),
        }
    }
}
