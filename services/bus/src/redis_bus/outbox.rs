//! What waits to be published, and what is known of who listens. Pure: the time
//! is handed in and nothing is sent here.
//!
//! It never holds more than [`MAX_WAITING_BATCHES`] and [`MAX_WAITING_BYTES`] for
//! all gateways together, and never drops anything without owing that gateway a
//! marker: a message that says so, sent before any batch that follows.

use super::wire::Message;
use crate::{BusWay, MAX_WAITING_BATCHES, MAX_WAITING_BYTES, Published};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Batches of one gateway that wait together go out as one message up to this;
/// a larger batch goes alone. Far below the 8 MiB at which Redis begins to count
/// a subscriber as slow.
const MESSAGE_BYTES: usize = 1024 * 1024;
/// How often a gateway that did not listen is tried again.
pub(super) const TRY_INTERVAL: Duration = Duration::from_secs(1);
/// After this long without a publish a gateway is forgotten, and with it a marker
/// that could not be delivered: a gateway that comes back later hears `Lagged`
/// from its own subscription.
const FORGET_AFTER: Duration = Duration::from_secs(300);

/// Queues of one publisher.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    gateways: HashMap<NodeId, Gateway>,
    batches: usize,
    bytes: usize,
    /// Accepted, and given up since the last [`Outbox::take_given_up`].
    given_up: u64,
    connected: bool,
}

#[derive(Debug)]
struct Gateway {
    waiting: VecDeque<Bytes>,
    owes_marker: bool,
    probe: Option<u64>,
    /// At most one message is on its way: what comes meanwhile gathers, and the
    /// order holds whichever way the connection takes.
    underway: bool,
    reach: Reach,
    used: Instant,
}

/// What the last answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Somebody listened, or nothing is known.
    Open,
    /// Nobody listened, or the publish failed.
    Closed { answer: Published, tried: Instant },
}

/// A message to send.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) gateway: NodeId,
    pub(super) message: Message,
}

/// What Redis said to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// At least one connection was sent it.
    Heard,
    /// None was.
    NobodyListens,
    /// It is not known to have arrived.
    Failed,
}

impl Gateway {
    fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            owes_marker: false,
            probe: None,
            underway: false,
            reach: Reach::Open,
            used: now,
        }
    }

    fn may_try(&self, now: Instant) -> bool {
        match self.reach {
            Reach::Open => true,
            Reach::Closed { tried, .. } => now.saturating_duration_since(tried) >= TRY_INTERVAL,
        }
    }

    /// What goes out next, unless nothing does.
    fn next(&mut self, now: Instant) -> Option<Message> {
        if self.underway {
            return None;
        }
        if let Some(number) = self.probe.take() {
            return Some(Message::Probe(number));
        }
        if (!self.owes_marker && self.waiting.is_empty()) || !self.may_try(now) {
            return None;
        }
        if let Reach::Closed { tried, .. } = &mut self.reach {
            *tried = now;
        }
        let after_loss = std::mem::take(&mut self.owes_marker);
        Some(Message::Batches { after_loss, batches: self.gather() })
    }

    fn gather(&mut self) -> Vec<Bytes> {
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = self.waiting.front() {
            bytes += batch.len();
            if bytes > MESSAGE_BYTES && !batches.is_empty() {
                break;
            }
            batches.extend(self.waiting.pop_front());
        }
        batches
    }

    /// Drops what waits, and owes a marker for it. Returns how many batches, and
    /// their bytes.
    fn give_up(&mut self) -> (usize, usize) {
        self.owes_marker |= !self.waiting.is_empty();
        let bytes = self.waiting.iter().map(Bytes::len).sum();
        let batches = self.waiting.len();
        self.waiting.clear();
        (batches, bytes)
    }
}

impl Outbox {
    /// What waits for each gateway, for whoever operates the process.
    pub(super) fn inspect(&self) -> Vec<BusWay> {
        let mut ways: Vec<BusWay> = self
            .gateways
            .iter()
            .map(|(id, gateway)| {
                let bytes = gateway.waiting.iter().map(Bytes::len).sum();
                let live = self.connected && gateway.reach == Reach::Open;
                BusWay::to(id, live, (gateway.waiting.len(), bytes))
            })
            .collect();
        ways.sort_by(|a, b| a.gateway.cmp(&b.gateway));
        ways
    }

