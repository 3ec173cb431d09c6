//! Durable storage behind traits: the journal of conversations, the desk's
//! tables and the uploaded files, with one implementation on SQLite and a local
//! folder, one on PostgreSQL. What is stored is opaque here; nothing in this crate decides what a
//! conversation may do.

pub mod attachments;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod desk;
pub mod journal;
pub mod postgres;
mod shape;
pub mod sqlite;
mod traced;
