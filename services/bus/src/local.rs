//! The bus within one process.

use crate::inbox::Inbox;
use crate::{Bus, BusWay, Published, Received, Subscription};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use metrics::{Counter, counter};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tokio::sync::watch;

/// Fan-out between roles of one process.
#[derive(Debug)]
pub struct LocalBus {
    inboxes: Arc<Inboxes>,
    meters: Meters,
}

type Inboxes = RwLock<HashMap<NodeId, Arc<Inbox>>>;

/// Looked up once: a publish then costs one atomic operation.
#[derive(Debug)]
struct Meters {
    accepted: Counter,
    full: Counter,
    no_subscriber: Counter,
}

impl LocalBus {
    /// A bus without subscribers.
    pub fn new() -> Self {
        let outcome =
            |name| counter!("frontdesk_bus_publishes_total", "mode" => "local", "outcome" => name);
        let meters = Meters {
            accepted: outcome("accepted"),
            full: outcome("full"),
            no_subscriber: outcome("no_subscriber"),
        };
        Self { inboxes: Arc::default(), meters }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for LocalBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        let Some(inbox) = inboxes.get(gateway) else {
            self.meters.no_subscriber.increment(1);
            return Published::NoSubscriber;
        };
        if inbox.push(payload) {
            self.meters.accepted.increment(1);
            Published::Accepted
        } else {
            self.meters.full.increment(1);
            Published::Full
        }
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let inbox = Arc::new(Inbox::default());
        let mut inboxes = self.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(replaced) = inboxes.insert(gateway.clone(), inbox.clone()) {
            replaced.end();
        }
        let inboxes = Arc::downgrade(&self.inboxes);
        Box::new(LocalSubscription { gateway, inbox, inboxes, live: watch::Sender::new(true) })
    }

    fn inspect(&self) -> Vec<BusWay> {
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        let ways = inboxes.iter().map(|(id, inbox)| BusWay::from(id, true, inbox.depth()));
        ways.collect()
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        inboxes.values().for_each(|inbox| inbox.end());
    }
}

struct LocalSubscription {
    gateway: NodeId,
    inbox: Arc<Inbox>,
    inboxes: Weak<Inboxes>,
    /// Always true: there is nothing between the two ends that could fail.
    live: watch::Sender<bool>,
}

#[async_trait]
impl Subscription for LocalSubscription {
    async fn recv(&mut self) -> Option<Received> {
        self.inbox.recv().await
    }

    fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }
}

impl Drop for LocalSubscription {
    fn drop(&mut self) {
        let Some(inboxes) = self.inboxes.upgrade() else { return };
        let mut inboxes = inboxes.write().unwrap_or_else(PoisonError::into_inner);
        // A later subscription of the same gateway stays.
        if inboxes.get(&self.gateway).is_some_and(|inbox| Arc::ptr_eq(inbox, &self.inbox)) {
            inboxes.remove(&self.gateway);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn keeps_the_contract() {
        conformance::all(LocalBus::new).await;
    }

    #[tokio::test]
    async fn ends_its_subscriptions_when_it_ends() {
        let bus = LocalBus::new();
        let gateway: NodeId = "g1".parse().unwrap();
        let mut subscription = bus.subscribe(gateway.clone());
        bus.publish(&gateway, Bytes::from_static(b"last"));
        drop(bus);
        assert_eq!(subscription.recv().await, Some(Received::Batch(Bytes::from_static(b"last"))));
        assert_eq!(subscription.recv().await, None);
    }
}
