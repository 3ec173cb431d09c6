//! A `sessions` process stands still and then goes on: what it still had to write
//! is refused, and its conversations have answered meanwhile.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, OWNERS, Plan, explore};

#[test]
fn it_comes_back_to_nothing() {
    let plan = |seed| {
        let owner = OWNERS[seed as usize % 2];
        let plan = Plan { every_ms: 150, ..Plan::calm(seed) };
        plan.and(Fault::Freeze(owner), AT_MS, LASTS_MS + 2_000)
    };
    explore("faults::owner_frozen::it_comes_back_to_nothing", plan, |outcome| {
        at_most(6_000, outcome.slowest(AT_MS - 500, AT_MS + LASTS_MS), "an acknowledgement")
    });
}
