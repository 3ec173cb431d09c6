//! The role that keeps the order in which conversations wait, and tells the
//! visitors how long it will take.
//!
//! Everything here is derived from the conversations and rebuilt from them; it
//! must never be the only place that knows of one that waits. All queues of a
//! site live in one group, which is one task: a transfer moves a conversation
//! within it, and no two tasks ever hold the same one.

mod call;
mod error;
mod group;
mod keeper;
mod metrics;
mod missed;
mod push;
mod raising;
mod seeding;
mod service;
mod settings;
mod site;
mod sites;
#[cfg(test)]
mod tests;
mod turning;
mod waits;
mod watching;

pub use service::{Deps, GroupView, QueueingService, Running, start};
pub use settings::QueueingSettings;
