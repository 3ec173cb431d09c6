//! Frontdesk beside its rivals: the same generator drives each system with the
//! same messages, and what a delivered message costs the servers is compared.
//!
//! [`drive`] knows only the trait [`adapters::Adapter`]; [`systems`] starts and
//! stops what is compared; [`compare`] runs them in turn. Nothing here is kind to
//! Frontdesk: what its rivals do not do is said beside their figures.

pub mod adapters;
pub mod compare;
pub mod drive;
pub mod label;
mod process;
pub mod relay;
pub mod report;
pub mod statistics;
pub mod systems;
pub mod versions;
