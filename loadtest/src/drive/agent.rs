//! One agent: takes offers, talks in many conversations at once, hands some of
//! them over and closes others.

use super::RunError;
use super::agenda::Act;
use super::common::{Common, Held, Stage};
use super::crew::{Crew, Seat};
use super::person::{Asked, Person};
use super::recorder::Counter;
use super::visitor::ATTRIBUTE;
use crate::credentials::Login;
use crate::payload::{Payload, Side};
use crate::plan::Dice;
use frontdesk_client::Heard;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AcceptOffer, AgentState, AgentStatus, DeclineOffer, Event, EventPush, OfferPush, SetStatus,
    TransferConversation,
};
use frontdesk_results::{Offence, Violation};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long an agent waits at the end for visitors to close.
const LEAVE_WITHIN: Duration = Duration::from_secs(12);

/// An agent who is online.
pub(super) struct Agent {
    person: Person,
    dice: Dice,
    /// Chats it may have at once; 0 while not known.
    capacity: u32,
    /// How often it had conversations before that it has handed over: their
    /// events begin with that when they come back.
    turns_before: HashMap<String, u32>,
}

impl Agent {
    /// Signs in and goes online.
    pub(super) async fn come(
        common: Arc<Common>,
        crew: &Crew,
        n: u32,
        login: &Login,
    ) -> Result<Self, RunError> {
        let (mut session, welcome) = crew.staff(&common, Seat::Agent(n), login).await?;
        let status = AgentStatus::Online.into();
        session.ask(Request::SetStatus(SetStatus { status, reason: String::new() })).await?;
        let dice = Dice::of(common.scenario.seed, "accept", n);
        let mut person = Person::new(common, session, Side::Agent, n);
        person.alone = None;
        person.id = welcome.you.as_ref().map(|you| you.id.clone()).unwrap_or_default();
        let capacity = welcome.agent_state.as_ref().map_or(0, |state| state.capacity);
        Ok(Self { person, dice, capacity, turns_before: HashMap::new() })
    }

    /// Works until the end.
    pub(super) async fn work(mut self, stage: watch::Receiver<Stage>) -> Result<(), RunError> {
        let common = self.person.common.clone();
        let _here = Held::new(&common.gauges.connections);
        let worked = self.take_turns(stage).await;
        // However it ended: what was said is audited.
        let left: Vec<u32> = self.person.lanes.keys().copied().collect();
        for key in left {
            self.person.finish(key, worked.is_ok()).await;
        }
        worked
    }

    async fn take_turns(&mut self, mut stage: watch::Receiver<Stage>) -> Result<(), RunError> {
        let mut deadline: Option<Instant> = None;
        loop {
            self.person.stage = *stage.borrow_and_update();
            if self.person.stage == Stage::Over && deadline.is_none() {
                deadline = Some(Instant::now() + LEAVE_WITHIN);
            }
            if deadline.is_some_and(|at| self.person.lanes.is_empty() || Instant::now() >= at) {
                return Ok(());
            }
            tokio::select! {
                biased;
                Ok(()) = stage.changed() => {}
                turn = self.person.next() => match turn? {
                    None => self.due(),
                    Some(heard) => {
                        self.heard(heard).await;
                        while let Some(heard) = self.person.session.heard() {
                            self.heard(heard).await;
                        }
                    }
                },
                () = tokio::time::sleep(LEAVE_WITHIN), if deadline.is_some() => {}
            }
        }
    }

    fn due(&mut self) {
        while let Some((_, act)) = self.person.agenda.take(self.person.common.since()) {
            match act {
                Act::Accept(conversation, offer) => self.accept(conversation, offer),
                _ if self.person.stage >= Stage::Draining => {}
                Act::Speak(key) => self.person.speak(key),
                Act::Type(key) => self.person.announce(key),
                Act::Close(key) => self.person.close(key),
                Act::Transfer(key) => self.transfer(key),
                Act::Cut | Act::Leave => {}
            }
        }
    }

    async fn heard(&mut self, heard: Heard) {
        match self.person.heard(heard) {
            Some(Heard::Event(push)) => self.event(*push).await,
            Some(Heard::Push(frame)) => match *frame {
                Frame::Offer(offer) => self.offered(offer),
                Frame::AgentState(state) => self.state(&state),
                _ => {}
            },
            Some(Heard::Connected(welcome)) => {
                if let Some(state) = &welcome.agent_state {
                    self.state(state);
                }
            }
            Some(Heard::Unfollowed { conversation, .. }) => {
                // Handed over while the connection was gone.
                if let Some(key) = self.person.index.get(&conversation).copied() {
                    self.person.finish(key, false).await;
                }
            }
            _ => {}
        }
    }

    fn state(&mut self, state: &AgentState) {
        let me = state.agent.as_ref().is_some_and(|agent| agent.id == self.person.id);
        if me && state.capacity > 0 {
            self.capacity = state.capacity;
        }
    }

