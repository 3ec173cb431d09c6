//! The role that brings conversations and agents together.
//!
//! Presence says who has room, the conversation says who is assigned; routing
//! owns neither and only moves them step by step: reserve, offer, confirm,
//! assign, release. Every step may be repeated, and whatever a crash leaves half
//! done is found by comparing the two and finished or undone. It must never
//! release the room of an agent who has the conversation, and does only one
//! thing at a time to one conversation.

mod agents;
mod call;
mod error;
mod explanations;
mod gather;
mod matcher;
mod metrics;
mod notice;
mod ops;
mod reconcile;
mod router;
mod saga;
mod service;
mod settings;
#[cfg(test)]
mod tests;
mod work;

pub use service::{Deps, RoutingService, Running, start};
pub use settings::RoutingSettings;
