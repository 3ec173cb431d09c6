//! Fan-out from the roles to the gateways, behind one trait.
//!
//! The bus is a hint, never the truth: what it loses is healed by the gateways
//! from the journal. It never blocks a publisher and never holds more than its
//! named limit.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tasks of tests need no names"))]

pub mod conformance;
mod fallback;
mod inbox;
mod inspect;
mod local;
mod redis_bus;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "fuzzing")]
pub use redis_bus::fuzzing;

pub use fallback::{DirectPath, FallbackBus};
pub use inspect::BusWay;
pub use local::LocalBus;
pub use redis_bus::{
    AddressError, BadSettings, HostPort, Login, RedisAddress, RedisBus, RedisExamination,
    RedisSettings, examine_redis,
};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use tokio::sync::watch;

/// Batches that may wait for one gateway: 5 MiB of single deliveries of 300
/// bytes. A gateway that is this far behind is better served by a check of all
/// its conversations.
pub const MAX_WAITING_BATCHES: usize = 16_384;
/// Bytes that may wait for one gateway; larger batches meet this limit first.
pub const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// On its way, as far as is known here.
    Accepted,
    /// Dropped: the gateway is too far behind. A receive after it says `Lagged`.
    Full,
    /// Dropped: no such gateway listens. A bus between processes learns it from
    /// the publish before, and notices within about a second that one has come.
    NoSubscriber,
    /// Dropped: the bus itself cannot be reached. Feed the gateway another way; it
    /// hears `Lagged` when the bus is back.
    Away,
}

/// What a gateway receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// An encoded `DeliveryBatch`.
    Batch(Bytes),
    /// Something may have been lost before what follows: check every
    /// conversation.
    Lagged,
}

/// One gateway's end of the bus. Dropping it unsubscribes.
#[async_trait]
pub trait Subscription: Send + 'static {
    /// The next batch, in the order of publishing per publisher; `None` when the
    /// bus has ended or another subscription has taken this one's place. Safe to
    /// cancel.
    async fn recv(&mut self) -> Option<Received>;

    /// Whether what is published now arrives here: proven end to end, not
    /// inferred from a connection. Not until it is true may a gateway count on
    /// the bus.
    fn live(&self) -> watch::Receiver<bool>;
}

/// Fan-out to gateways.
pub trait Bus: Send + Sync + 'static {
    /// Sends an encoded `DeliveryBatch` to one gateway; never blocks.
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published;

    /// Listens as a gateway. A second subscription of the same gateway replaces
    /// the first, if it is made at the same bus object: a node's id names one
    /// process for its life, so no other object ever listens as that gateway.
    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription>;

    /// What waits on each way and whether it leads anywhere, for whoever operates the
    /// process. A bus that has nothing to tell says nothing.
    fn inspect(&self) -> Vec<BusWay> {
        Vec::new()
    }
}
