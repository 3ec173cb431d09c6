//! The life of a session's connection: waiting, connecting, open, over; what
//! is written, and what happens at which time.

use super::unanswered::Asker;
use super::{Heard, Session, SessionError};
use crate::close::{Advice, Ended};
use crate::codec::Packer;
use crate::connection::{Connection, OpenError, Receiver, Sender};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientFrame, Cursor, Hello, RefreshToken, Subscribe};
use futures::future::BoxFuture;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Cursors of one Hello; the others are subscribed to afterwards.
const MAX_RESUMED: usize = 100;
/// How long a Welcome may take.
const WELCOME_WITHIN: Duration = Duration::from_secs(20);

type Opening = BoxFuture<'static, Result<Connection, OpenError>>;

pub(super) enum Link {
    Waiting { until: Instant },
    Connecting(Opening),
    Open(Box<Open>),
    Over(SessionError),
}

pub(super) struct Open {
    sender: Sender,
    receiver: Receiver,
    welcomed: bool,
    /// Something was handed to the sender and not yet flushed.
    dirty: bool,
}

/// What waits to be written.
pub(super) enum Outgoing {
    /// An unanswered request.
    Request(u32),
    /// Something that is sent once.
    Hint(Box<Request>),
}

impl Session {
    pub(super) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, SessionError>> {
        loop {
            if let Some(heard) = self.inbox.pop_front() {
                return Poll::Ready(Ok(heard));
            }
            let turned = match &mut self.link {
                Link::Over(error) => return Poll::Ready(Err(error.clone())),
                Link::Connecting(opening) => {
                    let opened = ready!(opening.as_mut().poll(cx));
                    self.opened(opened);
                    true
                }
                Link::Waiting { .. } => false,
                Link::Open(_) => self.poll_open(cx),
            };
            if !turned {
                ready!(self.poll_timer(cx));
            }
        }
    }

