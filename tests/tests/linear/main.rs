//! Whether reservations are linearizable: a presence group of real voters over real
//! connections, asked by many at once while links fail, voters restart and who
//! votes changes; and whether the checker would see it if they were not.
//!
//! `LINEAR_SEED` repeats the faults and questions of a run, not its timing.

mod blind;
mod callers;
mod checker;
mod faults;
mod group;
mod nemesis;
mod network;
mod registers;
