//! The role that ends client connections: gRPC, WebSocket and HTTP on one port.
//!
//! It authenticates, limits, forwards commands to the owners of conversations
//! and delivers events to those who may see them. It decides nothing about
//! conversations and keeps nothing that matters: a client that reconnects to any
//! other gateway misses nothing.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tasks of tests need no names"))]

mod accounts;
mod admin;
mod asked;
mod audit;
mod auth;
mod board;
mod calls;
mod carriers;
mod codec;
mod connection;
mod deps;
mod dispatch;
mod drain;
mod feeding;
mod figures;
mod following;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod grpc_auth;
mod guesses;
mod http;
mod inspect;
mod limits;
mod listener;
mod metrics;
mod network;
mod oidc;
mod outbox;
mod peer;
mod pieces;
mod privacy;
mod profiles;
mod recorded;
mod registry;
mod revoked;
mod server;
mod settings;
mod shared;
mod standing;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tls_tests;
mod tokens;
mod verbs;

pub use deps::{AttachmentBlobs, Clock, GatewayDeps, MetricsRender, ReadinessCheck};
pub use feeding::{FeedingBus, count_rejoins};
pub use inspect::{ConnectionGroup, Inspector, SlowReader};
pub use network::{InvalidNetwork, Network};
pub use oidc::{Grant, OidcSettings, StaffRole, examine_oidc};
pub use server::{Gateway, KeyRing, Running, StartError};
pub use settings::{DemoSettings, Settings, TokenAlgorithm, TokenKey};
pub use tokens::{KeyError, examine_keys};
