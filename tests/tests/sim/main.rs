//! Simulated clusters: one file for each promise of the design and for each line of
//! its table of faults; faults first, then healing, then the checks. Whatever a
//! file is about, all promises are checked.

mod bugs;
mod engine;
mod faults;
mod promises;
