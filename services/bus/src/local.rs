//! The bus within one process.

use crate::{Bus, MAX_WAITING_BATCHES, MAX_WAITING_BYTES, Published, Received, Subscription};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use metrics::counter;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Notify;

/// Fan-out between roles of one process.
#[derive(Debug, Default)]
pub struct LocalBus {
    channels: RwLock<HashMap<NodeId, Arc<Channel>>>,
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
        Self::default()
    }
}

impl Bus for LocalBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        let Some(channel) = channels.get(gateway) else {
            counter!("frontdesk_bus_publishes_total", "outcome" => "no_subscriber").increment(1);
            return Published::NoSubscriber;
        };
        let was_empty = {
            let mut waiting = channel.lock();
            if waiting.batches.len() >= MAX_WAITING_BATCHES
                || waiting.bytes + payload.len() > MAX_WAITING_BYTES
            {
                waiting.lagged = true;
                counter!("frontdesk_bus_publishes_total", "outcome" => "full").increment(1);
                return Published::Full;
            }
            waiting.bytes += payload.len();
            waiting.batches.push_back(payload);
            waiting.batches.len() == 1
        };
        counter!("frontdesk_bus_publishes_total", "outcome" => "accepted").increment(1);
        // Only the first needs to wake; the receiver empties the queue.
        if was_empty {
            channel.arrived.notify_one();
        }
        Published::Accepted
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let channel = Arc::new(Channel::default());
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(replaced) = channels.insert(gateway, channel.clone()) {
            replaced.end();
        }
        Box::new(LocalSubscription { channel })
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        let channels = self.channels.get_mut().unwrap_or_else(PoisonError::into_inner);
        channels.values().for_each(|channel| channel.end());
    }
}

struct LocalSubscription {
    channel: Arc<Channel>,
}

impl LocalSubscription {
    /// `Err` when nothing waits; the ended state comes after all that waits.
    fn take(&self) -> Result<Option<Received>, ()> {
        let mut waiting = self.channel.lock();
        if std::mem::take(&mut waiting.lagged) {
            // What still waits was published before the loss and is covered by
            // the check that `Lagged` asks for.
            waiting.batches.clear();
            waiting.bytes = 0;
            return Ok(Some(Received::Lagged));
        }
        match waiting.batches.pop_front() {
            Some(batch) => {
                waiting.bytes -= batch.len();
                Ok(Some(Received::Batch(batch)))
            }
            None if waiting.ended => Ok(None),
            None => Err(()),
        }
    }
}

#[async_trait]
impl Subscription for LocalSubscription {
    async fn recv(&mut self) -> Option<Received> {
        loop {
            if let Ok(received) = self.take() {
                return received;
            }
            self.channel.arrived.notified().await;
        }
    }
}

impl Drop for LocalSubscription {
    fn drop(&mut self) {
        // The map's entry is replaced by the next subscription or goes with the
        // bus; until then what arrives is bounded.
        self.channel.end();
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
}