    /// Offers of this run wait for a moment and are taken; others are left to
    /// people.
    fn offered(&mut self, offer: OfferPush) {
        let run = self.person.common.run;
        let OfferPush { conversation_id, offer_id, preview, .. } = offer;
        if Payload::of_preview(&preview).is_none_or(|payload| payload.run != run) {
            self.person.common.tell("somebody else waits in the queue; declined".to_owned());
            let reason = "busy with a load test".to_owned();
            let decline = DeclineOffer { conversation_id, offer_id, reason };
            return self.person.ask(Request::DeclineOffer(decline), Asked::Accept);
        }
        let wait = self.person.common.scenario.load.agents.accept_seconds.draw(&mut self.dice);
        if wait > 0.0 {
            let at = self.person.common.since() + Duration::from_secs_f64(wait);
            self.person.agenda.add(at, Act::Accept(conversation_id, offer_id));
        } else {
            self.accept(conversation_id, offer_id);
        }
    }

    fn accept(&mut self, conversation_id: String, offer_id: String) {
        let accept = AcceptOffer { conversation_id, offer_id };
        self.person.ask(Request::AcceptOffer(accept), Asked::Accept);
    }

    async fn event(&mut self, push: EventPush) {
        let Some(event) = &push.event else { return };
        let known = self.person.index.get(&event.conversation_id).copied();
        let Some(key) = known.or_else(|| self.meet(event)) else { return };
        self.person.event(key, &push);
        match &event.body {
            Some(Body::Assigned(_)) if self.has(key) => self.assigned(key),
            Some(Body::Released(_)) => self.released(key).await,
            Some(Body::Closed(_)) => {
                self.turns_before.remove(&event.conversation_id);
                self.person.finish(key, true).await;
            }
            _ => {}
        }
    }

    /// It has handed the conversation over, unless that is history.
    async fn released(&mut self, key: u32) {
        let Some(lane) = self.person.lanes.get(&key).filter(|lane| lane.present) else { return };
        self.turns_before.insert(lane.conversation.clone(), lane.turns);
        self.person.finish(key, false).await;
    }

    /// A conversation begins with what its visitor's end has put there.
    fn meet(&mut self, event: &Event) -> Option<u32> {
        let Some(Body::Started(started)) = &event.body else { return None };
        let (run, number) = started.attributes.get(ATTRIBUTE)?.split_once('-')?;
        let of_this = u32::from_str_radix(run, 16).ok()? == self.person.common.run;
        let number = u32::from_str_radix(number, 16).ok().filter(|_| of_this)?;
        Some(self.person.add_lane(event.conversation_id.clone(), number))
    }

    fn has(&self, key: u32) -> bool {
        let holder = self.person.lanes.get(&key).and_then(|lane| lane.holder.as_deref());
        holder == Some(&self.person.id)
    }

    fn assigned(&mut self, key: u32) {
        let common = self.person.common.clone();
        let Some(lane) = self.person.lanes.get_mut(&key) else { return };
        lane.turns += 1;
        if lane.turns <= self.turns_before.get(&lane.conversation).copied().unwrap_or(0) {
            return;
        }
        lane.present = true;
        for _ in 0..std::mem::take(&mut lane.heard_before) {
            common.count(self.person.shard, Counter::Delivered);
        }
        let (number, conversation) = (lane.number, lane.conversation.clone());
        self.check_capacity(&conversation);
        if self.person.stage < Stage::Draining {
            let due = arrival(&common, number) + common.scenario.load.talk.lead;
            self.person.begin(key, due.max(common.since()));
        }
    }

    fn check_capacity(&mut self, conversation: &str) {
        let mine = self.person.lanes.keys().filter(|key| self.has(**key)).count();
        if self.capacity > 0 && mine > self.capacity as usize {
            self.person.findings.note(Offence {
                violation: Violation::OverCapacity,
                conversation: self.person.id.clone(),
                sender: None,
                number: None,
                seq: None,
                detail: format!("{mine} chats of {} with {conversation}", self.capacity),
            });
        }
    }

    fn transfer(&mut self, key: u32) {
        if !self.has(key) {
            return;
        }
        let Some(lane) = self.person.lanes.get_mut(&key) else { return };
        lane.active = false;
        let transfer = TransferConversation {
            conversation_id: lane.conversation.clone(),
            target: Some(Target::Queue(lane.queue.clone())),
            note: "handed over by the load test".to_owned(),
            warm: false,
        };
        self.person.ask(Request::Transfer(transfer), Asked::Transfer);
    }
}

/// When the visitor of a conversation was meant to come; zero when that is
/// decided by how the run goes.
fn arrival(common: &Common, number: u32) -> Duration {
    let place = common.plan.places.get(number as usize).map(|stay| stay.from);
    common.plan.arrivals.get(number as usize).copied().or(place).unwrap_or_default()
}
