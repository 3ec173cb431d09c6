//! One connection with its lanes: a visitor with one, an agent with many. A
//! single task reads, answers and writes; all that is ready goes out together.

use super::lane::Lane;
use crate::audit::Violations;
use crate::payload::Side;
use crate::wire::{Wire, WireError};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{AcceptOffer, ClientFrame, Error, EventPush, Sent, ServerFrame};
use hdrhistogram::Histogram;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a party listens on after the end, so that everything arrives.
const LISTEN_ON: Duration = Duration::from_secs(3);

/// What all parties are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Phase {
    /// Conversations are being opened.
    Opening,
    /// Messages flow; the run began at this instant.
    Running(Instant),
    /// Nothing new is sent.
    Ending,
}

/// How messages are timed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As many unacknowledged ones.
    Window(u32),
    /// One per lane in each of these.
    Every(Duration),
}

/// What is the same for all parties.
pub(super) struct Common {
    pub(super) run: u64,
    pub(super) bytes: usize,
    pub(super) pace: Pace,
    /// Conversation id → number.
    pub(super) numbers: HashMap<String, u32>,
    pub(super) assigned: AtomicUsize,
    /// Messages heard by the other party.
    pub(super) delivered: AtomicU64,
    /// What is not counted at the beginning.
    pub(super) warm_up: Duration,
}

/// What a party came to.
pub(super) struct Outcome {
    pub(super) lanes: Vec<Lane>,
    pub(super) tally: Tally,
    pub(super) wire: Wire,
}

/// What a party has measured.
pub(super) struct Tally {
    pub(super) violations: Violations,
    pub(super) acknowledged: Histogram<u64>,
    pub(super) received: Histogram<u64>,
    pub(super) late: Histogram<u64>,
    pub(super) errors: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        let empty = || Histogram::new(3).expect("three digits are valid");
        Self {
            violations: Violations::default(),
            acknowledged: empty(),
            received: empty(),
            late: empty(),
            errors: 0,
        }
    }
}

pub(super) struct Party {
    wire: Wire,
    common: Arc<Common>,
    side: Side,
    lanes: HashMap<String, Lane>,
    tally: Tally,
    began: Option<Instant>,
    ending: bool,
    out: Vec<ClientFrame>,
}

impl Party {
    pub(super) fn new(wire: Wire, common: Arc<Common>, side: Side) -> Self {
        Self {
            wire,
            common,
            side,
            lanes: HashMap::new(),
            tally: Tally::new(),
            began: None,
            ending: false,
            out: Vec::new(),
        }
    }

    /// Asks for something before the conversation is there.
    pub(super) async fn ask(&mut self, request: Request) -> Result<(), WireError> {
        self.wire.send(vec![ClientFrame { id: 0, request: Some(request) }]).await
    }

    pub(super) async fn run(
        mut self,
        mut phase: watch::Receiver<Phase>,
    ) -> Result<Outcome, WireError> {
        let mut until = None;
        loop {
            let due = self.next_due();
            tokio::select! {
                frames = self.wire.next() => {
                    for frame in frames? {
                        self.heard(frame);
                    }
                }
                changed = phase.changed() => {
                    let now = *phase.borrow_and_update();
                    match now {
                        Phase::Running(at) if changed.is_ok() => self.begin(at),
                        Phase::Ending => {
                            self.ending = true;
                            until = Some(Instant::now() + LISTEN_ON);
                        }
                        _ => {}
                    }
                }
                () = at(due) => self.speak_due(),
                () = at(until) => break,
            }
            if !self.out.is_empty() {
                let out = std::mem::take(&mut self.out);
                self.wire.send(out).await?;
            }
        }
        Ok(Outcome {
            lanes: self.lanes.into_values().collect(),
            tally: self.tally,
            wire: self.wire,
        })
    }

