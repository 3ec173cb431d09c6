//! One client's live connection, whatever carries it: a single task that reads
//! requests, has them carried out, and writes what its outbox holds.
//!
//! The task never waits for one thing only. It reads no further while the
//! client's replies pile up, or while a request that must come first is under
//! way; it writes once everything that is ready has been put into the outbox.

mod client;
mod fill;
mod hello;
mod requests;
#[cfg(test)]
mod tests;

pub(crate) use client::Client;
pub(crate) use hello::BrowserOrigin;
pub(crate) use requests::token_life;

use crate::carriers::{Carrier, Received};
use crate::codec::{self, push_frame};
use crate::limits::TokenBucket;
use crate::metrics::CarrierKind;
use crate::outbox::{Class, Outbox, Signal};
use crate::server::Peer;
use crate::shared::{Admission, Shared};
use fill::{Filled, Fills};
use frontdesk_core::ids::ConnectionId;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::status::{self, CloseCode};
use frontdesk_proto::v1::{self, ClientFrame, server_frame::Frame};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use hello::{Opened, Refusal};
use requests::{Ready, Reply};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use uuid::Uuid;

/// Requests of one connection that are carried out at once; no more are read
/// until some are answered.
const MAX_IN_FLIGHT: usize = 64;
/// Things handled before what has piled up is written.
const MAX_BEFORE_WRITE: u32 = 64;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a connection came in.
pub(crate) struct Arrival {
    pub(crate) kind: CarrierKind,
    pub(crate) peer: Peer,
    pub(crate) origin: Option<BrowserOrigin>,
}

impl Arrival {
    pub(crate) fn new(kind: CarrierKind, peer: Peer, origin: Option<BrowserOrigin>) -> Self {
        Self { kind, peer, origin }
    }

    fn format(&self) -> codec::WireFormat {
        match self.kind {
            CarrierKind::WebSocketJson => codec::WireFormat::Json,
            CarrierKind::WebSocketProtobuf | CarrierKind::Grpc => codec::WireFormat::Protobuf,
        }
    }
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The client has gone.
    Gone,
    /// The client had nothing more to say and has all its answers.
    Finished,
    /// The gateway ends it and says why.
    Close(CloseCode, &'static str),
}

/// Something for the task to handle.
enum Event {
    Replied(Reply),
    Prepared(Box<Ready>),
    Filled(Filled),
    Received(Received),
    Request(ClientFrame),
    Signals,
    Tick,
    End(End),
}

/// How far the connection has come.
enum Stage {
    AwaitingHello { until: Instant },
    Opening,
    Open(Box<Opened>),
}

/// Serves one connection until it ends.
pub(crate) async fn run<C: Carrier>(shared: Arc<Shared>, carrier: C, arrival: Arrival) {
    let kind = arrival.kind;
    let metrics = shared.clone();
    metrics.metrics.carrier(kind).connections.increment(1.0);
    let admitted = shared.limits.admit(arrival.peer.0);
    let mut connection = Box::new(Connection::new(shared, carrier, arrival));
    let (end, _admission): (End, Option<Admission>) = match admitted {
        Ok(admission) => (connection.serve().await, Some(admission)),
        Err(code) => (End::Close(code, "too many connections"), None),
    };
    connection.finish(end).await;
    metrics.metrics.carrier(kind).connections.decrement(1.0);
}

struct Connection<C> {
    shared: Arc<Shared>,
    carrier: C,
    arrival: Arrival,
    id: ConnectionId,
    outbox: Arc<Outbox>,
    stage: Stage,
    /// Requests read but not begun: the rest of a batch.
    backlog: VecDeque<ClientFrame>,
    /// A request that those after it wait for.
    preparing: Option<BoxFuture<'static, Ready>>,
    in_flight: FuturesUnordered<BoxFuture<'static, Reply>>,
    fills: Fills,
    requests: TokenBucket,
    typing: TokenBucket,
    timer: Pin<Box<Sleep>>,
    heard_at: Instant,
    ping_at: Instant,
    /// Bytes written at the last tick when writing was blocked then.
    stalled_at: Option<u64>,
    blocked: bool,
    half_closed: bool,
    since_write: u32,
}

impl<C: Carrier> Connection<C> {
    fn new(shared: Arc<Shared>, carrier: C, arrival: Arrival) -> Self {
        let now = Instant::now();
        let until = now + shared.settings.hello_timeout();
        let outbox = Arc::new(Outbox::new(arrival.format()));
        Self {
            id: ConnectionId::from_uuid(Uuid::now_v7()),
            outbox,
            stage: Stage::AwaitingHello { until },
            backlog: VecDeque::new(),
            preparing: None,
            in_flight: FuturesUnordered::new(),
            fills: Fills::default(),
            requests: TokenBucket::full(requests::rate(&shared.settings), now),
            typing: TokenBucket::full(requests::typing_rate(), now),
            timer: Box::pin(tokio::time::sleep_until(until)),
            heard_at: now,
            ping_at: now + shared.settings.ping_interval(),
            stalled_at: None,
            blocked: false,
            half_closed: false,
            since_write: 0,
            shared,
            carrier,
            arrival,
        }
    }

