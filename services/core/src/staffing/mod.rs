//! How many agents a load needs: the formulas of queues in which any free slot serves
//! whoever came first. Real centres have skills, limits and uneven arrivals, so these are
//! bounds to plan from, not promises. `simulate` asks the simulator of `model` instead.
//!
//! `wait` treats patience as endless (M/M/N, Erlang C) or as exponential (M/M/N+M,
//! Erlang A, also called Palm); Gans, Koole, Mandelbaum: *Telephone Call Centers*,
//! M&SOM 5(2), 2003, sections 3.1 and 4.2.1.

mod erlang;
mod plan;
mod simulate;
#[cfg(test)]
mod tests;

pub use erlang::{Load, Outcome};
pub use plan::{Goal, Plan, Traffic};
