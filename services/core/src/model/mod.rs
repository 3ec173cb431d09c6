//! A support centre run through in no time: given who comes when, how long each takes
//! and waits, and who is there, it says who is served by whom and when. The choice is the
//! real one of `matching`, or any other, for comparison; so are hours and limits. Draws
//! nothing at random: what comes was recorded, or was drawn from a seed.
//!
//! Left out: offers are accepted at once, nobody goes away with a chat, and who was sent
//! away does not come back.

mod centre;
mod draw;
#[cfg(test)]
mod estimate_tests;
mod outcome;
mod replay;
#[cfg(test)]
mod replay_tests;
mod run;
#[cfg(test)]
mod tests;

pub use centre::{Arrival, Centre, Choice, Leg, Ours, Pace, Queue, Staff};
pub use draw::Draw;
pub use outcome::{Fate, Line, Ran, Served, lines};
pub use replay::{Came, Recorded, recorded};
