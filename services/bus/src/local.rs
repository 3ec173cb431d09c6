//! The bus within one process.

use crate::{Bus, MAX_WAITING_BATCHES, MAX_WAITING_BYTES, Published, Received, Subscription};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use metrics::{Counter, counter};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use tokio::sync::Notify;

/// Fan-out between roles of one process.
#[derive(Debug)]
pub struct LocalBus {
    channels: Arc<Channels>,
    meters: Meters,
}

type Channels = RwLock<HashMap<NodeId, Arc<Channel>>>;

/// Looked up once: a publish then costs one atomic operation.
#[derive(Debug)]
struct Meters {
    accepted: Counter,
    full: Counter,
    no_subscriber: Counter,
}

#[derive(Debug, Default)]
struct Channel {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Bytes>,
    bytes: usize,
    lagged: bool,
    ended: bool,
}

impl Waiting {
    /// `None` when it must be dropped; otherwise whether the receiver may sleep.
    fn push(&mut self, payload: Bytes) -> Option<bool> {
        if self.batches.len() >= MAX_WAITING_BATCHES
            || self.bytes + payload.len() > MAX_WAITING_BYTES
        {
            self.lagged = true;
            return None;
        }
        self.bytes += payload.len();
        self.batches.push_back(payload);
        Some(self.batches.len() == 1)
    }

    /// `Err` when nothing waits; the end comes after all that waits.
    fn take(&mut self) -> Result<Option<Received>, ()> {
        if std::mem::take(&mut self.lagged) {
            // What still waits was published before the loss and is covered by
            // the check that `Lagged` asks for.
            self.batches.clear();
            self.bytes = 0;
            return Ok(Some(Received::Lagged));
        }
        match self.batches.pop_front() {
            Some(batch) => {
                self.bytes -= batch.len();
                Ok(Some(Received::Batch(batch)))
            }
            None if self.ended => Ok(None),
            None => Err(()),
        }
    }
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_one();
    }
}

impl LocalBus {
    /// A bus without subscribers.
    pub fn new() -> Self {
        let outcome = |name| counter!("frontdesk_bus_publishes_total", "outcome" => name);
        let meters = Meters {
            accepted: outcome("accepted"),
            full: outcome("full"),
            no_subscriber: outcome("no_subscriber"),
        };
        Self { channels: Arc::default(), meters }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for LocalBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        let Some(channel) = channels.get(gateway) else {
            self.meters.no_subscriber.increment(1);
            return Published::NoSubscriber;
        };
        let pushed = channel.lock().push(payload);
        let Some(may_sleep) = pushed else {
            self.meters.full.increment(1);
            return Published::Full;
        };
        self.meters.accepted.increment(1);
        // Only the first needs to wake; the receiver empties the queue.
        if may_sleep {
            channel.arrived.notify_one();
        }
        Published::Accepted
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let channel = Arc::new(Channel::default());
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(replaced) = channels.insert(gateway.clone(), channel.clone()) {
            replaced.end();
        }
        Box::new(LocalSubscription { gateway, channel, channels: Arc::downgrade(&self.channels) })
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.values().for_each(|channel| channel.end());
    }
}

struct LocalSubscription {
    gateway: NodeId,
    channel: Arc<Channel>,
    channels: Weak<Channels>,
}

#[async_trait]
impl Subscription for LocalSubscription {
    async fn recv(&mut self) -> Option<Received> {
        loop {
            let taken = self.channel.lock().take();
            if let Ok(received) = taken {
                return received;
            }
            self.channel.arrived.notified().await;
        }
    }
}

impl Drop for LocalSubscription {
    fn drop(&mut self) {
        let Some(channels) = self.channels.upgrade() else { return };
        let mut channels = channels.write().unwrap_or_else(PoisonError::into_inner);
        // A later subscription of the same gateway stays.
        if channels.get(&self.gateway).is_some_and(|c| Arc::ptr_eq(c, &self.channel)) {
            channels.remove(&self.gateway);
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
