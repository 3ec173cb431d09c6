//! Bugs brought back: a simulation that does not see them would prove nothing.

use crate::engine::{Bug, Fault, OWNERS, Plan, ROUTERS, VOTERS, catches};

#[test]
fn a_journal_that_does_not_fence() {
    // A gateway that hears no more of the voters than its owner does goes on asking it.
    let cut_off = |owner| Fault::Split(VOTERS.into(), vec![owner, "g1"]);
    let faults: Vec<Fault> = OWNERS.map(cut_off).into();
    let plan = |seed| Plan::with(seed, &faults).bugged(Bug::NoFencing);
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
    // What routers leave behind when they die is found by those after them, too; that
    // it would end by itself can be seen in what the voters hold.
    let plan = |seed| {
        let plan = Plan { arrivals: 6_000..9_000, ..Plan::calm(seed) };
        let plan = plan.and(Fault::Split(ROUTERS.into(), OWNERS.into()), 6_000, 4_000);
        plan.bugged(Bug::NoExpiry)
    };
    catches("bugs::a_reservation_without_expiry", "P6", plan);
}
