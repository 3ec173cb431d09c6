//! Bugs brought back: a simulation that does not see them would prove nothing.

use crate::engine::{Bug, Fault, OWNERS, Plan, ROUTERS, catches};

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
    // Room is reserved, and who has reserved it dies before it is said what for.
    let plan = |seed| {
        let plan = Plan { agents: 2, arrivals: 6_000..8_000, ..Plan::calm(seed) };
        let plan = plan.and(Fault::Split(ROUTERS.into(), OWNERS.into()), 6_000, 3_000);
        let plan = plan.and(Fault::Crash("r1"), 8_500, 1_000).and(Fault::Crash("r2"), 8_500, 1_000);
        plan.bugged(Bug::NoExpiry)
    };
    catches("bugs::a_reservation_without_expiry", "P6", plan);
}
