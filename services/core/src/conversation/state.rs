//! The state of a conversation and how events change it.

use super::command::{Command, Outcome, Reject};
use super::event::{Body, Consent, Contact, Event, OfferOutcome, QueuedReason, ReleasedReason};
use super::guests::Company;
use super::limits::{MAX_EXCLUDED, PREVIEW_BYTES, TARGET_HOLD};
use super::recent::RecentIds;
use super::unserved::{Arrival, Reachable};
use super::watch::Watch;
use crate::ids::{AgentId, ConversationId, OfferId, QueueId, Seq, SiteId, VisitorId};
use crate::party::{Audience, Origin, Participant};
use crate::skill::Skills;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An open offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// Who was asked.
    pub agent: Participant,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits in its queue.
    Waiting,
    /// An agent has been asked.
    Offered(Offer),
    /// An agent has it.
    Assigned {
        /// Who.
        agent: Participant,
        /// Since when.
        since: Timestamp,
    },
    /// Ended.
    Closed {
        /// When.
        at: Timestamp,
    },
}

impl Phase {
    /// Who has it or is being asked.
    pub fn holder(&self) -> Option<&Participant> {
        match self {
            Self::Offered(offer) => Some(&offer.agent),
            Self::Assigned { agent, .. } => Some(agent),
            Self::Waiting | Self::Closed { .. } => None,
        }
    }
}

/// What a command came to: durable first, then said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// To append, in order; often one, sometimes none.
    pub events: Vec<Event>,
    /// For the sender, once the events are durable.
    pub outcome: Outcome,
}

/// A conversation that has been started: the fold of its events, plus the read
/// cursors, which are state and no events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub(super) id: ConversationId,
    pub(super) site: SiteId,
    pub(super) visitor: Participant,
    pub(super) attributes: BTreeMap<Arc<str>, Arc<str>>,
    pub(super) page: Arc<str>,
    pub(super) language: Arc<str>,
    #[serde(default)]
    pub(super) channel: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) consent: Option<Box<Consent>>,
    pub(super) phase: Phase,
    pub(super) queue: QueueId,
    pub(super) waiting_since: Timestamp,
    #[serde(default)]
    pub(super) arrival: Option<Arrival>,
    #[serde(default)]
    pub(super) reachable: Reachable,
    #[serde(default)]
    pub(super) watch: Box<Watch>,
    #[serde(default)]
    pub(super) contact: Option<Box<Contact>>,
    pub(super) excluded: Vec<AgentId>,
    pub(super) target: Option<Box<(Participant, Timestamp)>>,
    pub(super) handover_note: Option<Arc<str>>,
    /// Required of whoever takes it, as whoever handed it on has asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked_skills: Option<Box<Skills>>,
    /// `None`: nobody but the one who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) company: Option<Box<Company>>,
    #[serde(default)]
    pub(super) extra_minutes: i32,
    pub(super) last_agent: Option<Participant>,
    pub(super) tags: Vec<Arc<str>>,
    pub(super) rating: Option<Box<(u8, Arc<str>)>>,
    pub(super) preview: Arc<str>,
    pub(super) started_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) head: Seq,
    pub(super) public_head: Seq,
    pub(super) visitor_read: Seq,
    pub(super) agent_read: Seq,
    pub(super) recent: RecentIds,
    /// Nothing can happen in it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) erased: bool,
}

impl Conversation {
    /// Opens a conversation: decides on its `Start` and gives the new state.
    pub fn open(
        id: ConversationId,
        origin: &Origin,
        command: &Command,
        now: Timestamp,
    ) -> Result<(Self, Step), Reject> {
        let (by, drafts) = super::decide::open(origin, command, now)?;
        let mut drafts = drafts.into_iter();
        let first = drafts.next().ok_or(Reject::NotFound)?;
        let first = Event {
            conversation: id,
            seq: Seq::ZERO.next(),
            prev_public: Seq::ZERO,
            at: now,
            by: by.clone(),
            body: first,
        };
        let mut state = Self::from_first(&first).ok_or(Reject::NotFound)?;
        let mut events = vec![first];
        for body in drafts {
            // What is not for the visitor's eyes is not the visitor's doing.
            let is_public = body.audience() == Audience::Public;
            let author = if is_public { by.clone() } else { Participant::system() };
            events.push(state.record(author, body, now));
        }
        let outcome = Outcome::Done;
        Ok((state, Step { events, outcome }))
    }

