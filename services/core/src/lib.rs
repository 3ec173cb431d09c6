//! The decisions of Frontdesk as pure, deterministic state machines.
//!
//! Nothing here is async, reads a clock, draws a random number or does I/O:
//! time and ids come in with the command. Everything else in the workspace
//! moves bytes to and from these machines.

pub mod audit;
pub mod conversation;
pub mod figures;
pub mod guesses;
pub mod hours;
pub mod identity;
pub mod ids;
pub mod language;
pub mod matching;
pub mod model;
pub mod party;
pub mod presence;
pub mod privacy;
pub mod queue;
pub mod routes;
pub mod runs;
pub mod shard;
pub mod skill;
pub mod staffing;
pub mod time;
pub mod trace;
