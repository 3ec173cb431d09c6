//! From the events of one conversation to its record. Takes them in order, and never
//! needs one of them twice.

use super::record::{
    Answer, Asked, End, Episode, MAX_OPENING, OfferFact, Opening, Record, Rewait, Stint,
};
use crate::conversation::{Body, ClosedReason, Event, OfferOutcome, QueuedReason, ReleasedReason};
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::party::{Participant, Party};
use crate::time::Timestamp;
use std::sync::Arc;

/// A record in the making.
#[derive(Debug, Clone)]
pub struct Fold {
    record: Record,
    /// An episode that has begun and has no queue yet, with what the visitor said.
    beginning: Option<(Timestamp, u32)>,
    queue: Option<QueueId>,
    /// Since when something the visitor said has no answer.
    unanswered: Option<Timestamp>,
    /// Who of the staff spoke last.
    last_speaker: Option<AgentId>,
}

impl Fold {
    /// Before its first event.
    pub fn new(conversation: ConversationId) -> Self {
        let (language, tags, episodes) = (Arc::from(""), Vec::new(), Vec::new());
        let (channel, opening) = (Arc::from(""), Opening::default());
        let record = Record { conversation, language, tags, episodes, channel, opening };
        Self { record, beginning: None, queue: None, unanswered: None, last_speaker: None }
    }

    /// What the events so far come to.
    pub fn finish(self) -> Record {
        self.record
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        match &event.body {
            Body::Started { language, page, attributes, channel, .. } => {
                self.record.language = language.clone();
                self.record.channel = channel.clone();
                self.record.opening = Opening {
                    page: page.clone(),
                    attributes: attributes.clone(),
                    text: Arc::from(""),
                };
                self.begin(at);
            }
            Body::Reopened => self.begin(at),
            Body::Queued { queue, reason } => self.queued(queue, *reason, at),
            Body::Message { text, .. } => self.said(&event.by, text, at),
            Body::Offered { agent, .. } => self.offered(agent, at),
            Body::OfferEnded { outcome, .. } => self.offer_ended(match outcome {
                OfferOutcome::Declined => Asked::Declined,
                OfferOutcome::Expired => Asked::Missed,
                OfferOutcome::Withdrawn => Asked::Withdrawn,
            }),
            Body::Assigned { agent } => self.assigned(agent, at),
            Body::Released { agent, reason } => self.released(agent, *reason, at),
            Body::TagsChanged { tags } => self.record.tags.clone_from(tags),
            Body::Closed { reason } => self.closed(*reason, at),
            Body::Rated { score, .. } => {
                if let Some(episode) = self.record.episodes.last_mut() {
                    episode.rating = Some(*score);
                }
            }
            Body::Note { .. }
            | Body::Whisper { .. }
            | Body::Invited { .. }
            | Body::Joined { .. }
            | Body::Left { .. }
            | Body::PriorityChanged { .. }
            | Body::Transferred { .. }
            | Body::ContactAsked { .. }
            | Body::ContactLeft(_)
            | Body::AlarmRaised(_)
            | Body::TransferReturned { .. }
            | Body::Erased { .. } => {}
        }
    }

    fn begin(&mut self, at: Timestamp) {
        self.beginning = Some((at, 0));
        self.unanswered = None;
        self.last_speaker = None;
    }

    fn open(&mut self) -> Option<&mut Episode> {
        self.record.episodes.last_mut().filter(|episode| episode.ended.is_none())
    }

    fn queued(&mut self, queue: &QueueId, reason: QueuedReason, at: Timestamp) {
        self.queue = Some(queue.clone());
        if reason == QueuedReason::ContactLeft {
            self.begin(at);
        }
        if let Some((began_at, visitor_messages)) = self.beginning.take() {
            self.record.episodes.push(Episode {
                began_at,
                queue: queue.clone(),
                served: None,
                first_response: None,
                ended: None,
                stints: Vec::new(),
                rewaits: Vec::new(),
                answers: Vec::new(),
                offers: Vec::new(),
                transfers: Vec::new(),
                losses: Vec::new(),
                releases: Vec::new(),
                visitor_messages,
                staff_messages: Vec::new(),
                rating: None,
                requeues: Vec::new(),
                follow_ups: Vec::new(),
            });
            return;
        }
        if let Some(episode) = self.open() {
            episode.requeues.push((at, queue.clone()));
        }
        if let QueuedReason::Transferred | QueuedReason::AgentLost | QueuedReason::Released = reason
            && let Some(episode) = self.open()
        {
            episode.rewaits.push(Rewait { queue: queue.clone(), from: at, taken: None });
        }
    }