    /// The state after the first event; `None` when that is no `Started`.
    pub fn from_first(event: &Event) -> Option<Self> {
        let Body::Started { site, attributes, page, language, channel, consent } = &event.body
        else {
            return None;
        };
        Some(Self {
            id: event.conversation,
            site: site.clone(),
            visitor: event.by.clone(),
            attributes: attributes.clone(),
            page: page.clone(),
            language: language.clone(),
            channel: (!channel.is_empty()).then(|| channel.clone()),
            consent: consent.clone().map(Box::new),
            phase: Phase::Waiting,
            // Replaced by the `Queued` that always follows in the same append.
            queue: super::decide::placeholder_queue(),
            waiting_since: event.at,
            arrival: None,
            reachable: Reachable::default(),
            watch: Watch { visitor_at: event.at, ..Watch::default() }.into(),
            extra_minutes: 0,
            contact: None,
            excluded: Vec::new(),
            target: None,
            handover_note: None,
            asked_skills: None,
            company: None,
            last_agent: None,
            tags: Vec::new(),
            rating: None,
            preview: Arc::from(""),
            started_at: event.at,
            last_at: event.at,
            head: event.seq,
            public_head: event.seq,
            visitor_read: Seq::ZERO,
            agent_read: Seq::ZERO,
            recent: RecentIds::default(),
            erased: false,
        })
    }

    /// Decides on a command and applies what was decided. On `Err` nothing has
    /// changed.
    pub fn step(
        &mut self,
        origin: &Origin,
        command: &Command,
        now: Timestamp,
    ) -> Result<Step, Reject> {
        let decision = self.decide(origin, command, now)?;
        let events: Vec<Event> = decision
            .drafts
            .into_iter()
            .map(|body| self.record(decision.by.clone(), body, now))
            .collect();
        let outcome = match (decision.outcome, events.last()) {
            (Some(outcome), _) => outcome,
            (None, Some(e)) if e.body.client_msg_id().is_some() => {
                Outcome::Sent { seq: e.seq, at: e.at, duplicate: false }
            }
            (None, _) => Outcome::Done,
        };
        if let Command::MarkRead { seq } = command {
            self.mark_read(&decision.by, *seq);
        }
        Ok(Step { events, outcome })
    }

    fn record(&mut self, by: Participant, body: Body, now: Timestamp) -> Event {
        let event = Event {
            conversation: self.id,
            seq: self.head.next(),
            prev_public: self.public_head,
            at: now.max(self.last_at),
            by,
            body,
        };
        self.apply(&event);
        event
    }

    /// Applies an event that follows the present head, as read from the journal
    /// or just decided.
    pub fn apply(&mut self, event: &Event) {
        debug_assert_eq!(event.seq, self.head.next(), "events are applied in order");
        self.head = event.seq;
        self.last_at = event.at;
        if event.body.audience() == Audience::Public {
            self.public_head = event.seq;
        }
        if let Some(id) = event.body.client_msg_id() {
            self.recent.remember(event.by.id, id, event.seq, event.at);
        }
        self.note_reachable(event);
        self.note_company(event);
        self.keep_watch(event);
        self.apply_body(event);
    }

