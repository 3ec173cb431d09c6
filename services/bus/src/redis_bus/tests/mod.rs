//! Against real servers. Nothing here measures time: each wait has a limit that
//! is reached only when something is broken.

mod faults;
mod modes;
mod tls;

use super::{RedisBus, RedisSettings};
use crate::{Bus, Published, Received, Subscription};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use std::time::Duration;

/// Something is broken when a wait takes as long.
const LIMIT: Duration = Duration::from_secs(60);

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn connect(settings: &RedisSettings) -> RedisBus {
    RedisBus::connect(settings).unwrap()
}

async fn within_limit<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| panic!("{what}: not in {LIMIT:?}"))
}

/// One gateway and what it has heard.
struct Gateway {
    id: NodeId,
    subscription: Box<dyn Subscription>,
}

impl Gateway {
    async fn listening(bus: &RedisBus, name: &str) -> Self {
        let mut gateway = Self { id: node(name), subscription: bus.subscribe(node(name)) };
        gateway.becomes(true).await;
        gateway.hears_lagged().await;
        gateway
    }

    async fn becomes(&mut self, live: bool) {
        let mut changes = self.subscription.live();
        within_limit("live changes", changes.wait_for(|is| *is == live)).await.unwrap();
    }

    async fn hears(&mut self) -> Received {
        within_limit("something arrives", self.subscription.recv()).await.expect("no end")
    }

    async fn hears_lagged(&mut self) {
        while self.hears().await != Received::Lagged {}
    }

    async fn hears_batch(&mut self, batch: &'static str) {
        let batch = Received::Batch(Bytes::from_static(batch.as_bytes()));
        while self.hears().await != batch {}
    }

    fn is_sent(&self, bus: &RedisBus, batch: &'static str) -> Published {
        bus.publish(&self.id, Bytes::from_static(batch.as_bytes()))
    }

    /// Publishes until the bus says so.
    async fn is_sent_until(&self, bus: &RedisBus, batch: &'static str, outcome: Published) {
        let publishes = async {
            while self.is_sent(bus, batch) != outcome {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within_limit(&format!("a publish says {outcome:?}"), publishes).await;
    }
}
