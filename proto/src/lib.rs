//! The schema's generated types, their conversions to and from `core`, the
//! mapping of failures, and the traits by which the roles talk.
//!
//! Nothing here decides anything.

pub mod api;
pub mod convert;
pub mod raw;
pub mod status;
pub mod wkt;

/// The client protocol, version 1.
#[allow(missing_docs, reason = "generated; the documentation is in the .proto files")]
#[allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("frontdesk.v1");
    include!(concat!(env!("OUT_DIR"), "/frontdesk.v1.serde.rs"));
}

/// What travels between nodes.
#[allow(missing_docs, reason = "generated; the documentation is in the .proto files")]
#[allow(clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod internal {
    tonic::include_proto!("frontdesk.internal.v1");
}

/// Encoded `FileDescriptorSet` of the schema, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/frontdesk.bin"));
