//! Who may do what, when. Reads the state, never changes it.

use super::check::{check_start, check_text};
use super::command::{Command, Outcome, Reject};
use super::event::{
    Attachment, Body, ClosedReason, Consent, OfferOutcome, QueuedReason, ReleasedReason,
};
use super::limits::*;
use super::state::{Conversation, Offer, Phase};
use crate::ids::{AgentId, ClientMsgId, OfferId, QueueId, Seq};
use crate::party::{Audience, Origin, Participant, Role};
use crate::time::Timestamp;
use std::sync::Arc;

pub(super) struct Decision {
    pub(super) by: Participant,
    pub(super) drafts: Vec<Body>,
    /// When the events do not say it: nothing to append.
    pub(super) outcome: Option<Outcome>,
}

pub(super) fn placeholder_queue() -> QueueId {
    "none".parse().expect("a constant that is a valid name")
}

/// Opens a conversation: `Started`, perhaps a message, then `Queued`.
pub(super) fn open(
    origin: &Origin,
    command: &Command,
    now: Timestamp,
) -> Result<(Participant, Vec<Body>), Reject> {
    let (Command::Start(start), Origin::Client(who)) = (command, origin) else {
        return Err(Reject::NotFound);
    };
    if who.role != Role::Visitor {
        return Err(Reject::Forbidden("only a visitor starts a conversation"));
    }
    check_start(start, who)?;
    let mut drafts = vec![Body::Started {
        site: who.site.clone(),
        attributes: start.attributes.clone(),
        page: start.page.clone(),
        language: start.language.clone(),
        channel: start.channel.clone().unwrap_or_else(|| Arc::from("")),
        consent: start.consent.clone().map(|version| Consent { version, at: now }),
    }];
    if let Some((id, text)) = &start.first_message {
        check_text(text, &[])?;
        drafts.push(Body::Message {
            client_msg_id: id.clone(),
            text: text.clone(),
            attachments: Vec::new(),
        });
    }
    if start.extra_minutes != 0 {
        drafts.push(Body::PriorityChanged { minutes: start.extra_minutes });
    }
    drafts.push(Body::Queued { queue: start.queue.clone(), reason: QueuedReason::Started });
    Ok((who.participant(), drafts))
}

