//! What others are told of a conversation.

use super::event::Consent;
use super::guests::Asked;
use super::state::{Conversation, Phase};
use super::unserved::{Arrival, Reachable};
use super::watch::Watch;
use crate::ids::{AgentId, ConversationId, QueueId, Seq, SiteId};
use crate::party::Participant;
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What others need to know of a conversation: lists, queues, offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The conversation.
    pub id: ConversationId,
    /// The tenant.
    pub site: SiteId,
    /// Its visitor.
    pub visitor: Participant,
    /// Where it stands.
    pub phase: Phase,
    /// Its queue.
    pub queue: QueueId,
    /// When it began to wait; kept through transfers and lost agents.
    pub waiting_since: Timestamp,
    /// How it came to its queue. Absent in what earlier versions say.
    #[serde(default)]
    pub arrival: Option<Arrival>,
    /// Whether its visitor may be reached when gone.
    #[serde(default)]
    pub reachable: Reachable,
    /// What the rules of its queue go by.
    #[serde(default)]
    pub watch: Watch,
    /// Minutes that count for it besides its queue's priority.
    #[serde(default)]
    pub extra_minutes: i32,
    /// Agents not to be asked again before others were.
    pub excluded: Vec<AgentId>,
    /// Agent a transfer is meant for, and until when only for that one.
    pub target: Option<(Participant, Timestamp)>,
    /// For whoever takes over.
    pub handover_note: Option<Arc<str>>,
    /// Required of whoever takes it, besides what its queue asks for.
    #[serde(default)]
    pub asked_skills: Skills,
    /// Who take part beside the one who has it.
    #[serde(default)]
    pub guests: Vec<Participant>,
    /// Who are asked for something by a colleague and have not answered yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// The last agent who had it.
    pub last_agent: Option<Participant>,
    /// Tags, sorted.
    pub tags: Vec<Arc<str>>,
    /// Pre-chat attributes.
    pub attributes: BTreeMap<Arc<str>, Arc<str>>,
    /// BCP 47 tag or empty.
    pub language: Arc<str>,
    /// By what way the visitor came, as far as that is known.
    #[serde(default)]
    pub channel: Option<Arc<str>>,
    /// What the visitor has agreed to, where the site asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// First words of the visitor.
    pub preview: Arc<str>,
    /// First event's time.
    pub started_at: Timestamp,
    /// Last event's time.
    pub last_at: Timestamp,
    /// Last event.
    pub head: Seq,
    /// Last event that the visitor may see.
    pub public_head: Seq,
    /// How far the visitor has read.
    pub visitor_read: Seq,
    /// How far the staff has read.
    pub agent_read: Seq,
    /// What was said is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl Conversation {
    /// What others need to know of it.
    pub fn summary(&self) -> Summary {
        Summary {
            id: self.id,
            site: self.site.clone(),
            visitor: self.visitor.clone(),
            phase: self.phase.clone(),
            queue: self.queue.clone(),
            waiting_since: self.waiting_since,
            arrival: self.arrival,
            reachable: self.reachable,
            watch: Watch::clone(&self.watch),
            extra_minutes: self.extra_minutes,
            excluded: self.excluded.clone(),
            target: self.target.as_deref().cloned(),
            handover_note: self.handover_note.clone(),
            asked_skills: self.asked_skills.as_deref().cloned().unwrap_or_default(),
            guests: self.company().guests().to_vec(),
            asked: self.asked(),
            last_agent: self.last_agent.clone(),
            tags: self.tags.clone(),
            attributes: self.attributes.clone(),
            language: self.language.clone(),
            channel: self.channel.clone(),
            consent: self.consent.as_deref().cloned(),
            preview: self.preview.clone(),
            started_at: self.started_at,
            last_at: self.last_at,
            head: self.head,
            public_head: self.public_head,
            visitor_read: self.visitor_read,
            agent_read: self.agent_read,
            erased: self.erased,
        }
    }
}

impl Summary {
    /// The agent who has it or is being asked.
    pub fn holder(&self) -> Option<AgentId> {
        self.phase.holder().and_then(Participant::agent_id)
    }
}
