//! The order in which conversations wait, where each stands in it, and how long
//! it will take.
//!
//! A conversation's score is the minutes it has waited plus its priority in minutes
//! (its queue's, and what a supervisor has added), highest first. Every score grows at
//! the same pace, so the order between two changes only with a priority: it is that of
//! `OrderKey`, the time of arrival moved back by the priority. Ageing is thus built in and nothing
//! starves. The machine must never forget a conversation that waits, nor let old
//! news undo newer.

mod alarms;
#[cfg(test)]
mod alarms_tests;
mod board;
mod entry;
mod estimate;
mod limits;
#[cfg(test)]
mod limits_tests;
mod line;
mod pool;
#[cfg(test)]
mod pool_tests;
mod ranks;
#[cfg(test)]
mod tests;
mod vigil;

pub use alarms::{AlarmRule, Assessment, Due, Plan, Sight};
pub use board::{Board, Change, Counts, MAX_TOMBSTONES, Placed, Standing, Terms};
pub use entry::{Entry, OrderKey};
pub use estimate::{Estimate, Handling, Slots};
pub use limits::{Answer, Limits, TurnedAway};
pub use pool::{Crew, Pool};
pub use vigil::{TRIED_FOR, Vigil};
