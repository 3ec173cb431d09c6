//! The broker when it works, a direct way to the gateways when it does not.
//!
//! A publisher goes the direct way when the broker is away, when the broker says
//! that the gateway does not listen, or when the gateway has asked for it because
//! nothing reaches it. Both ways may bring the same delivery: gateways drop what
//! they have seen, by its `seq`.

use crate::{Bus, BusWay, Published, Received, Subscription};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use metrics::{Counter, counter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Sends a batch to a gateway without the broker, never waiting; false when it
/// cannot be reached so.
pub type DirectPath = Arc<dyn Fn(&NodeId, Bytes) -> bool + Send + Sync>;

/// See the module.
pub struct FallbackBus {
    broker: Arc<dyn Bus>,
    direct: DirectPath,
    /// What comes the direct way, for the gateway of this process.
    inlet: Mutex<Option<mpsc::Receiver<Bytes>>>,
    /// Gateways that have asked to be fed directly, and until when.
    asked: Mutex<HashMap<NodeId, Instant>>,
    directly: Counter,
    in_vain: Counter,
}

impl FallbackBus {
    /// `inlet` is for the process of a gateway; its one subscription takes it.
    pub fn new(
        broker: Arc<dyn Bus>,
        direct: DirectPath,
        inlet: Option<mpsc::Receiver<Bytes>>,
    ) -> Self {
        let outcome =
            |name| counter!("frontdesk_bus_publishes_total", "mode" => "direct", "outcome" => name);
        let (directly, in_vain) = (outcome("accepted"), outcome("full"));
        let (inlet, asked) = (Mutex::new(inlet), Mutex::default());
        Self { broker, direct, inlet, asked, directly, in_vain }
    }

    /// Feeds a gateway directly for a while: nothing reaches it through the broker.
    pub fn feed_directly(&self, gateway: NodeId, time: Duration) {
        let mut asked = self.asked();
        let now = Instant::now();
        asked.retain(|_, until| *until > now);
        asked.insert(gateway, now + time);
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<NodeId, Instant>> {
        // A map of whole values is as good after a panic as before.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_asked(&self, gateway: &NodeId) -> bool {
        self.asked().get(gateway).is_some_and(|until| *until > Instant::now())
    }
}

impl Bus for FallbackBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        // Also when it is to be fed directly: the broker's word of who listens is
        // only as new as the last publish.
        let published = self.broker.publish(gateway, payload.clone());
        let reaches = published == Published::Accepted && !self.has_asked(gateway);
        if reaches || published == Published::Full {
            return published;
        }
        if (self.direct)(gateway, payload) {
            self.directly.increment(1);
            return Published::Accepted;
        }
        self.in_vain.increment(1);
        published
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::new(Both { broker: self.broker.subscribe(gateway), inlet })
    }

    fn inspect(&self) -> Vec<BusWay> {
        let mut ways = self.broker.inspect();
        let (asked, now) = (self.asked(), Instant::now());
        for (gateway, _) in asked.iter().filter(|(_, until)| **until > now) {
            match ways.iter_mut().find(|to| to.way == "to" && to.gateway == gateway.as_str()) {
                Some(way) => way.fed_directly = true,
                None => {
                    let way = BusWay::to(gateway, false, (0, 0));
                    ways.push(BusWay { fed_directly: true, ..way });
                }
            }
        }
        ways
    }
}

struct Both {
    broker: Box<dyn Subscription>,
    inlet: Option<mpsc::Receiver<Bytes>>,
}

#[async_trait]
impl Subscription for Both {
    async fn recv(&mut self) -> Option<Received> {
        let Some(inlet) = &mut self.inlet else { return self.broker.recv().await };
        tokio::select! {
            received = self.broker.recv() => received,
            Some(batch) = inlet.recv() => Some(Received::Batch(batch)),
        }
    }

    fn live(&self) -> watch::Receiver<bool> {
        self.broker.live()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalBus;

    fn gateway() -> NodeId {
        "g1".parse().unwrap()
    }

    fn batch(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    /// A bus whose direct way leads to its own inlet.
    fn looped() -> FallbackBus {
        let (sender, inlet) = mpsc::channel(8);
        let direct: DirectPath = Arc::new(move |_, batch| sender.try_send(batch).is_ok());
        FallbackBus::new(Arc::new(LocalBus::new()), direct, Some(inlet))
    }

    #[tokio::test]
    async fn the_broker_goes_first() {
        let bus = looped();
        let mut subscription = bus.subscribe(gateway());
        assert_eq!(bus.publish(&gateway(), batch("a")), Published::Accepted);
        assert_eq!(subscription.recv().await, Some(Received::Batch(batch("a"))));
    }

    #[tokio::test]
    async fn a_gateway_that_the_broker_does_not_know_is_fed_directly() {
        let (sender, mut inlet) = mpsc::channel(1);
        let direct: DirectPath = Arc::new(move |_, batch| sender.try_send(batch).is_ok());
        let bus = FallbackBus::new(Arc::new(LocalBus::new()), direct, None);
        assert_eq!(bus.publish(&gateway(), batch("a")), Published::Accepted);
        assert_eq!(inlet.recv().await, Some(batch("a")));
        bus.publish(&gateway(), batch("b"));
        assert_eq!(bus.publish(&gateway(), batch("c")), Published::NoSubscriber, "it is full");
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_asks_is_fed_both_ways_for_a_while() {
        let bus = looped();
        let mut subscription = bus.subscribe(gateway());
        bus.feed_directly(gateway(), Duration::from_secs(3));
        bus.publish(&gateway(), batch("a"));
        assert_eq!(subscription.recv().await, Some(Received::Batch(batch("a"))));
        assert_eq!(subscription.recv().await, Some(Received::Batch(batch("a"))));
        tokio::time::advance(Duration::from_secs(3)).await;
        bus.publish(&gateway(), batch("b"));
        assert_eq!(subscription.recv().await, Some(Received::Batch(batch("b"))));
        let nothing = tokio::time::timeout(Duration::from_secs(1), subscription.recv()).await;
        assert!(nothing.is_err());
    }
}
