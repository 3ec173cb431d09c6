//! What every sharded role needs to run its actors: bounded mailboxes that
//! answer when they are full, and residence of actors in memory (one load at a
//! time, bounded waiting, leaving when idle); and how a role is told which shards
//! are its own.
//!
//! An actor is a value in the map of its shard, never a task. Nothing here knows
//! what an actor is or decides.

mod host;
mod mailboxes;
mod ownership;
mod residents;

pub use host::{AcquireError, ShardHost};
pub use mailboxes::{Mailboxes, Refused};
pub use ownership::Ownership;
pub use residents::{Residence, Residents, WaitingFull};