    fn said(&mut self, by: &Participant, text: &str, at: Timestamp) {
        if by.party == Party::Visitor {
            let opening = &mut self.record.opening.text;
            let is_beginning = self.beginning.is_some() && self.record.episodes.is_empty();
            if is_beginning && opening.is_empty() {
                let mut end = (0..=text.len().min(MAX_OPENING)).rev();
                let end = end.find(|i| text.is_char_boundary(*i)).unwrap_or(0);
                *opening = Arc::from(&text[..end]);
            }
            self.unanswered.get_or_insert(at);
            if let Some((_, messages)) = &mut self.beginning {
                *messages += 1;
            } else if let Some(episode) = self.open() {
                episode.visitor_messages += 1;
            }
            return;
        }
        let Some(agent) = by.agent_id() else { return };
        let asked_at = self.unanswered.take();
        let spoke_before = self.last_speaker.replace(agent);
        let Some(episode) = self.open() else { return };
        episode.first_response.get_or_insert((at, agent));
        episode.answers.extend(asked_at.map(|asked_at| Answer { agent, asked_at, at }));
        if asked_at.is_none() && spoke_before.is_some_and(|other| other != agent) {
            episode.follow_ups.push((at, agent));
        }
        match episode.staff_messages.iter_mut().find(|(who, _)| *who == agent) {
            Some((_, messages)) => *messages += 1,
            None => episode.staff_messages.push((agent, 1)),
        }
    }

    fn offered(&mut self, agent: &Participant, at: Timestamp) {
        let (Some(agent), Some(queue)) = (agent.agent_id(), self.queue.clone()) else { return };
        if let Some(episode) = self.open() {
            episode.offers.push(OfferFact { agent, queue, at, asked: None });
        }
    }

    fn offer_ended(&mut self, how: Asked) {
        let last = self.open().and_then(|episode| episode.offers.last_mut());
        if let Some(offer) = last.filter(|offer| offer.asked.is_none()) {
            offer.asked = Some(how);
        }
    }

    fn assigned(&mut self, who: &Participant, at: Timestamp) {
        self.offer_ended(Asked::Accepted);
        let (Some(agent), Some(queue)) = (who.agent_id(), self.queue.clone()) else { return };
        let Some(episode) = self.open() else { return };
        episode.served.get_or_insert((at, agent));
        if let Some(rewait) = episode.rewaits.last_mut().filter(|rewait| rewait.taken.is_none()) {
            rewait.taken = Some((at, agent));
        }
        let name = who.name.clone();
        episode.stints.push(Stint { agent, name, queue, from: at, to: None });
    }

    fn released(&mut self, who: &Participant, reason: ReleasedReason, at: Timestamp) {
        self.end_stint(at);
        let (Some(agent), Some(queue)) = (who.agent_id(), self.stint_queue()) else { return };
        let Some(episode) = self.open() else { return };
        match reason {
            ReleasedReason::Transferred => episode.transfers.push((at, agent, queue)),
            ReleasedReason::AgentLost => episode.losses.push((at, agent, queue)),
            ReleasedReason::Forced => episode.releases.push((at, agent, queue)),
            // It does not wait: the supervisor's stint follows.
            ReleasedReason::TakenOver => {}
        }
    }

    fn stint_queue(&mut self) -> Option<QueueId> {
        Some(self.open()?.stints.last()?.queue.clone())
    }

    fn end_stint(&mut self, at: Timestamp) {
        let last = self.open().and_then(|episode| episode.stints.last_mut());
        if let Some(stint) = last.filter(|stint| stint.to.is_none()) {
            stint.to = Some(at);
        }
    }

    fn closed(&mut self, reason: ClosedReason, at: Timestamp) {
        self.end_stint(at);
        self.unanswered = None;
        if let Some(episode) = self.open() {
            let how = match reason {
                ClosedReason::ByVisitor => End::Visitor,
                ClosedReason::ByAgent | ClosedReason::Erased => End::Staff,
                ClosedReason::Unserved(why) => End::Unserved(why),
                ClosedReason::VisitorLost => End::VisitorLost,
            };
            episode.ended = Some((at, how));
        }
    }
}

impl Episode {
    /// The agent who had it last.
    pub fn last_agent(&self) -> Option<AgentId> {
        self.stints.last().map(|stint| stint.agent)
    }
}
