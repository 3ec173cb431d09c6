//! The presence role: who is there and has room, which nodes there are, and who
//! owns which shard.
//!
//! Liveness of nodes is measured by the leader alone, in memory; only what follows
//! from it is decided by the group.
//!
//! Decisions are made in `frontdesk_core::presence`, agreement is reached in
//! `frontdesk_cluster`; here requests become commands, time passes, and answers
//! become those of the API. Nothing is kept here that the group does not have.

mod census;
mod error;
mod expiry;
mod metrics;
mod service;
mod settings;
mod steward;

pub use error::PresenceError;
pub use frontdesk_cluster::{Clock, LocalRouter, PlacementChange, RaftTransport, SystemClock};
pub use service::PresenceService;
pub use settings::{MemberSettings, PresenceSettings};
