//! The bus over Redis: one sharded channel for each gateway, one task that
//! publishes, one for each subscription. It never blocks a publisher, and starts
//! and lives on while Redis is away.

mod address;
mod backoff;
mod certificates;
mod connect;
mod examine;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod meters;
mod outbox;
mod probes;
mod publisher;
mod settings;
mod subscriber;
#[cfg(test)]
mod tests;
mod wire;

pub use address::{AddressError, HostPort, Login, RedisAddress};
pub use examine::{RedisExamination, examine_redis};
pub use settings::{BadSettings, RedisSettings};

use crate::{Bus, BusWay, Published, Received, Subscription};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use frontdesk_telemetry::tasks;
use meters::Meters;
use publisher::{Desk, Publisher};
use settings::Plan;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use subscriber::{Seat, Subscriber};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// Fan-out between processes, over Redis 7 or later. Dropping it ends its
/// subscriptions.
#[derive(Debug)]
pub struct RedisBus {
    plan: Arc<Plan>,
    desk: Arc<Desk>,
    seats: Arc<Seats>,
    meters: Arc<Meters>,
    /// The publisher, which runs as long as the bus.
    _publisher: Owned,
}

/// The present subscription of each gateway here.
#[derive(Debug, Default)]
struct Seats(Mutex<HashMap<NodeId, Taken>>);

#[derive(Debug)]
struct Taken {
    seat: Arc<Seat>,
    subscriber: AbortHandle,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Owned(JoinHandle<()>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Taken {
    fn end(&self) {
        self.subscriber.abort();
        self.seat.set_live(false);
        self.seat.inbox.end();
    }
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Taken>> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedisBus {
    /// A bus that begins to connect. Fails only when the settings cannot work,
    /// never because Redis is away. To be called within a Tokio runtime.
    pub fn connect(settings: &RedisSettings) -> Result<Self, BadSettings> {
        let plan = Arc::new(settings.plan()?);
        let (desk, meters) = (Arc::new(Desk::default()), Arc::new(Meters::new()));
        let publisher = Publisher::new(plan.clone(), desk.clone(), meters.clone());
        let _publisher = Owned(tasks::spawn("bus.publisher", publisher.run()));
        Ok(Self { plan, desk, seats: Arc::default(), meters, _publisher })
    }
}

impl Bus for RedisBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let published = self.desk.publish(gateway, payload);
        self.meters.published(published);
        published
    }

    /// To be called within a Tokio runtime.
    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let seat = Arc::new(Seat::new(&self.plan, self.meters.clone()));
        let (plan, desk) = (self.plan.clone(), self.desk.clone());
        let subscriber = Subscriber::new(plan, desk, seat.clone(), gateway.clone());
        // Belongs to the subscription, and is ended early by one that replaces it.
        let task = tasks::spawn("bus.subscriber", subscriber.run());
        let taken = Taken { seat: seat.clone(), subscriber: task.abort_handle() };
        if let Some(replaced) = self.seats.lock().insert(gateway.clone(), taken) {
            replaced.end();
        }
        let seats = Arc::downgrade(&self.seats);
        Box::new(RedisSubscription { gateway, seat, seats, _subscriber: Owned(task) })
    }

    fn inspect(&self) -> Vec<BusWay> {
        let mut ways = self.desk.inspect();
        let seats = self.seats.lock();
        ways.extend(seats.iter().map(|(gateway, taken)| taken.seat.inspect(gateway)));
        ways
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.seats.lock().values().for_each(Taken::end);
    }
}

struct RedisSubscription {
    gateway: NodeId,
    seat: Arc<Seat>,
    seats: Weak<Seats>,
    _subscriber: Owned,
}

#[async_trait]
impl Subscription for RedisSubscription {
    async fn recv(&mut self) -> Option<Received> {
        self.seat.inbox.recv().await
    }

    fn live(&self) -> watch::Receiver<bool> {
        self.seat.live.subscribe()
    }
}

impl Drop for RedisSubscription {
    fn drop(&mut self) {
        self.seat.set_live(false);
        let Some(seats) = self.seats.upgrade() else { return };
        let mut seats = seats.lock();
        // A later subscription of the same gateway stays.
        if seats.get(&self.gateway).is_some_and(|taken| Arc::ptr_eq(&taken.seat, &self.seat)) {
            seats.remove(&self.gateway);
        }
    }
}