impl Conversation {
    pub(super) fn decide(
        &self,
        origin: &Origin,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision, Reject> {
        let by = match origin {
            // Named as at the start, whatever the token says.
            Origin::Client(who) if who.role == Role::Visitor => self.visitor.clone(),
            Origin::Client(who) => who.participant(),
            Origin::System => match command {
                // Carried out by routing, done by the supervisor.
                Command::TakeOver { supervisor } => supervisor.clone(),
                _ => Participant::system(),
            },
        };
        // Before any right is asked for: what was said stays said, even when its
        // sender has lost the conversation before the acknowledgement arrived.
        if let Some(said) = self.said_before(origin, command) {
            return Ok(Decision { by, drafts: vec![], outcome: Some(said) });
        }
        if let Origin::Client(who) = origin {
            self.authorize(who, command)?;
        }
        let drafts = self.bodies(&by, command, now)?;
        if !drafts.is_empty() && self.erased {
            return Err(Reject::State("the conversation was erased"));
        }
        if !drafts.is_empty() && self.is_full_for(origin, command) {
            return Err(Reject::State("the conversation has reached its greatest length"));
        }
        let outcome = drafts.is_empty().then_some(Outcome::Done);
        Ok(Decision { by, drafts, outcome })
    }

    /// A conversation at its greatest length grows no more, but can still be
    /// ended, and given back by an agent who goes.
    fn is_full_for(&self, origin: &Origin, command: &Command) -> bool {
        self.head.get() >= MAX_EVENTS
            && matches!(origin, Origin::Client(_))
            && !matches!(command, Command::Close)
    }

    fn bodies(
        &self,
        by: &Participant,
        command: &Command,
        now: Timestamp,
    ) -> Result<Vec<Body>, Reject> {
        Ok(match command {
            // A retried start: the conversation is there and is the caller's.
            Command::Start(_) => vec![],
            Command::Send { client_msg_id, text, attachments, after } => {
                self.check_order(by, after.as_ref())?;
                self.send(client_msg_id, text, attachments)?
            }
            Command::Note { client_msg_id, text, mentions } => {
                self.note(client_msg_id, text, mentions)?
            }
            Command::Whisper { client_msg_id, text } => self.whisper(client_msg_id, text)?,
            Command::MarkRead { seq } => self.read(by, *seq)?,
            Command::Typing { .. } => vec![],
            Command::Close => self.close(by),
            Command::Reopen => self.reopen(),
            Command::Rate { score, comment } => self.rate(*score, comment)?,
            Command::Transfer { target, note, warm } => self.transfer(target, note, *warm)?,
            Command::Invite { agent, note } => self.invite(agent, note)?,
            Command::Join => self.join(by)?,
            Command::Leave { agent } => self.leave(by, *agent),
            Command::ForceRelease { agent } => self.force_release(*agent)?,
            Command::SetPriority { minutes } => self.set_priority(*minutes)?,
            Command::SetTags { tags } => self.set_tags(tags)?,
            Command::Offer { offer, agent, expires_at } => {
                self.offer(*offer, agent, *expires_at, now)?
            }
            Command::Accept { offer, agent } => self.accept(*offer, *agent, now)?,
            Command::TakeOver { supervisor } => self.take_over(supervisor)?,
            Command::EndOffer { offer, outcome, reason } => {
                self.end_offer(*offer, *outcome, reason)?
            }
            Command::AgentLost { agent } => self.agent_lost(*agent),
            Command::Erase { why } => self.erase(*why),
            Command::Alarm(alarm) => self.alarm(alarm, now)?,
            Command::ReturnTransfer { handed_on_at } => self.return_transfer(*handed_on_at),
            Command::LeaveContact(contact) => self.leave_contact(contact)?,
            Command::Unserved { queue, why, instead, opens_at } => {
                self.unserved(queue, *why, instead, *opens_at)
            }
        })
    }

    /// Answers a repetition to its own sender only: nobody has been authorised
    /// yet, so it goes by the caller's id, never by the visitor's.
    fn said_before(&self, origin: &Origin, command: &Command) -> Option<Outcome> {
        let client_msg_id = command.client_msg_id()?;
        let sender = match origin {
            Origin::Client(who) if who.site != self.site => return None,
            Origin::Client(who) => who.id,
            Origin::System => Participant::system().id,
        };
        let (seq, at) = self.recent.find(sender, client_msg_id)?;
        Some(Outcome::Sent { seq, at, duplicate: true })
    }

    /// A message that follows another one of its sender waits for that.
    fn check_order(&self, by: &Participant, after: Option<&ClientMsgId>) -> Result<(), Reject> {
        match after {
            Some(after) if self.recent.find(by.id, after).is_none() => {
                Err(Reject::Early("the message before this one has not come yet"))
            }
            _ => Ok(()),
        }
    }

    fn send(
        &self,
        id: &ClientMsgId,
        text: &Arc<str>,
        attachments: &[Attachment],
    ) -> Result<Vec<Body>, Reject> {
        if self.is_closed() {
            return Err(Reject::State("the conversation is closed"));
        }
        check_text(text, attachments)?;
        Ok(vec![Body::Message {
            client_msg_id: id.clone(),
            text: text.clone(),
            attachments: attachments.to_vec(),
        }])
    }

    fn read(&self, by: &Participant, seq: Seq) -> Result<Vec<Body>, Reject> {
        let audience = if by.id == self.visitor.id { Audience::Public } else { Audience::Internal };
        if seq > self.head_for(audience) {
            return Err(Reject::Invalid("seq is beyond the last event"));
        }
        Ok(vec![])
    }

    fn close(&self, by: &Participant) -> Vec<Body> {
        let reason =
            if by.id == self.visitor.id { ClosedReason::ByVisitor } else { ClosedReason::ByAgent };
        match &self.phase {
            Phase::Closed { .. } => vec![],
            Phase::Offered(offer) => {
                vec![ended(offer, OfferOutcome::Withdrawn, ""), Body::Closed { reason }]
            }
            Phase::Waiting | Phase::Assigned { .. } => vec![Body::Closed { reason }],
        }
    }

    fn reopen(&self) -> Vec<Body> {
        if !self.is_closed() {
            return vec![];
        }
        let queue = self.queue.clone();
        vec![Body::Reopened, Body::Queued { queue, reason: QueuedReason::Reopened }]
    }

    fn rate(&self, score: u8, comment: &Arc<str>) -> Result<Vec<Body>, Reject> {
        if !(1..=5).contains(&score) {
            return Err(Reject::Invalid("the score is not 1 to 5"));
        }
        if comment.len() > MAX_COMMENT_BYTES {
            return Err(Reject::Invalid("the comment is too long"));
        }
        let same = self.rating.as_ref().is_some_and(|it| it.0 == score && it.1 == *comment);
        Ok(if same { vec![] } else { vec![Body::Rated { score, comment: comment.clone() }] })
    }

    fn set_tags(&self, tags: &[Arc<str>]) -> Result<Vec<Body>, Reject> {
        let mut tags = tags.to_vec();
        tags.sort();
        tags.dedup();
        if tags.len() > MAX_TAGS {
            return Err(Reject::Invalid("too many tags"));
        }
        if tags.iter().any(|t| t.trim().is_empty() || t.len() > MAX_TAG_BYTES) {
            return Err(Reject::Invalid("a tag is empty or too long"));
        }
        Ok(if tags == self.tags { vec![] } else { vec![Body::TagsChanged { tags }] })
    }

    fn offer(
        &self,
        offer: OfferId,
        agent: &Participant,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Body>, Reject> {
        if agent.agent_id().is_none() {
            return Err(Reject::Invalid("an offer is made to an agent"));
        }
        match &self.phase {
            Phase::Offered(open) if open.id == offer => Ok(vec![]),
            // Also keeps a repetition that comes late from reviving an old offer.
            _ if now >= expires_at => Err(Reject::State("the offer has expired")),
            Phase::Waiting => Ok(vec![Body::Offered { offer, agent: agent.clone(), expires_at }]),
            _ => Err(Reject::State("the conversation does not wait")),
        }
    }

    fn accept(&self, offer: OfferId, agent: AgentId, now: Timestamp) -> Result<Vec<Body>, Reject> {
        match &self.phase {
            Phase::Assigned { agent: has, .. } if has.agent_id() == Some(agent) => Ok(vec![]),
            Phase::Offered(open) if open.id == offer && open.agent.agent_id() == Some(agent) => {
                if now >= open.expires_at {
                    return Err(Reject::State("the offer has expired"));
                }
                Ok(self.given_to(&open.agent))
            }
            _ => Err(Reject::State("the offer is gone")),
        }
    }

    fn end_offer(
        &self,
        offer: OfferId,
        outcome: OfferOutcome,
        reason: &Arc<str>,
    ) -> Result<Vec<Body>, Reject> {
        if reason.len() > MAX_REASON_BYTES {
            return Err(Reject::Invalid("the reason is longer than 200 bytes"));
        }
        Ok(match &self.phase {
            Phase::Offered(open) if open.id == offer => vec![ended(open, outcome, reason)],
            // Gone already: ending it again changes nothing.
            _ => vec![],
        })
    }

    fn agent_lost(&self, agent: AgentId) -> Vec<Body> {
        let mut bodies = match &self.phase {
            Phase::Offered(open) if open.agent.agent_id() == Some(agent) => {
                vec![ended(open, OfferOutcome::Withdrawn, "")]
            }
            Phase::Assigned { agent: has, .. } if has.agent_id() == Some(agent) => vec![
                Body::Released { agent: has.clone(), reason: ReleasedReason::AgentLost },
                Body::Queued { queue: self.queue.clone(), reason: QueuedReason::AgentLost },
            ],
            _ => vec![],
        };
        // A guest may be asked to take it as well.
        bodies.extend(self.guest_lost(agent));
        bodies
    }
}

pub(super) fn ended(offer: &Offer, outcome: OfferOutcome, reason: &str) -> Body {
    Body::OfferEnded {
        offer: offer.id,
        agent: offer.agent.clone(),
        outcome,
        reason: Arc::from(reason),
    }
}
