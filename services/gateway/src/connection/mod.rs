//! One client's live connection, whatever carries it: a single task that reads
//! requests, has them carried out, and writes what its outbox holds.
//!
//! The task never waits for one thing only. It reads no further while the
//! client's replies pile up, or while a request that must come first is under
//! way; it writes once everything that is ready has been put into the outbox.

mod client;
mod fill;
mod hello;
mod in_flight;
#[cfg(test)]
mod limit_tests;
mod requests;
mod sources;
#[cfg(test)]
mod staff_tests;
mod telling;
#[cfg(test)]
mod tests;

pub(crate) use client::Client;
pub(crate) use hello::BrowserOrigin;
pub(crate) use requests::token_life;

use crate::calls;
use crate::carriers::{Carrier, Received};
use crate::codec::{self, push_frame};
use crate::limits::TokenBucket;
use crate::metrics::CarrierKind;
use crate::outbox::{Outbox, Signal};
use crate::peer::Peer;
use crate::shared::Shared;
use axum::http::HeaderMap;
use fill::{Filled, Fills};
use frontdesk_core::ids::ConnectionId;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::status::CloseCode;
use frontdesk_proto::v1::{self, ClientFrame, server_frame::Frame};
use futures::future::BoxFuture;
use hello::{Opened, Refusal};
use in_flight::{Done, InFlight};
use requests::Ready;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::{Instant, Sleep};
use uuid::Uuid;

/// How a connection came in.
pub(crate) struct Arrival {
    pub(crate) kind: CarrierKind,
    pub(crate) peer: Peer,
    pub(crate) origin: Option<BrowserOrigin>,
    /// The trace that the client says its requests belong to.
    pub(crate) trace: Option<TraceContext>,
}

impl Arrival {
    pub(crate) fn new(kind: CarrierKind, peer: Peer, origin: Option<BrowserOrigin>) -> Self {
        Self { kind, peer, origin, trace: None }
    }

    /// With what its first request says of a trace.
    pub(crate) fn within(mut self, headers: &HeaderMap) -> Self {
        self.trace = calls::incoming(headers);
        self
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
    Done(Done),
    Prepared(Box<Ready>),
    Filled(Filled),
    Received(Received),
    /// One waits in the backlog.
    Request,
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

/// Serves one connection until it ends. The future is small: what it works on
/// lies in one box, and nothing else lives as long as the connection.
pub(crate) fn run<C: Carrier>(
    shared: Arc<Shared>,
    carrier: C,
    arrival: Arrival,
) -> impl Future<Output = ()> + Send + 'static {
    let admitted = shared.admit(arrival.peer.0);
    let mut connection = Box::new(Connection::new(shared, carrier, arrival));
    async move {
        connection.open_now().increment(1.0);
        let (end, admission) = match admitted {
            Ok(admission) => (connection.serve().await, Some(admission)),
            Err((code, why)) => (End::Close(code, why), None),
        };
        connection.finish(end).await;
        connection.open_now().decrement(1.0);
        drop(admission);
    }
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
    in_flight: InFlight,
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
    /// Acknowledgements, modulo their number.
    acknowledged: u8,
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
            in_flight: InFlight::default(),
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
            acknowledged: 0,
            shared,
            carrier,
            arrival,
        }
    }

    fn open_now(&self) -> &metrics::Gauge {
        &self.shared.metrics.carrier(self.arrival.kind).connections
    }

    async fn serve(&mut self) -> End {
        self.shared.opened(self.id, self.arrival.kind, &self.outbox);
        loop {
            let event = poll_fn(|cx| self.poll_event(cx)).await;
            if let Some(end) = self.handle(event) {
                return end;
            }
        }
    }

    /// Handles one thing; `Some` ends the connection.
    fn handle(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Done(Done::Reply(reply)) => self.reply(*reply),
            Event::Done(Done::Sent { id, sent, begun }) => {
                self.measure(begun);
                self.sent(id, &sent);
            }
            Event::Prepared(ready) => return self.prepared(*ready),
            Event::Filled(filled) => self.filled(filled),
            Event::Received(received) => return self.received(received),
            Event::Request => return self.next_request(),
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
            Ready::Reply(reply) => self.reply(*reply),
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
        let welcome = v1::ServerFrame {
            id: opened.hello_id,
            frame: opened.welcome.take().map(Frame::Welcome),
        };
        self.outbox.open_with(&codec::piece(self.outbox.format(), &welcome));
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
        for reply in self.in_flight.overdue(now) {
            self.reply(reply);
        }
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
        self.shared.metrics.outbox_depth.record(self.outbox.depth() as f64);
        let written = self.carrier.written();
        let stalled = self.blocked && self.stalled_at == Some(written);
        self.stalled_at = self.blocked.then_some(written);
        stalled.then_some(End::Close(CloseCode::TooSlow, "nothing was read"))
    }

    fn set_timer(&mut self) {
        let silent = self.heard_at + 2 * self.shared.settings.ping_interval();
        let next = match &self.stage {
            Stage::AwaitingHello { until } => *until,
            Stage::Opening => self.ping_at.min(silent),
            Stage::Open(open) => self.ping_at.min(silent).min(open.expires),
        };
        let next = self.in_flight.look_at().map_or(next, |at| next.min(at));
        self.timer.as_mut().reset(next);
    }
}
