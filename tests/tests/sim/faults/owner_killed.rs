//! A `sessions` process is killed: its conversations answer again within 5 s.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, OWNERS, Plan, explore};

#[test]
fn its_conversations_answer_again() {
    let plan = |seed| {
        let owner = OWNERS[seed as usize % 2];
        Plan::calm(seed).and(Fault::Crash(owner), AT_MS, LASTS_MS)
    };
    explore("faults::owner_killed::its_conversations_answer_again", plan, |outcome| {
        at_most(5_000, outcome.slowest(AT_MS - 500, AT_MS + LASTS_MS), "an acknowledgement")
    });
}