    fn gateway(&mut self, gateway: &NodeId, now: Instant) -> &mut Gateway {
        if !self.gateways.contains_key(gateway) {
            self.gateways.insert(gateway.clone(), Gateway::new(now));
        }
        let known = self.gateways.get_mut(gateway).expect("it was inserted if it was missing");
        known.used = now;
        known
    }

    /// Queues a batch, or says why not. The flag: there is something to send for a
    /// publisher that sleeps.
    pub(super) fn publish(
        &mut self,
        gateway: &NodeId,
        batch: Bytes,
        now: Instant,
    ) -> (Published, bool) {
        let full = self.batches >= MAX_WAITING_BATCHES
            || self.bytes.saturating_add(batch.len()) > MAX_WAITING_BYTES;
        let (connected, len) = (self.connected, batch.len());
        let to = self.gateway(gateway, now);
        let refused = match to.reach {
            _ if !connected => Published::Away,
            Reach::Closed { answer, .. } => answer,
            Reach::Open if full => Published::Full,
            Reach::Open => {
                let first = to.waiting.is_empty() && !to.underway;
                to.waiting.push_back(batch);
                self.batches += 1;
                self.bytes += len;
                return (Published::Accepted, first);
            }
        };
        let first = !to.owes_marker && !to.underway;
        to.owes_marker = true;
        // A marker comes before all that waits: what waits must be younger.
        let dropped = to.give_up();
        self.count_given_up(dropped);
        (refused, connected && first)
    }

    fn count_given_up(&mut self, (batches, bytes): (usize, usize)) {
        self.batches -= batches;
        self.bytes -= bytes;
        self.given_up += batches as u64;
    }

    /// How many accepted batches were given up since this was last asked.
    pub(super) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// Queues a probe; it takes the place of one that still waits.
    pub(super) fn probe(&mut self, gateway: &NodeId, number: u64, now: Instant) {
        self.gateway(gateway, now).probe = Some(number);
    }

    /// All that can be sent now, at most one for each gateway. Each must be
    /// settled, or the connection be given up.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        for (gateway, from) in &mut self.gateways {
            if let Some(message) = from.next(now) {
                from.underway = true;
                if let Message::Batches { batches, .. } = &message {
                    self.batches -= batches.len();
                    self.bytes -= batches.iter().map(Bytes::len).sum::<usize>();
                }
                parcels.push(Parcel { gateway: gateway.clone(), message });
            }
        }
        parcels
    }

    /// What became of a parcel.
    pub(super) fn settle(&mut self, parcel: &Parcel, outcome: Outcome, now: Instant) {
        let Some(from) = self.gateways.get_mut(&parcel.gateway) else { return };
        from.underway = false;
        let answer = match outcome {
            Outcome::Heard => {
                from.reach = Reach::Open;
                return;
            }
            Outcome::NobodyListens => Published::NoSubscriber,
            Outcome::Failed => Published::Away,
        };
        from.reach = Reach::Closed { answer, tried: now };
        if let Message::Batches { batches, .. } = &parcel.message {
            from.owes_marker = true;
            self.given_up += batches.len() as u64;
        }
        let dropped = from.give_up();
        self.count_given_up(dropped);
    }

    /// A connection is there, and everything may be tried.
    pub(super) fn connected(&mut self) {
        self.connected = true;
        for gateway in self.gateways.values_mut() {
            gateway.reach = Reach::Open;
        }
    }

    /// The connection is gone, and with it all that was on its way or waited.
    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.given_up += self.batches as u64;
        for gateway in self.gateways.values_mut() {
            gateway.give_up();
            gateway.owes_marker |= std::mem::take(&mut gateway.underway);
        }
        (self.batches, self.bytes) = (0, 0);
    }

    /// Whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// Forgets gateways that nothing was published to for long.
    pub(super) fn forget_unused(&mut self, now: Instant) {
        self.gateways.retain(|_, gateway| {
            let unused = now.saturating_duration_since(gateway.used);
            gateway.underway || !gateway.waiting.is_empty() || unused < FORGET_AFTER
        });
    }
}

#[cfg(test)]
mod tests;
