//! One visitor with one conversation, from its arrival to its end.

use super::agenda::Act;
use super::common::{Common, Held, Stage};
use super::crew::{Crew, Seat};
use super::person::{Asked, Person};
use super::recorder::{Counter, Timer};
use super::{RunError, cuts};
use crate::payload::{MAX_HEADER_BYTES, Side};
use frontdesk_client::Heard;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{EventPush, RateConversation, SendMessage, StartConversation};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a visitor waits at the end for the conversation to be closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// The attribute by which an agent knows a conversation: `RUN-NUMBER`, both in
/// hexadecimal.
pub(super) const ATTRIBUTE: &str = "loadtest";

/// Who comes when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    /// The conversation's number within the run.
    pub(super) number: u32,
    /// Intended arrival, since the run's begin.
    pub(super) arrival: Duration,
    /// Goes at the latest.
    pub(super) leave: Duration,
}

/// The whole visit. What the server refuses is counted, not returned.
pub(super) async fn visit(
    common: Arc<Common>,
    crew: Arc<Crew>,
    stage: watch::Receiver<Stage>,
    visit: Visit,
) -> Result<(), RunError> {
    let session = crew.visitor(&common, Seat::Visitor(visit.number)).await?;
    let person = Person::new(common.clone(), session, Side::Visitor, visit.number);
    let visitor = Visitor { person, visit, lane: 0, assigned: false };
    visitor.stay(stage).await
}

struct Visitor {
    person: Person,
    visit: Visit,
    lane: u32,
    assigned: bool,
}

impl Visitor {
    async fn stay(mut self, stage: watch::Receiver<Stage>) -> Result<(), RunError> {
        let common = self.person.common.clone();
        let _here = Held::new(&common.gauges.connections);
        self.start();
        self.plan(&common);
        let lived = self.live(&common, stage).await;
        // However it ended: what was said is audited.
        self.person.finish(self.lane, lived.is_ok()).await;
        lived
    }

    fn plan(&mut self, common: &Common) {
        // At the end of the run nobody leaves before all have fallen silent.
        if self.visit.leave < common.plan.length {
            self.person.agenda.add(self.visit.leave, Act::Leave);
        }
        for at in cuts::of(common, Seat::Visitor(self.visit.number), self.visit.arrival) {
            self.person.agenda.add(at, Act::Cut);
        }
    }

    /// Until the conversation is closed and every answer is there.
    async fn live(
        &mut self,
        common: &Common,
        mut stage: watch::Receiver<Stage>,
    ) -> Result<(), RunError> {
        let (mut open, mut waits) = (None, None);
        let mut deadline = None;
        while !self.is_over() {
            self.person.stage = *stage.borrow_and_update();
            if self.person.stage == Stage::Over && deadline.is_none() {
                deadline = Some(Instant::now() + CLOSE_WITHIN);
                self.person.close(self.lane);
            }
            tokio::select! {
                biased;
                Ok(()) = stage.changed() => {}
                turn = self.person.next() => match turn? {
                    None => self.due(),
                    Some(heard) => {
                        self.heard(heard);
                        while let Some(heard) = self.person.session.heard() {
                            self.heard(heard);
                        }
                    }
                },
                () = until(deadline) => break,
            }
            if open.is_none() && self.is_started() {
                open = Some(Held::new(&common.gauges.conversations));
                waits = Some(Held::new(&common.gauges.waiting));
            }
            waits = waits.filter(|_| !self.assigned);
        }
        Ok(())
    }

    fn start(&mut self) {
        let common = self.person.common.clone();
        let conversation_id = Uuid::now_v7().to_string();
        let Visit { number, arrival, .. } = self.visit;
        self.lane = self.person.add_lane(conversation_id.clone(), number);
        let Some(lane) = self.person.lanes.get_mut(&self.lane) else { return };
        let bytes = lane.script.first_bytes.max(MAX_HEADER_BYTES as u32);
        let (first, text) = lane.speak(&common, arrival, bytes);
        let client_msg_id = lane.client_msg_id(&common, first);
        let start = StartConversation {
            conversation_id,
            attributes: [(ATTRIBUTE.to_owned(), format!("{:x}-{number:x}", common.run))].into(),
            first_message: Some(SendMessage { client_msg_id, text, ..SendMessage::default() }),
            ..StartConversation::default()
        };
        self.person.ask(Request::Start(start), Asked::Start);
        self.person.count(Counter::Sent);
    }

