//! What a session makes of the frames it receives.

use super::unanswered::{Asker, Pending, Refusal};
use super::{Heard, Session};
use crate::close::Ended;
use crate::codec::BatchLimits;
use crate::order::Breach;
use crate::to_duration;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ClientFrame, Cursor, Error, ErrorCode, EventPush, Pong, ServerBatch, ServerFrame,
    TokenRefreshed, Welcome,
};
use frontdesk_proto::wkt::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

impl Session {
    pub(super) fn receive(&mut self, batch: ServerBatch) {
        for frame in batch.frames {
            if let Some(ended) = self.frame(frame) {
                return self.lost(&ended);
            }
        }
    }

    /// `Some` ends the connection.
    fn frame(&mut self, ServerFrame { id, frame }: ServerFrame) -> Option<Ended> {
        match frame? {
            Frame::Welcome(welcome) => self.welcome(welcome),
            Frame::Event(push) => self.event(push),
            Frame::Ping(_) => self.hint(Request::Pong(Pong {})),
            Frame::Move(order) => {
                self.move_at = Some(Instant::now() + to_duration(order.delay.as_ref()));
                self.inbox.push_back(Heard::Push(Box::new(Frame::Move(order))));
            }
            Frame::Bye(bye) => return Some(Ended::Closed { code: bye.code, reason: bye.reason }),
            Frame::Error(error) => self.error(id, error),
            push if id == 0 => self.inbox.push_back(Heard::Push(Box::new(push))),
            answer => self.answer(id, answer),
        }
        None
    }

    fn welcome(&mut self, welcome: Box<Welcome>) {
        let (bytes, frames) = (welcome.max_batch_bytes as usize, welcome.max_batch_frames as usize);
        if bytes > 0 && frames > 0 {
            self.limits = BatchLimits { bytes, frames };
        }
        if let Some(interval) = &welcome.ping_interval {
            self.ping_interval = to_duration(Some(interval)).max(Duration::from_millis(100));
        }
        self.server_clock = welcome.server_time.map(|time| (time.seconds, Instant::now()));
        self.refresh_before(welcome.token_expires_at);
        self.welcomed();
        self.inbox.push_back(Heard::Connected(welcome));
    }

    /// A token is refreshed when four fifths of its remaining life are over.
    fn refresh_before(&mut self, expires: Option<Timestamp>) {
        self.refresh_at = self.server_clock.zip(expires).and_then(|((then, at), expires)| {
            let life = Duration::from_secs(u64::try_from(expires.seconds - then).ok()?);
            let left = life.checked_sub(at.elapsed())?;
            Some(Instant::now() + left.mul_f64(0.8))
        });
    }

    fn event(&mut self, push: EventPush) {
        let Some(event) = &push.event else { return };
        let conversation = &event.conversation_id;
        if !self.readings.contains_key(conversation) {
            if push.prev != 0 && self.forgotten.contains(conversation) {
                return;
            }
            self.forgotten.retain(|forgotten| forgotten != conversation);
            self.readings.insert(conversation.clone(), Default::default());
        }
        let Some(reading) = self.readings.get_mut(conversation) else { return };
        let verdict = reading.event(event.seq, push.prev);
        let seen = reading.seen();
        if let Some(breach) = verdict.breach {
            let conversation = conversation.clone();
            self.inbox.push_back(Heard::Breach { conversation, breach });
        }
        if verdict.subscribe {
            self.heal(Cursor { conversation_id: conversation.clone(), seq: seen });
        }
        if verdict.take {
            self.inbox.push_back(Heard::Event(Box::new(push)));
        }
    }

    fn answer(&mut self, id: u32, frame: Frame) {
        let Some(pending) = self.unanswered.answered(id) else { return };
        self.may_repeat_events(&pending);
        if let Frame::TokenRefreshed(refreshed) = &frame {
            self.refreshed(refreshed);
        }
        if pending.asker == Asker::User {
            self.inbox.push_back(Heard::Answer { id, frame: Box::new(frame) });
        }
    }

    /// Behind some answers events come again that were seen already.
    fn may_repeat_events(&mut self, pending: &Pending) {
        let repeated = pending.repeated;
        let conversation = match &pending.frame.request {
            Some(Request::Subscribe(r)) => r.cursor.as_ref().map(|c| &c.conversation_id),
            Some(Request::Start(r)) if repeated => Some(&r.conversation_id),
            Some(Request::AcceptOffer(r)) if repeated => Some(&r.conversation_id),
            _ => None,
        };
        if let Some(reading) = conversation.and_then(|id| self.readings.get_mut(id)) {
            match &pending.frame.request {
                Some(Request::Subscribe(_)) => reading.subscribed(),
                _ => reading.forgive(),
            }
        }
    }

    fn refreshed(&mut self, refreshed: &TokenRefreshed) {
        self.settings.token.clone_from(&refreshed.token);
        self.refresh_before(refreshed.expires_at);
    }

    fn error(&mut self, id: u32, error: Error) {
        let conversation = self.unanswered.get(id).and_then(|p| healed_conversation(&p.frame));
        match self.unanswered.refused(id, &error, Instant::now(), rand::random()) {
            Refusal::Retried => self.inbox.push_back(Heard::Deferred { id, error }),
            Refusal::Final(Asker::User) => {
                self.inbox.push_back(Heard::Answer { id, frame: Box::new(Frame::Error(error)) });
            }
            Refusal::Final(Asker::Healing) => {
                self.unfollowed(conversation.unwrap_or_default(), error);
            }
            Refusal::Final(Asker::Token) => {}
            Refusal::Unknown if self.readings.contains_key(&error.conversation_id) => {
                self.not_resumed(error);
            }
            Refusal::Unknown => self.inbox.push_back(Heard::Push(Box::new(Frame::Error(error)))),
        }
    }

    /// A conversation could not be resumed, or its events cannot be read.
    fn not_resumed(&mut self, error: Error) {
        let conversation_id = error.conversation_id.clone();
        if !error.retryable {
            return self.unfollowed(conversation_id, error);
        }
        // Asked like a request that was refused for the moment.
        let seq = self.cursor(&conversation_id);
        self.heal(Cursor { conversation_id, seq });
        self.inbox.push_back(Heard::Deferred { id: 0, error });
    }

    fn unfollowed(&mut self, conversation: String, error: Error) {
        let had = self.readings.remove(&conversation).map_or(0, |reading| reading.seen());
        if error.code() == ErrorCode::InvalidArgument && had > 0 {
            let breach = Breach::Forgotten { had };
            let conversation = conversation.clone();
            self.inbox.push_back(Heard::Breach { conversation, breach });
        }
        self.inbox.push_back(Heard::Unfollowed { conversation, error });
    }
}

fn healed_conversation(frame: &ClientFrame) -> Option<String> {
    match frame.request.as_ref()? {
        Request::Subscribe(subscribe) => Some(subscribe.cursor.as_ref()?.conversation_id.clone()),
        _ => None,
    }
}
