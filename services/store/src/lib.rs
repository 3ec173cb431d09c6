//! Durable storage behind traits: the journal of conversations, the desk's
//! tables and the uploaded files, with one implementation on SQLite and a local
//! folder, one on PostgreSQL, and one of the files alone in an object store. What is
//! stored is opaque here; nothing in this crate decides what a conversation may do.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tasks of tests need no names"))]

pub mod attachments;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod desk;
pub mod journal;
pub mod postgres;
pub mod s3;
mod shape;
pub mod sqlite;
#[cfg(any(test, feature = "conformance"))]
mod test_folder;
mod traced;
mod trust;
