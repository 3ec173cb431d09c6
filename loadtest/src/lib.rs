//! A black-box load generator for Frontdesk: drives it over the public protocol
//! only and knows nothing of its insides.
//!
//! A run is led by one coordinator ([`coordinate`]) and carried by one or more
//! workers ([`drive`]), which share a [`plan`] that is fixed before the run.
//! Every payload is audited while the load runs: what was acknowledged must have
//! been received, once, in order, by the right party.

pub mod arithmetic;
pub mod audit;
pub mod coordinate;
pub mod cost;
pub mod credentials;
pub mod drive;
pub mod faults;
pub mod payload;
pub mod plan;
pub mod scenario;

/// How coordinator and workers talk.
#[allow(missing_docs, reason = "generated; the documentation is in the .proto file")]
#[allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod protocol {
    tonic::include_proto!("frontdesk.loadtest.v1");
}
