//! Who may do what, when. Reads the state, never changes it.

use super::command::{Command, Outcome, Reject, StartRequest, TransferTarget};
use super::event::{Attachment, Body, ClosedReason, OfferOutcome, QueuedReason, ReleasedReason};
use super::limits::*;
use super::state::{Conversation, Offer, Phase};
use crate::ids::{AgentId, ClientMsgId, OfferId, QueueId, Seq};
use crate::party::{Audience, Origin, Participant, Principal, Role};
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
    }];
    if let Some((id, text)) = &start.first_message {
        check_text(text, &[])?;
        drafts.push(Body::Message {
            client_msg_id: id.clone(),
            text: text.clone(),
            attachments: Vec::new(),
        });
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
            Origin::Client(who) => {
                self.authorize(who, command)?;
                who.participant()
            }
            Origin::System => Participant::system(),
        };
        if self.head.get() >= MAX_EVENTS {
            return Err(Reject::State("the conversation has reached its greatest length"));
        }
        let (drafts, outcome) = self.bodies(&by, command, now)?;
        let outcome = outcome.or_else(|| drafts.is_empty().then_some(Outcome::Done));
        Ok(Decision { by, drafts, outcome })
    }

    /// Whether the caller may know of this conversation at all. A supervisor
    /// sees the site's; an agent those it has, had last, or is offered.
    pub fn may_read(&self, who: &Principal) -> bool {
        if who.site != self.site {
            return false;
        }
        match who.role {
            Role::Supervisor => true,
            Role::Visitor => who.id == self.visitor.id,
            Role::Agent => {
                let is = |p: &Participant| p.id == who.id;
                self.last_agent.as_ref().is_some_and(is) || self.holder().is_some_and(is)
            }
        }
    }

    /// Who has it or is being asked.
    fn holder(&self) -> Option<&Participant> {
        match &self.phase {
            Phase::Offered(offer) => Some(&offer.agent),
            Phase::Assigned { agent, .. } => Some(agent),
            Phase::Waiting | Phase::Closed { .. } => None,
        }
    }

    fn authorize(&self, who: &Principal, command: &Command) -> Result<(), Reject> {
        if !self.may_read(who) {
            return Err(Reject::NotFound);
        }
        let visitor = who.role == Role::Visitor;
        match command {
            Command::Start(_) | Command::Reopen | Command::Rate { .. } => {
                require(visitor, "only the visitor may do this")
            }
            Command::Send { .. } | Command::Typing { .. } | Command::MarkRead { .. } => {
                require(visitor || self.has(who), "only the assigned agent may do this")
            }
            Command::Close => require(
                visitor || self.has(who) || who.role == Role::Supervisor || self.is_closed(),
                "only the assigned agent may do this",
            ),
            Command::Note { .. } | Command::SetTags { .. } => {
                require(!visitor, "only the staff may do this")
            }
            Command::Transfer { .. } => {
                require(!visitor, "only the staff may do this")?;
                require(self.has(who), "only the assigned agent may do this")
            }
            Command::Offer { .. }
            | Command::Accept { .. }
            | Command::EndOffer { .. }
            | Command::AgentLost { .. } => Err(Reject::Forbidden("only routing may do this")),
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    fn has(&self, who: &Principal) -> bool {
        matches!(&self.phase, Phase::Assigned { agent, .. } if agent.id == who.id)
    }

    fn bodies(
        &self,
        by: &Participant,
        command: &Command,
        now: Timestamp,
    ) -> Result<(Vec<Body>, Option<Outcome>), Reject> {
        let events = match command {
            // A retried start: the conversation is there and is the caller's.
            Command::Start(_) => vec![],
            Command::Send { client_msg_id, text, attachments } => {
                if let Some(said) = self.said_before(by, client_msg_id) {
                    return Ok((vec![], Some(said)));
                }
                self.send(client_msg_id, text, attachments)?
            }
            Command::Note { client_msg_id, text } => {
                if let Some(said) = self.said_before(by, client_msg_id) {
                    return Ok((vec![], Some(said)));
                }
                check_text(text, &[])?;
                let (client_msg_id, text) = (client_msg_id.clone(), text.clone());
                vec![Body::Note { client_msg_id, text }]
            }
            Command::MarkRead { seq } => self.read(by, *seq)?,
            Command::Typing { .. } => vec![],
            Command::Close => self.close(by),
            Command::Reopen => self.reopen(),
            Command::Rate { score, comment } => self.rate(*score, comment)?,
            Command::Transfer { target, note } => self.transfer(target, note)?,
            Command::SetTags { tags } => self.set_tags(tags)?,
            Command::Offer { offer, agent, expires_at } => {
                self.offer(*offer, agent, *expires_at)?
            }
            Command::Accept { offer, agent } => self.accept(*offer, *agent, now)?,
            Command::EndOffer { offer, outcome, reason } => {
                self.end_offer(*offer, *outcome, reason)
            }
            Command::AgentLost { agent } => self.agent_lost(*agent),
        };
        Ok((events, None))
    }

    fn said_before(&self, by: &Participant, id: &ClientMsgId) -> Option<Outcome> {
        let (seq, at) = self.recent.find(by.id, id)?;
        Some(Outcome::Sent { seq, at, duplicate: true })
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
        let audience =
            if by.id == self.visitor.id { Audience::Public } else { Audience::Internal };
        if seq > self.head_for(audience) {
            return Err(Reject::Invalid("seq is beyond the last event"));
        }
        Ok(vec![])
    }

    fn close(&self, by: &Participant) -> Vec<Body> {
        let reason = if by.id == self.visitor.id {
            ClosedReason::ByVisitor
        } else {
            ClosedReason::ByAgent
        };
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

    fn transfer(&self, target: &TransferTarget, note: &Arc<str>) -> Result<Vec<Body>, Reject> {
        let Phase::Assigned { agent, .. } = &self.phase else {
            return Err(Reject::State("the conversation is not assigned"));
        };
        if note.len() > MAX_HANDOVER_BYTES {
            return Err(Reject::Invalid("the hand-over note is too long"));
        }
        let (to_queue, to_agent) = match target {
            TransferTarget::Queue(queue) => (queue.clone(), None),
            TransferTarget::Agent(to) if to.id == agent.id => {
                return Err(Reject::Invalid("the agent has the conversation already"));
            }
            TransferTarget::Agent(to) => (self.queue.clone(), Some(to.clone())),
        };
        Ok(vec![
            Body::Transferred { to_queue: to_queue.clone(), to_agent, note: note.clone() },
            Body::Released { agent: agent.clone(), reason: ReleasedReason::Transferred },
            Body::Queued { queue: to_queue, reason: QueuedReason::Transferred },
        ])
    }

    fn rate(&self, score: u8, comment: &Arc<str>) -> Result<Vec<Body>, Reject> {
        if !(1..=5).contains(&score) {
            return Err(Reject::Invalid("the score is not 1 to 5"));
        }
        if comment.len() > MAX_COMMENT_BYTES {
            return Err(Reject::Invalid("the comment is too long"));
        }
        let same = self.rating.as_ref().is_some_and(|(s, c)| *s == score && c == comment);
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
    ) -> Result<Vec<Body>, Reject> {
        match &self.phase {
            Phase::Offered(open) if open.id == offer => Ok(vec![]),
            Phase::Waiting => Ok(vec![Body::Offered { offer, agent: agent.clone(), expires_at }]),
            _ => Err(Reject::State("the conversation does not wait")),
        }
    }

    fn accept(
        &self,
        offer: OfferId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<Body>, Reject> {
        match &self.phase {
            Phase::Assigned { agent: has, .. } if has.agent_id() == Some(agent) => Ok(vec![]),
            Phase::Offered(open) if open.id == offer && open.agent.agent_id() == Some(agent) => {
                if now > open.expires_at {
                    return Err(Reject::State("the offer has expired"));
                }
                Ok(vec![Body::Assigned { agent: open.agent.clone() }])
            }
            _ => Err(Reject::State("the offer is gone")),
        }
    }

    fn end_offer(&self, offer: OfferId, outcome: OfferOutcome, reason: &Arc<str>) -> Vec<Body> {
        match &self.phase {
            Phase::Offered(open) if open.id == offer => vec![ended(open, outcome, reason)],
            // Gone already: ending it again changes nothing.
            _ => vec![],
        }
    }

    fn agent_lost(&self, agent: AgentId) -> Vec<Body> {
        match &self.phase {
            Phase::Offered(open) if open.agent.agent_id() == Some(agent) => {
                vec![ended(open, OfferOutcome::Withdrawn, "")]
            }
            Phase::Assigned { agent: has, .. } if has.agent_id() == Some(agent) => vec![
                Body::Released { agent: has.clone(), reason: ReleasedReason::AgentLost },
                Body::Queued { queue: self.queue.clone(), reason: QueuedReason::AgentLost },
            ],
            _ => vec![],
        }
    }
}

fn require(ok: bool, why: &'static str) -> Result<(), Reject> {
    if ok { Ok(()) } else { Err(Reject::Forbidden(why)) }
}

fn ended(offer: &Offer, outcome: OfferOutcome, reason: &str) -> Body {
    Body::OfferEnded {
        offer: offer.id,
        agent: offer.agent.clone(),
        outcome,
        reason: Arc::from(reason),
    }
}

fn check_text(text: &str, attachments: &[Attachment]) -> Result<(), Reject> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Reject::Invalid("the text is longer than 32 KiB"));
    }
    if text.is_empty() && attachments.is_empty() {
        return Err(Reject::Invalid("the message is empty"));
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(Reject::Invalid("more than 10 attachments"));
    }
    Ok(())
}

fn check_start(start: &StartRequest, who: &Principal) -> Result<(), Reject> {
    let too_long = |k: &str, v: &str| {
        k.is_empty() || k.len() > MAX_ATTRIBUTE_KEY_BYTES || v.len() > MAX_ATTRIBUTE_VALUE_BYTES
    };
    let problem = if start.attributes.len() > MAX_ATTRIBUTES {
        "more than 32 attributes"
    } else if start.attributes.iter().any(|(k, v)| too_long(k, v)) {
        "an attribute's key or value is too long"
    } else if start.page.len() > MAX_PAGE_BYTES {
        "the page's address is too long"
    } else if start.language.len() > MAX_LANGUAGE_BYTES {
        "the language tag is too long"
    } else if who.name.chars().count() > MAX_NAME_CHARS {
        "the name is too long"
    } else {
        return Ok(());
    };
    Err(Reject::Invalid(problem))
}
