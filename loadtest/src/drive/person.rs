//! What visitors and agents have in common: a connection, lanes, an agenda, and
//! the requests that are under way. All that is ready goes out together.

use super::RunError;
use super::agenda::{Act, Agenda};
use super::common::{Common, Stage};
use super::lane::{Lane, Next};
use super::recorder::{Counter, Timer};
use crate::audit::Findings;
use crate::payload::{Payload, Side};
use frontdesk_client::{Heard, Session, UploadError, upload};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    Attachment, Audience, CloseConversation, Event, EventPush, MarkRead, SendMessage, Typing,
};
use frontdesk_results::{Offence, Violation};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// How long before a message "typing" is shown.
const TYPING_AHEAD: Duration = Duration::from_millis(800);
/// What is uploaded: large enough to be a file, small enough not to be the load.
const FILE: &[u8; 2_048] = &[b'x'; 2_048];

/// What an answer belongs to.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// The conversation's start.
    Start,
    /// A message of a lane.
    Message(u32, u32),
    /// The end of a conversation.
    Close,
    /// Handing a conversation over.
    Transfer,
    /// An offer was taken.
    Accept,
    /// Anything else, counted when it is done.
    Other(Counter),
}

type Uploading = BoxFuture<'static, (u32, Next, Result<Attachment, UploadError>)>;

pub(super) struct Person {
    pub(super) common: Arc<Common>,
    pub(super) session: Session,
    pub(super) agenda: Agenda,
    pub(super) lanes: BTreeMap<u32, Lane>,
    /// Conversation → lane.
    pub(super) index: HashMap<String, u32>,
    pub(super) under_way: HashMap<u32, Asked>,
    pub(super) findings: Findings,
    pub(super) stage: Stage,
    pub(super) shard: u32,
    /// Who this person is to the server.
    pub(super) id: String,
    side: Side,
    uploads: FuturesUnordered<Uploading>,
    next_lane: u32,
    /// Since when it has been without a connection.
    pub(super) alone: Option<Instant>,
}

impl Person {
    pub(super) fn new(common: Arc<Common>, session: Session, side: Side, shard: u32) -> Self {
        Self {
            common,
            session,
            agenda: Agenda::default(),
            lanes: BTreeMap::new(),
            index: HashMap::new(),
            under_way: HashMap::new(),
            findings: Findings::default(),
            stage: Stage::Running,
            shard,
            id: String::new(),
            side,
            uploads: FuturesUnordered::new(),
            next_lane: 0,
            alone: Some(Instant::now()),
        }
    }