    /// Whether anything has changed. What broke the writing side is told only
    /// when the server has left no word of its own.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> bool {
        let broken = match self.poll_write(cx) {
            Ok(()) => None,
            Err(SessionError::Ended(ended)) => Some(ended),
            Err(error) => {
                self.link = Link::Over(error);
                return true;
            }
        };
        let Link::Open(open) = &mut self.link else { return true };
        match open.receiver.poll_receive(cx) {
            Poll::Pending => match broken {
                Some(ended) => {
                    self.lost(&ended);
                    true
                }
                None => false,
            },
            Poll::Ready(Ok(batch)) => {
                self.heard_at = Instant::now();
                self.receive(batch);
                true
            }
            Poll::Ready(Err(ended)) => {
                self.lost(&ended);
                true
            }
        }
    }

    /// Writes as much as the network takes, many frames in a batch.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), SessionError> {
        let Link::Open(open) = &mut self.link else { return Ok(()) };
        while open.welcomed && !self.outgoing.is_empty() {
            match open.sender.poll_ready(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => return Ok(()),
            }
            let mut packer = Packer::new(self.settings.carrier, self.limits);
            while let Some(next) = self.outgoing.front() {
                let added = match next {
                    Outgoing::Request(id) => match self.unanswered.frame(*id) {
                        Some(frame) => packer.add(frame)?,
                        None => true,
                    },
                    Outgoing::Hint(request) => {
                        packer.add(&ClientFrame { id: 0, request: Some((**request).clone()) })?
                    }
                };
                if !added {
                    break;
                }
                self.outgoing.pop_front();
            }
            if !packer.is_empty() {
                open.sender.start(packer.finish())?;
                open.dirty = true;
            }
        }
        if open.dirty && open.sender.poll_flush(cx)?.is_ready() {
            open.dirty = false;
        }
        Ok(())
    }

    pub(super) fn push_out(&mut self, outgoing: Outgoing) {
        // Without a Welcome hints are worthless, and requests follow it anyway.
        if matches!(&self.link, Link::Open(open) if open.welcomed) {
            self.outgoing.push_back(outgoing);
        }
    }

    fn connect(&mut self) {
        let address =
            self.settings.addresses[self.attempts % self.settings.addresses.len()].clone();
        self.attempts += 1;
        let carrier = self.settings.carrier;
        let mut resume: Vec<Cursor> = self.cursors().collect();
        let rest = resume.split_off(resume.len().min(MAX_RESUMED));
        self.not_in_hello = rest.into_iter().map(|cursor| cursor.conversation_id).collect();
        let hello = Hello {
            token: self.settings.token.clone(),
            resume,
            client: self.settings.client.clone(),
        };
        let opening = async move { Connection::open(carrier, &address, hello).await };
        self.link = Link::Connecting(Box::pin(opening));
    }

    fn cursors(&self) -> impl Iterator<Item = Cursor> {
        self.readings
            .iter()
            .map(|(id, reading)| Cursor { conversation_id: id.clone(), seq: reading.seen() })
    }

    fn opened(&mut self, opened: Result<Connection, OpenError>) {
        match opened {
            Ok(Connection { sender, receiver }) => {
                self.heard_at = Instant::now();
                let open = Open { sender, receiver, welcomed: false, dirty: false };
                self.link = Link::Open(Box::new(open));
            }
            Err(error) => self.lost(&Ended::Cut(error.to_string())),
        }
    }

    /// Everything that follows a Welcome, in order.
    pub(super) fn welcomed(&mut self) {
        let Link::Open(open) = &mut self.link else { return };
        open.welcomed = true;
        self.check_at = self.silent_at();
        self.connections += 1;
        self.backoff.reset();
        self.readings.values_mut().for_each(|reading| reading.resumed());
        let mine = self.unanswered.repeat_all();
        for conversation_id in std::mem::take(&mut self.not_in_hello) {
            let seq = self.cursor(&conversation_id);
            self.heal(Cursor { conversation_id, seq });
        }
        for id in mine {
            self.push_out(Outgoing::Request(id));
        }
    }

    /// Subscribes on the session's own account.
    pub(super) fn heal(&mut self, cursor: Cursor) {
        if let Some(reading) = self.readings.get_mut(&cursor.conversation_id) {
            reading.subscribe_from(cursor.seq);
        }
        let subscribe = Request::Subscribe(Subscribe { cursor: Some(cursor) });
        match self.unanswered.add(subscribe, Asker::Healing) {
            Some(id) => self.push_out(Outgoing::Request(id)),
            // Too much is under way to heal here: a new connection resumes.
            None => self.lost(&Ended::Cut("too many unanswered requests".into())),
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, why: &Ended) {
        self.outgoing.clear();
        self.move_at = None;
        let now = Instant::now();
        self.link = match self.backoff.pause(why.advice(), rand::random()) {
            Some(pause) => Link::Waiting { until: now + pause },
            None => Link::Over(why.clone().into()),
        };
        if why.advice() != Advice::Never {
            self.inbox.push_back(Heard::Lost(why.to_string()));
        }
    }

    /// Waits for the next moment at which something is due, and does it.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let next = self.next_moment();
        if next != self.timer_at {
            self.timer_at = next;
            self.timer.as_mut().reset(next);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.due(Instant::now());
        Poll::Ready(())
    }

    fn next_moment(&self) -> Instant {
        match &self.link {
            Link::Waiting { until } => *until,
            Link::Open(open) if open.welcomed => {
                let others = [self.unanswered.next_due(), self.refresh_at, self.move_at];
                others.into_iter().flatten().fold(self.check_at, Instant::min)
            }
            _ => self.heard_at + WELCOME_WITHIN,
        }
    }

    /// The server pings; silence for longer means that it is gone.
    fn silent_at(&self) -> Instant {
        self.heard_at + self.ping_interval * 2 + Duration::from_secs(1)
    }

    fn due(&mut self, now: Instant) {
        let welcomed = match &self.link {
            Link::Waiting { until } => {
                if now >= *until {
                    self.connect();
                }
                return;
            }
            Link::Open(open) => open.welcomed,
            Link::Connecting(_) | Link::Over(_) => return,
        };
        if !welcomed {
            if now >= self.heard_at + WELCOME_WITHIN {
                self.lost(&Ended::Cut("no Welcome in time".into()));
            }
            return;
        }
        if now >= self.check_at {
            // Frames since then have only moved the time of the next look.
            self.check_at = self.silent_at();
            if now >= self.check_at {
                return self.lost(&Ended::Cut("the server is silent".into()));
            }
        }
        if self.move_at.is_some_and(|at| now >= at) {
            self.lost(&Ended::Cut("moved".into()));
            self.link = Link::Waiting { until: now };
            return;
        }
        if self.refresh_at.take_if(|at| now >= *at).is_some() {
            let refresh = Request::RefreshToken(RefreshToken::default());
            if let Some(id) = self.unanswered.add(refresh, Asker::Token) {
                self.push_out(Outgoing::Request(id));
            }
        }
        while let Some(id) = self.unanswered.take_due(now) {
            self.push_out(Outgoing::Request(id));
        }
    }
}