    fn since(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    fn begin(&mut self, at: Instant) {
        self.began = Some(at);
        let now = at.elapsed();
        match self.common.pace {
            Pace::Window(window) => {
                for lane in self.lanes.values_mut() {
                    for _ in 0..window {
                        self.out.push(lane.speak(self.common.run, now, self.common.bytes));
                    }
                }
            }
            Pace::Every(interval) => {
                // Spread evenly: neither all lanes nor both sides at once.
                let lanes = 2.0 * self.common.numbers.len() as f64;
                for lane in self.lanes.values_mut() {
                    let place = 2 * lane.number + u32::from(lane.side == Side::Agent);
                    lane.due = now + interval.mul_f64(f64::from(place) / lanes);
                }
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let (Some(began), Pace::Every(_), false) = (self.began, self.common.pace, self.ending)
        else {
            return None;
        };
        self.lanes.values().map(|lane| lane.due).min().map(|due| began + due)
    }

    fn speak_due(&mut self) {
        let Pace::Every(interval) = self.common.pace else { return };
        let now = self.since();
        for lane in self.lanes.values_mut() {
            while lane.due <= now {
                record(&mut self.tally.late, now.saturating_sub(lane.due));
                self.out.push(lane.speak(self.common.run, lane.due, self.common.bytes));
                lane.due += interval;
            }
        }
    }

    fn heard(&mut self, frame: ServerFrame) {
        match frame.frame {
            Some(Frame::Event(push)) => self.event(push),
            Some(Frame::Sent(sent)) => self.sent(&sent),
            Some(Frame::Error(error)) => self.refused(frame.id, &error),
            Some(Frame::Offer(offer)) => {
                let (conversation_id, offer_id) = (offer.conversation_id, offer.offer_id);
                let accept = Request::AcceptOffer(AcceptOffer { conversation_id, offer_id });
                self.out.push(ClientFrame { id: 0, request: Some(accept) });
            }
            _ => {}
        }
    }

    fn event(&mut self, push: EventPush) {
        let Some(event) = push.event else { return };
        let Some(&number) = self.common.numbers.get(&event.conversation_id) else { return };
        let now = self.since();
        let (run, side) = (self.common.run, self.side);
        let lane = self
            .lanes
            .entry(event.conversation_id)
            .or_insert_with_key(|id| Lane::new(run, id.clone(), number, side));
        lane.ear.event(event.seq, push.prev, &mut self.tally.violations);
        match event.body {
            Some(Body::Assigned(_)) if side == Side::Agent => {
                self.common.assigned.fetch_add(1, Ordering::Relaxed);
            }
            Some(Body::Message(message)) => {
                let payload = lane.ear.message(&message.text, &mut self.tally.violations);
                if let Some(payload) = payload {
                    self.common.delivered.fetch_add(1, Ordering::Relaxed);
                    let intended = Duration::from_nanos(payload.intended);
                    if intended >= self.common.warm_up {
                        record(&mut self.tally.received, now.saturating_sub(intended));
                    }
                }
            }
            _ => {}
        }
    }

    fn sent(&mut self, sent: &Sent) {
        let now = self.since();
        let number = sent.client_msg_id.rsplit_once('-');
        let number = number.and_then(|(_, n)| u32::from_str_radix(n, 16).ok());
        let Some(lane) = self.lanes.get_mut(&sent.conversation_id) else { return };
        let Some(intended) = number.and_then(|n| lane.told(n)) else { return };
        if intended >= self.common.warm_up {
            record(&mut self.tally.acknowledged, now.saturating_sub(intended));
        }
        if let (Pace::Window(_), false) = (self.common.pace, self.ending) {
            self.out.push(lane.speak(self.common.run, now, self.common.bytes));
        }
    }

    /// Retryable: the same message again, at once (the generator is the load).
    fn refused(&mut self, number: u32, error: &Error) {
        self.tally.errors += 1;
        if !error.retryable || self.ending {
            return;
        }
        if let Some(lane) = self.lanes.get(&error.conversation_id)
            && let Some(frame) = lane.repeat(self.common.run, number, self.common.bytes)
        {
            self.out.push(frame);
        }
    }
}

fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    // The histogram grows as needed; what it cannot hold is longer than any run.
    let _ = histogram.record(micros.max(1));
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
