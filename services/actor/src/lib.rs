//! What every sharded role needs to run its actors: bounded mailboxes that
//! answer when they are full, and residence of actors in memory (one load at a
//! time, bounded waiting, leaving when idle).
//!
//! An actor is a value in the map of its shard, never a task. Nothing here knows
//! what an actor is or decides.

mod mailboxes;
mod residents;

pub use mailboxes::{Mailboxes, Refused};
pub use residents::{Residence, Residents, WaitingFull};