    fn apply_body(&mut self, event: &Event) {
        match &event.body {
            Body::Started { .. }
            | Body::Note { .. }
            | Body::Whisper { .. }
            | Body::Invited { .. }
            | Body::Joined { .. }
            | Body::Left { .. }
            | Body::ContactAsked { .. }
            | Body::ContactLeft(_)
            | Body::AlarmRaised(_) => {}
            Body::Message { text, .. } => {
                if self.preview.is_empty() && event.by.id == self.visitor.id {
                    self.preview = first_words(text);
                }
            }
            Body::Queued { queue, reason } => {
                self.queue = queue.clone();
                self.phase = Phase::Waiting;
                self.arrival = Some(Arrival { at: event.at, reason: *reason });
                if *reason != QueuedReason::Transferred {
                    self.asked_skills = None;
                }
                if *reason == QueuedReason::ContactLeft {
                    self.wait_anew(event.at);
                }
            }
            Body::Offered { offer, agent, expires_at } => {
                let (id, agent, expires_at) = (*offer, agent.clone(), *expires_at);
                self.phase = Phase::Offered(Offer { id, agent, expires_at });
            }
            Body::OfferEnded { agent, outcome, .. } => {
                self.phase = Phase::Waiting;
                self.offer_ended(agent, *outcome);
            }
            Body::Assigned { agent } => {
                self.phase = Phase::Assigned { agent: agent.clone(), since: event.at };
                self.last_agent = Some(agent.clone());
                self.excluded.clear();
                self.target = None;
                self.asked_skills = None;
            }
            Body::Released { agent, reason } => {
                self.phase = Phase::Waiting;
                // Or the one who had it would be asked first, as the last agent who did.
                if let ReleasedReason::Transferred | ReleasedReason::Forced = reason {
                    self.exclude(agent);
                }
            }
            Body::Transferred { to_queue, to_agent, note, to_skills, .. } => {
                self.queue = to_queue.clone();
                let target = to_agent.clone().map(|a| (a, event.at + TARGET_HOLD));
                self.target = target.map(Box::new);
                self.handover_note = (!note.is_empty()).then(|| note.clone());
                self.asked_skills = (!to_skills.is_empty()).then(|| Box::new(to_skills.clone()));
                self.excluded.clear();
            }
            Body::PriorityChanged { minutes } => self.extra_minutes = *minutes,
            Body::TransferReturned { to_agent } => {
                self.target = Some(Box::new((to_agent.clone(), event.at + TARGET_HOLD)));
                self.excluded.retain(|agent| Some(*agent) != to_agent.agent_id());
            }
            Body::TagsChanged { tags } => self.tags.clone_from(tags),
            Body::Closed { .. } => {
                self.phase = Phase::Closed { at: event.at };
                self.asked_skills = None;
            }
            Body::Reopened => {
                self.phase = Phase::Waiting;
                self.wait_anew(event.at);
            }
            Body::Erased { .. } => self.forget(),
            Body::Rated { score, comment } => {
                self.rating = Some(Box::new((*score, comment.clone())));
            }
        }
    }

    fn wait_anew(&mut self, since: Timestamp) {
        self.waiting_since = since;
        self.excluded.clear();
        self.target = None;
        self.asked_skills = None;
        self.handover_note = None;
    }

    fn offer_ended(&mut self, agent: &Participant, outcome: OfferOutcome) {
        if outcome == OfferOutcome::Withdrawn {
            return;
        }
        if self.target.as_deref().is_some_and(|(t, _)| t.id == agent.id) {
            self.target = None;
        }
        self.exclude(agent);
    }

    fn exclude(&mut self, agent: &Participant) {
        let Some(id) = agent.agent_id() else { return };
        self.excluded.retain(|a| *a != id);
        if self.excluded.len() == MAX_EXCLUDED {
            self.excluded.remove(0);
        }
        self.excluded.push(id);
    }

    fn mark_read(&mut self, by: &Participant, seq: Seq) {
        let cursor =
            if by.id == self.visitor.id { &mut self.visitor_read } else { &mut self.agent_read };
        *cursor = seq.max(*cursor);
    }

    /// Restores the read cursors, which are stored beside the events.
    pub fn restore_reads(&mut self, visitor: Seq, agent: Seq) {
        self.visitor_read = visitor.max(self.visitor_read);
        self.agent_read = agent.max(self.agent_read);
    }

    /// The conversation's id.
    pub fn id(&self) -> ConversationId {
        self.id
    }

    /// The tenant.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// The visitor it belongs to.
    pub fn visitor_id(&self) -> VisitorId {
        VisitorId::from_uuid(self.visitor.id)
    }

    /// Where it stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Last event.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Whether the visitor has said anything yet.
    pub fn has_preview(&self) -> bool {
        !self.preview.is_empty()
    }

    /// How far the visitor and the staff have read.
    pub fn reads(&self) -> (Seq, Seq) {
        (self.visitor_read, self.agent_read)
    }

    /// Last event that a reader of `audience` may see.
    pub fn head_for(&self, audience: Audience) -> Seq {
        match audience {
            Audience::Public => self.public_head,
            Audience::Internal => self.head,
        }
    }
}

fn first_words(text: &str) -> Arc<str> {
    let mut end = text.len().min(PREVIEW_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Arc::from(&text[..end])
}
