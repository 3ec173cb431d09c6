//! The role that owns conversations: 256 shards, each one task that steps its
//! conversations as plain values, commits what they decide in groups, and only
//! then says it. Decides nothing itself: `core` does.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tasks of tests need no names"))]

mod clock;
mod epochs;
mod error;
mod inspect;
mod lists;
mod mail;
mod metrics;
mod notify;
mod records;
mod service;
mod settings;
mod shard;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use clock::{Clock, SystemClock};
pub use error::SessionsError;
pub use inspect::{ShardView, SlowCommit};
pub use service::{SessionsDeps, SessionsService};
pub use settings::Settings;