    fn is_started(&self) -> bool {
        self.person
            .lanes
            .get(&self.lane)
            .is_some_and(|lane| lane.active || lane.waits_for().is_none())
    }

    /// Closed, and every answer is there.
    fn is_over(&self) -> bool {
        let closed = self.person.lanes.get(&self.lane).is_none_or(|lane| lane.closed);
        closed && self.person.session.unanswered() == 0
    }

    fn due(&mut self) {
        while let Some((_, act)) = self.person.agenda.take(self.person.common.since()) {
            match act {
                Act::Cut => self.person.session.cut(),
                _ if self.person.stage >= Stage::Draining => {}
                Act::Speak(key) => self.person.speak(key),
                Act::Type(key) => self.person.announce(key),
                Act::Close(key) => self.person.close(key),
                Act::Leave => self.person.close(self.lane),
                Act::Transfer(_) | Act::Accept(..) => {}
            }
        }
    }

    fn heard(&mut self, heard: Heard) {
        let asked = match &heard {
            Heard::Answer { id, .. } => self.person.under_way.get(id).cloned(),
            _ => None,
        };
        match self.person.heard(heard) {
            Some(Heard::Event(push)) => self.event(&push),
            Some(Heard::Answer { frame, .. }) => {
                if let (Some(Asked::Start), Frame::Conversation(_)) = (asked, &*frame) {
                    self.started();
                }
            }
            Some(Heard::Unfollowed { error, .. }) => {
                self.person.common.tell(format!("no longer followed: {}", error.message));
            }
            _ => {}
        }
    }

    fn started(&mut self) {
        let arrival = self.visit.arrival;
        let Some(lane) = self.person.lanes.get_mut(&self.lane) else { return };
        if lane.acknowledged(1, None).is_none() {
            return;
        }
        let conversation = lane.conversation.clone();
        let watched = self.person.common.scenario.load.supervisors.watch;
        if lane.dice.happens(watched) {
            // All supervisors of this worker are busy: one conversation less is watched.
            let _ = self.person.common.to_watch.try_send((conversation, self.visit.number));
        }
        self.person.count(Counter::Acknowledged);
        self.person.count(Counter::Started);
        self.person.common.time(self.person.shard, Timer::Start, arrival);
    }

    fn event(&mut self, push: &EventPush) {
        self.person.event(self.lane, push);
        match push.event.as_ref().and_then(|event| event.body.as_ref()) {
            Some(Body::Assigned(_)) => self.talk(),
            Some(Body::Closed(_)) => self.closed(),
            _ => {}
        }
    }

    /// An agent is there; the first time the talk begins.
    fn talk(&mut self) {
        self.person.count(Counter::Assigned);
        if std::mem::replace(&mut self.assigned, true) {
            return;
        }
        let arrival = self.visit.arrival;
        self.person.common.time(self.person.shard, Timer::Assign, arrival);
        if self.person.stage < Stage::Draining {
            let lead = self.person.common.scenario.load.talk.lead;
            let base = (arrival + lead).max(self.person.common.since());
            self.person.begin(self.lane, base);
        }
    }

    fn closed(&mut self) {
        self.person.count(Counter::Closed);
        let Some(lane) = self.person.lanes.get(&self.lane) else { return };
        let rating = lane.script.ending.and_then(|ending| ending.rating);
        if let Some(score) = rating.filter(|_| self.person.stage < Stage::Draining) {
            let conversation_id = lane.conversation.clone();
            let rate = RateConversation { conversation_id, score, comment: String::new() };
            self.person.ask(Request::Rate(rate), Asked::Other(Counter::Rated));
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
