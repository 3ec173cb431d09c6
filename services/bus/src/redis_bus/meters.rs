//! Numbers of the bus over Redis.

use crate::Published;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Looked up once: a publish then costs one atomic operation.
#[derive(Debug)]
pub(super) struct Meters {
    accepted: Counter,
    full: Counter,
    no_subscriber: Counter,
    away: Counter,
    /// Accepted batches that were given up later.
    pub(super) given_up: Counter,
    /// Messages that could not be read.
    pub(super) unreadable: Counter,
    /// 1 while this process's subscription is live.
    pub(super) live: Gauge,
    pub(super) probe_seconds: Histogram,
    /// Since the last probe that came back was sent.
    pub(super) probe_age: Gauge,
    /// Attempts to connect again, to publish and to subscribe.
    pub(super) publisher_reconnects: Counter,
    pub(super) subscriber_reconnects: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        let outcome =
            |name| counter!("frontdesk_bus_publishes_total", "mode" => "redis", "outcome" => name);
        let reconnects = |side| counter!("frontdesk_bus_reconnects_total", "side" => side);
        Self {
            accepted: outcome("accepted"),
            full: outcome("full"),
            no_subscriber: outcome("no_subscriber"),
            away: outcome("away"),
            given_up: counter!("frontdesk_bus_batches_given_up_total"),
            unreadable: counter!("frontdesk_bus_messages_unreadable_total"),
            live: gauge!("frontdesk_bus_live"),
            probe_seconds: histogram!("frontdesk_bus_probe_seconds"),
            probe_age: gauge!("frontdesk_bus_probe_age_seconds"),
            publisher_reconnects: reconnects("publisher"),
            subscriber_reconnects: reconnects("subscriber"),
        }
    }

    pub(super) fn published(&self, outcome: Published) {
        let counter = match outcome {
            Published::Accepted => &self.accepted,
            Published::Full => &self.full,
            Published::NoSubscriber => &self.no_subscriber,
            Published::Away => &self.away,
        };
        counter.increment(1);
    }
}
