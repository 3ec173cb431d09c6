//! Fan-out from the roles to the gateways, behind one trait.
//!
//! The bus is a hint, never the truth: what it loses is healed by the gateways
//! from the journal. It never blocks a publisher and never holds more than its
//! named limit.

pub mod conformance;
mod local;

pub use local::LocalBus;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;

/// Batches that may wait for one gateway: 5 MiB of single deliveries of 300
/// bytes. A gateway that is this far behind is better served by a check of all
/// its conversations.
pub const MAX_WAITING_BATCHES: usize = 16_384;
/// Bytes that may wait for one gateway; larger batches meet this limit first.
pub const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// On its way.
    Accepted,
    /// Dropped: the gateway is too far behind. Its next receive says `Lagged`.
    Full,
    /// Dropped: no such gateway listens.
    NoSubscriber,
}

/// What a gateway receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// An encoded `DeliveryBatch`.
    Batch(Bytes),
    /// Something was lost before what follows: check every conversation.
    Lagged,
}

/// One gateway's end of the bus. Dropping it unsubscribes.
#[async_trait]
pub trait Subscription: Send + 'static {
    /// The next batch, in the order of publishing per publisher; `None` when the
    /// bus has ended or another subscription has taken this one's place. Safe to
    /// cancel.
    async fn recv(&mut self) -> Option<Received>;
}

/// Fan-out to gateways.
pub trait Bus: Send + Sync + 'static {
    /// Sends an encoded `DeliveryBatch` to one gateway; never blocks.
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published;

    /// Listens as a gateway. A second subscription of the same gateway replaces
    /// the first.
    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription>;
}