    async fn serve(&mut self) -> End {
        self.shared.opened(self.id, &self.outbox);
        loop {
            let event = poll_fn(|cx| self.poll_event(cx)).await;
            if let Some(end) = self.handle(event) {
                return end;
            }
        }
    }

    /// The next thing to handle. Before it waits, everything is written.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.outbox.register(cx.waker());
        if let Some(code) = self.outbox.closing() {
            return Poll::Ready(Event::End(End::Close(code, code.as_str())));
        }
        loop {
            if self.since_write < MAX_BEFORE_WRITE
                && let Poll::Ready(event) = self.poll_sources(cx)
            {
                self.since_write += 1;
                return Poll::Ready(event);
            }
            self.since_write = 0;
            match self.carrier.poll_write(&self.outbox, cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(Event::End(End::Gone)),
                // Writing has made room: something may be ready now.
                Poll::Ready(Ok(true)) => self.blocked = false,
                Poll::Ready(Ok(false)) => {
                    self.blocked = false;
                    let event = self.poll_sources(cx);
                    return match event {
                        Poll::Pending if self.is_finished() => {
                            Poll::Ready(Event::End(End::Finished))
                        }
                        event => event,
                    };
                }
                Poll::Pending => {
                    self.blocked = true;
                    return self.poll_sources(cx);
                }
            }
        }
    }

    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(preparing) = &mut self.preparing
            && let Poll::Ready(ready) = preparing.as_mut().poll(cx)
        {
            self.preparing = None;
            return Poll::Ready(Event::Prepared(Box::new(ready)));
        }
        if let Poll::Ready(Some(reply)) = self.in_flight.poll_next_unpin(cx) {
            return Poll::Ready(Event::Replied(reply));
        }
        if matches!(self.stage, Stage::Open(_)) && self.outbox.has_signals() {
            return Poll::Ready(Event::Signals);
        }
        if let Stage::Open(open) = &self.stage
            && let Poll::Ready(filled) = self.fills.poll(&open.client, cx)
        {
            return Poll::Ready(Event::Filled(filled));
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Tick);
        }
        self.poll_client(cx)
    }

    /// Requests, as long as the connection can take them.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let busy = self.preparing.is_some()
            || self.in_flight.len() >= MAX_IN_FLIGHT
            || !self.outbox.has_room();
        if busy {
            return Poll::Pending;
        }
        if let Some(frame) = self.backlog.pop_front() {
            return Poll::Ready(Event::Request(frame));
        }
        if self.half_closed {
            return Poll::Pending;
        }
        self.carrier.poll_receive(cx).map(Event::Received)
    }

    fn is_finished(&self) -> bool {
        self.half_closed
            && self.preparing.is_none()
            && self.in_flight.is_empty()
            && self.backlog.is_empty()
            && self.fills.is_idle()
    }

    /// Handles one thing; `Some` ends the connection.
    fn handle(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Replied(reply) => self.reply(reply),
            Event::Prepared(ready) => return self.prepared(*ready),
            Event::Filled(filled) => self.filled(filled),
            Event::Received(received) => return self.received(received),
            Event::Request(frame) => return self.request(frame),
            Event::Signals => self.signals(),
            Event::Tick => return self.tick(),
            Event::End(end) => return Some(end),
        }
        None
    }

    fn received(&mut self, received: Received) -> Option<End> {
        self.heard_at = Instant::now();
        match received {
            Received::Batch(bytes) => {
                let metrics = self.shared.metrics.carrier(self.arrival.kind);
                metrics.batches_in.increment(1);
                metrics.bytes_in.increment(bytes.len() as u64);
                match codec::decode(self.outbox.format(), &bytes) {
                    Ok(frames) => {
                        metrics.frames_in.increment(frames.len() as u64);
                        self.backlog = frames.into();
                        None
                    }
                    Err(error) => Some(self.undecodable(&error)),
                }
            }
            Received::Alive => None,
            Received::HalfClosed => {
                self.half_closed = true;
                None
            }
            Received::Closed => Some(End::Gone),
            Received::Refused(code, why) => Some(End::Close(code, why)),
        }
    }

    fn undecodable(&mut self, error: &codec::DecodeError) -> End {
        self.push_error(0, &ApiError::Invalid(error.to_string()), None);
        match error {
            codec::DecodeError::TooLarge => End::Close(CloseCode::TooLarge, "batch too large"),
            _ => End::Close(CloseCode::Protocol, "malformed batch"),
        }
    }

    fn prepared(&mut self, ready: Ready) -> Option<End> {
        match ready {
            Ready::Reply(reply) => self.reply(reply),
            Ready::Wait(future) => self.in_flight.push(future),
            Ready::Opened(opened) => self.open(opened),
            Ready::Refused(Refusal { id, code, error }) => {
                self.push_error(id, &error, None);
                return Some(End::Close(code, code.as_str()));
            }
        }
        None
    }

    /// Hello was good: Welcome first, then what follows from it.
    fn open(&mut self, mut opened: Box<Opened>) {
        let welcome = std::mem::take(&mut opened.welcome);
        self.push(&v1::ServerFrame {
            id: opened.hello_id,
            frame: Some(Frame::Welcome(welcome)),
        });
        for (id, error) in std::mem::take(&mut opened.not_resumed) {
            self.push_error(0, &error, Some(id));
        }
        for work in std::mem::take(&mut opened.work) {
            self.in_flight.push(work);
        }
        self.stage = Stage::Open(opened);
        self.set_timer();
    }

    fn signals(&mut self) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        for signal in self.outbox.take_signals() {
            match signal {
                Signal::Fill(id) => self.fills.add(id),
                Signal::Follow(id) => self.in_flight.push(fill::follow_all(&open.client, id)),
            }
        }
    }

    fn filled(&mut self, filled: Filled) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        if let Some((id, error)) = self.fills.filled(&open.client, filled) {
            self.push_error(0, &error, Some(id.to_string()));
        }
    }

    fn tick(&mut self) -> Option<End> {
        let now = Instant::now();
        let interval = self.shared.settings.ping_interval();
        let end = match &self.stage {
            Stage::AwaitingHello { until } if now >= *until => CloseCode::NoHello,
            Stage::Open(open) if now >= open.expires => CloseCode::TokenExpired,
            _ if now >= self.heard_at + 2 * interval => CloseCode::Silent,
            _ => {
                if now >= self.ping_at {
                    self.ping_at = now + interval;
                    if let Some(end) = self.check_stall() {
                        return Some(end);
                    }
                    self.push(&push_frame(Frame::Ping(v1::Ping {})));
                }
                self.set_timer();
                return None;
            }
        };
        Some(End::Close(end, end.as_str()))
    }

    /// A client whose socket took nothing for a whole interval does not read.
    fn check_stall(&mut self) -> Option<End> {
        self.shared
            .metrics
            .outbox_depth
            .record(self.outbox.depth() as f64);
        let written = self.carrier.written();
        let stalled = self.blocked && self.stalled_at == Some(written);
        self.stalled_at = self.blocked.then_some(written);
        stalled.then_some(End::Close(CloseCode::TooSlow, "nothing was read"))
    }

    fn set_timer(&mut self) {
        let next = match &self.stage {
            Stage::AwaitingHello { until } => *until,
            Stage::Opening => self.ping_at,
            Stage::Open(open) => self.ping_at.min(open.expires),
        };
        self.timer.as_mut().reset(next);
    }

    fn reply(&mut self, reply: Reply) {
        match reply.answer {
            Ok(Some(frame)) if reply.id != 0 => {
                self.push(&v1::ServerFrame {
                    id: reply.id,
                    frame: Some(frame),
                });
            }
            Ok(_) => {}
            Err(error) => self.push_error(reply.id, &error, reply.conversation),
        }
    }

    fn push_error(&mut self, id: u32, error: &ApiError, conversation: Option<String>) {
        match error {
            ApiError::Internal(_) => {
                tracing::error!(connection = %self.id, %error, "a request failed");
            }
            ApiError::Unavailable { .. } => {
                tracing::debug!(connection = %self.id, %error, "a request failed");
            }
            _ => {}
        }
        let mut frame = status::to_proto(error);
        frame.conversation_id = conversation.unwrap_or_default();
        self.push(&v1::ServerFrame {
            id,
            frame: Some(Frame::Error(frame)),
        });
    }

    fn push(&self, frame: &v1::ServerFrame) {
        self.outbox
            .push(codec::piece(self.outbox.format(), frame), Class::Durable);
    }

    /// Says why the connection ends, as far as the client still listens.
    async fn finish(&mut self, end: End) {
        self.shared.ended(self.id);
        let bytes_out = &self.shared.metrics.carrier(self.arrival.kind).bytes_out;
        match end {
            End::Gone => {}
            End::Finished => {
                let _ = tokio::time::timeout(
                    FAREWELL,
                    self.carrier.close(CloseCode::Draining, "finished"),
                )
                .await;
            }
            End::Close(code, reason) => {
                self.shared.metrics.closed(code);
                let bye = v1::Bye {
                    code: code.number().into(),
                    reason: reason.to_owned(),
                };
                let piece = codec::piece(self.outbox.format(), &push_frame(Frame::Bye(bye)));
                self.outbox.end_with(piece, code == CloseCode::TooSlow);
                let farewell = async {
                    let write = |cx: &mut Context<'_>| self.carrier.poll_write(&self.outbox, cx);
                    poll_fn(write).await?;
                    self.carrier.close(code, reason).await
                };
                // A client that does not listen any more is left to itself.
                let _ = tokio::time::timeout(FAREWELL, farewell).await;
            }
        }
        bytes_out.increment(self.carrier.written());
    }
}
pub(crate) type Sized_ = Connection<crate::carriers::ws::WebSocket<tokio::net::TcpStream>>;
