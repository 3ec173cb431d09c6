//! What each party of each conversation must hear: everything the other side
//! was acknowledged, once, in order, and nothing else. Memory is bounded: what
//! is complete takes two numbers per conversation and speaker.

mod account;
mod case;
mod ear;
mod findings;
mod numbers;
mod transcript;
mod wire;

pub use account::{Account, Digest};
pub use case::{Case, Dossier};
pub use ear::{Ear, Heard};
pub use findings::Findings;
pub use numbers::Numbers;
pub use transcript::Transcript;