    /// Waits for what happens next: something heard, or `None` when something on
    /// the agenda is due. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Option<Heard>, RunError> {
        tokio::select! {
            biased;
            () = self.agenda.rings(&self.common) => Ok(None),
            heard = self.session.next() => Ok(Some(heard?)),
            Some(done) = self.uploads.next(), if !self.uploads.is_empty() => {
                self.uploaded(done);
                Ok(None)
            }
        }
    }

    pub(super) fn add_lane(&mut self, conversation: String, number: u32) -> u32 {
        let key = self.next_lane;
        self.next_lane += 1;
        self.index.insert(conversation.clone(), key);
        self.lanes.insert(key, Lane::new(&self.common, conversation, number, self.side));
        key
    }

    /// Files one lane with the audit and forgets it.
    pub(super) async fn finish(&mut self, key: u32, complete: bool) {
        let Some(lane) = self.lanes.remove(&key) else { return };
        self.index.remove(&lane.conversation);
        self.session.forget(&lane.conversation);
        if let Some(number) = lane.waits_for() {
            let (side, conversation) = (self.side, &lane.conversation);
            self.common.tell(format!("{side}'s message {number} in {conversation}: no answer"));
        }
        self.common.found(std::mem::take(&mut self.findings));
        self.common.file(lane.into_dossier(complete)).await;
    }

    /// Puts everything a lane will do on the agenda.
    pub(super) fn begin(&mut self, key: u32, base: Duration) {
        let now = self.common.since();
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.begin(&self.common, base, now);
        if let Some(at) = lane.close_at() {
            self.agenda.add(at, Act::Close(key));
        }
        if let Some(at) = lane.transfer_at().filter(|_| self.side == Side::Agent) {
            self.agenda.add(at, Act::Transfer(key));
        }
        let window = lane.window();
        for _ in 0..window {
            self.improvise(key);
        }
        self.schedule(key);
    }

    fn schedule(&mut self, key: u32) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        let Some(next) = lane.peek(&self.common) else { return };
        if next.typing {
            self.agenda.add(next.at.saturating_sub(TYPING_AHEAD), Act::Type(key));
        }
        self.agenda.add(next.at, Act::Speak(key));
    }

    /// Says what is due on a lane.
    pub(super) fn speak(&mut self, key: u32) {
        let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.active) else { return };
        let Some(next) = lane.take() else { return };
        self.common.time(self.shard, Timer::Late, next.at);
        if next.attachment {
            self.upload(key, next);
        } else {
            self.send(key, next, Vec::new());
        }
        self.schedule(key);
    }

    /// Says something at once: the window has room.
    pub(super) fn improvise(&mut self, key: u32) {
        let now = self.common.since();
        if let Some(lane) = self.lanes.get_mut(&key) {
            let next = lane.improvised(&self.common, now);
            self.send(key, next, Vec::new());
        }
    }

    fn upload(&mut self, key: u32, next: Next) {
        let Some(lane) = self.lanes.get(&key) else { return };
        let cell = &self.common.cells[self.shard as usize % self.common.cells.len()];
        let (address, token) = (cell.addresses[0].clone(), self.session.token().to_owned());
        let conversation = lane.conversation.clone();
        self.uploads.push(Box::pin(async move {
            (key, next, upload(&address, &token, &conversation, "picture.bin", FILE).await)
        }));
    }

    fn uploaded(&mut self, (key, next, result): (u32, Next, Result<Attachment, UploadError>)) {
        match result {
            Ok(attachment) => {
                self.count(Counter::Attachments);
                self.send(key, next, vec![attachment.id]);
            }
            Err(error) => {
                self.count(Counter::Refused);
                self.common.tell(format!("upload: {error}"));
            }
        }
    }

    fn send(&mut self, key: u32, next: Next, attachment_ids: Vec<String>) {
        let Some(lane) = self.lanes.get_mut(&key).filter(|lane| !lane.closed) else { return };
        if self.session.is_full() {
            return self.count(Counter::Unsent);
        }
        let (number, text) = lane.speak(&self.common, next.at, next.bytes);
        let send = SendMessage {
            conversation_id: lane.conversation.clone(),
            client_msg_id: lane.client_msg_id(&self.common, number),
            text,
            attachment_ids,
            after_client_msg_id: String::new(),
        };
        self.ask(Request::Send(send), Asked::Message(key, number));
        self.count(Counter::Sent);
    }

    pub(super) fn announce(&mut self, key: u32) {
        if let Some(lane) = self.lanes.get(&key).filter(|lane| lane.active) {
            let conversation_id = lane.conversation.clone();
            self.session.hint(Request::Typing(Typing { conversation_id, typing: true }));
            self.count(Counter::Typing);
        }
    }

    pub(super) fn close(&mut self, key: u32) {
        if let Some(lane) = self.lanes.get_mut(&key).filter(|lane| !lane.closed) {
            lane.active = false;
            let conversation_id = lane.conversation.clone();
            self.ask(Request::Close(CloseConversation { conversation_id }), Asked::Close);
        }
    }

    pub(super) fn ask(&mut self, request: Request, asked: Asked) {
        match self.session.submit(request) {
            Ok(id) => _ = self.under_way.insert(id, asked),
            Err(_) => self.count(Counter::Unsent),
        }
    }

    pub(super) fn count(&self, counter: Counter) {
        self.common.count(self.shard, counter);
    }

    /// What every person does with what it hears; the rest is given back.
    pub(super) fn heard(&mut self, heard: Heard) -> Option<Heard> {
        match heard {
            Heard::Connected(welcome) => {
                self.connected();
                Some(Heard::Connected(welcome))
            }
            Heard::Lost(why) => {
                self.common.lost(&why);
                self.alone.get_or_insert_with(Instant::now);
                Some(Heard::Lost(why))
            }
            Heard::Deferred { id, .. } => {
                self.count(Counter::Deferred);
                if let Some(Asked::Message(key, number)) = self.under_way.get(&id)
                    && let Some(lane) = self.lanes.get_mut(key)
                {
                    lane.repeated(*number);
                }
                None
            }
            Heard::Breach { conversation, breach } => {
                self.findings.breach(&conversation, breach, self.side.name());
                None
            }
            Heard::Answer { id, frame } => {
                let asked = self.under_way.remove(&id)?;
                self.answered(&asked, &frame);
                Some(Heard::Answer { id, frame })
            }
            other => Some(other),
        }
    }

    fn connected(&mut self) {
        self.count(Counter::Connected);
        if let Some(alone) = self.alone.take() {
            let taken = alone.elapsed();
            let begin = self.common.since().saturating_sub(taken);
            self.common.recorder.time(self.shard, Timer::Connect, begin, taken);
        }
        if self.session.connections() > 1 {
            self.count(Counter::Reconnects);
            self.lanes.values_mut().for_each(Lane::all_repeated);
        }
    }

    fn answered(&mut self, asked: &Asked, frame: &Frame) {
        let refused = matches!(frame, Frame::Error(_));
        match asked {
            Asked::Message(key, number) => self.message_answered(*key, *number, frame),
            Asked::Other(counter) if !refused => self.count(*counter),
            Asked::Transfer if !refused => self.count(Counter::Transferred),
            // An offer may be gone, and both may close at once.
            Asked::Accept | Asked::Close => {}
            Asked::Start if refused => {
                // There is no conversation: nothing to wait for.
                self.lanes.values_mut().for_each(|lane| lane.closed = true);
                self.answered_at_last();
                self.refused(frame);
            }
            _ if refused => self.refused(frame),
            _ => {}
        }
    }

    fn message_answered(&mut self, key: u32, number: u32, frame: &Frame) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            // Closed or handed over while it was on its way.
            return self.answered_at_last();
        };
        let Frame::Sent(sent) = frame else {
            lane.refused(number);
            // Whoever talks into a conversation that was just closed or handed
            // over is told so; that is no failure.
            let unexpected = lane.active && !lane.closed;
            self.answered_at_last();
            if unexpected {
                self.refused(frame);
            }
            return;
        };
        if let Some((intended, actual)) = lane.acknowledged(number, Some(sent.seq)) {
            self.count(Counter::Acknowledged);
            self.common.time(self.shard, Timer::Ack, intended);
            let service = self.common.since().saturating_sub(actual);
            self.common.recorder.time(self.shard, Timer::Service, intended, service);
        }
        let draining = self.stage >= Stage::Draining;
        if self.lanes.get(&key).is_some_and(|lane| lane.window() > 0 && lane.active) && !draining {
            self.improvise(key);
        }
    }

    /// A message has its final answer, though nobody counts it as acknowledged.
    fn answered_at_last(&self) {
        self.common.gauges.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, frame: &Frame) {
        self.count(Counter::Refused);
        if let Frame::Error(error) = frame {
            let text = format!("{}: refused: {} ({:?})", self.side, error.message, error.code());
            self.common.tell(text);
        }
    }

    /// An event of a lane: what the audit and the figures make of it.
    pub(super) fn event(&mut self, key: u32, push: &EventPush) {
        let Some(event) = &push.event else { return };
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        if self.side == Side::Visitor && event.audience() == Audience::Internal {
            let detail = "an internal event that reached the visitor".to_owned();
            self.findings.note(Offence {
                violation: Violation::Leaked,
                conversation: lane.conversation.clone(),
                sender: None,
                number: None,
                seq: Some(event.seq),
                detail,
            });
        }
        match &event.body {
            Some(Body::Message(message)) => {
                let heard = lane.ear.message(&message.text, event.seq, &mut self.findings);
                self.message(key, event, &message.text, heard);
            }
            Some(Body::Assigned(assigned)) => {
                let agent = assigned.agent.as_ref().map(|a| a.id.clone()).unwrap_or_default();
                lane.segment += 1;
                if let Some(before) = lane.holder.replace(agent.clone()) {
                    self.findings.note(Offence {
                        violation: Violation::TwoAgents,
                        conversation: lane.conversation.clone(),
                        sender: None,
                        number: None,
                        seq: Some(event.seq),
                        detail: format!("assigned to {agent} while {before} had it"),
                    });
                }
            }
            Some(Body::Queued(queued)) => lane.queue.clone_from(&queued.queue),
            Some(Body::Released(_)) => {
                // Whoever had it has heard what came before.
                lane.holder = None;
                lane.heard_before = 0;
            }
            Some(Body::Closed(_)) => {
                lane.holder = None;
                lane.closed = true;
                lane.active = false;
            }
            _ => {}
        }
    }

    fn message(&mut self, key: u32, event: &Event, text: &str, heard: Option<Payload>) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        let Some(payload) = heard else {
            if self.side == Side::Agent && of_an_agent(text) {
                lane.agent_lines += 1;
            }
            return;
        };
        let first = payload.speaker.side == Side::Visitor && payload.number == 1;
        if !lane.present {
            lane.heard_before += 1;
            return;
        }
        let reads = lane.dice.happens(self.common.scenario.load.talk.read);
        let conversation_id = lane.conversation.clone();
        self.count(Counter::Delivered);
        if !first {
            self.common.time(self.shard, Timer::Receipt, payload.intended);
        }
        if reads && self.stage < Stage::Draining {
            let seq = event.seq;
            self.session.hint(Request::MarkRead(MarkRead { conversation_id, seq }));
            self.count(Counter::Read);
        }
    }
}

fn of_an_agent(text: &str) -> bool {
    Payload::decode(text).is_some_and(|payload| payload.speaker.side == Side::Agent)
}
