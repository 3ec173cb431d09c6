//! Bugs brought back: a simulation that does not see them would prove nothing.

use crate::engine::{Bug, Fault, HEALED_MS, OWNERS, Plan, READY_MS, ROUTERS, catches};

#[test]
fn a_journal_that_does_not_fence() {
    let faults: Vec<Fault> = OWNERS.map(Fault::Freeze).into();
    let plan = |seed| {
        let plan = Plan { every_ms: 100, ..Plan::with(seed, &faults) };
        plan.bugged(Bug::NoFencing)
    };
    catches("bugs::a_journal_that_does_not_fence", "P5", plan);
}

#[test]
fn an_acknowledgement_before_the_commit() {
    let faults: Vec<Fault> = OWNERS.map(Fault::Crash).into();
    let plan = |seed| {
        let plan = Plan { every_ms: 100, ..Plan::with(seed, &faults) };
        plan.bugged(Bug::AckBeforeCommit)
    };
    catches("bugs::an_acknowledgement_before_the_commit", "P1", plan);
}

#[test]
fn a_reservation_without_expiry() {
    let mut faults: Vec<Fault> = ROUTERS.map(Fault::Crash).into();
    faults.push(Fault::Split(ROUTERS.into(), OWNERS.into()));
    let plan = |seed| {
        let plan = Plan {
            agents: 2,
            capacity: 2,
            arrivals: READY_MS..HEALED_MS - 2_000,
            ..Plan::with(seed, &faults)
        };
        plan.bugged(Bug::NoExpiry)
    };
    catches("bugs::a_reservation_without_expiry", "P6", plan);
}
