//! A support centre run through in no time: given who comes when, how long each takes
//! and waits, and who is there, it says who is served by whom and when. The choice is the
//! real one of `matching`, or any other, for comparison. Draws nothing at random: what
//! comes was recorded, or was drawn by the caller.
//!
//! Left out: offers are accepted at once, and nobody goes away with a chat.

mod centre;
#[cfg(test)]
mod tests;

pub use centre::{Arrival, Centre, Choice, Ours, Queue, Ran, Served, Staff};
