//! A black-box load generator for Frontdesk: drives it over the public protocol
//! only and knows nothing of its insides.
//!
//! Every payload is audited while the load runs: what was acknowledged must have
//! been received, once, in order, by the right party.

pub mod audit;
pub mod cost;
pub mod credentials;
pub mod drive;
pub mod payload;
pub mod report;
pub mod scenario;
pub mod wire;
