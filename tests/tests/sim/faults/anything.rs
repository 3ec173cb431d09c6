//! Any faults, at any time, together; and that a seed is its whole run.

use crate::engine::{Plan, anything, explore, summary_of};

#[test]
fn at_any_time() {
    let faults = anything();
    let plan = |seed| Plan::with(1_000 + seed, &faults);
    explore("faults::anything::at_any_time", plan, |_| Vec::new());
}

#[test]
fn in_any_company() {
    let faults = anything();
    let plan = |seed| {
        let more = Plan::with(2_000 + seed, &faults);
        let mut plan = Plan { visitors: 6, agents: 4, ..Plan::with(3_000 + seed, &faults) };
        plan.troubles.extend(more.troubles);
        plan
    };
    explore("faults::anything::in_any_company", plan, |_| Vec::new());
}

#[test]
fn a_seed_is_its_whole_run() {
    let test = "faults::anything::at_any_time";
    let first = summary_of(test, 1);
    assert_eq!(first, summary_of(test, 1), "the same seed, the same run");
    assert_ne!(first, summary_of(test, 2), "another seed, another run");
}
