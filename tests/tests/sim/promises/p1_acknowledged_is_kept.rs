//! P1: an acknowledged message survives the loss of any process or engine.

use crate::engine::{Fault, OWNERS, Plan, explore};

#[test]
fn whatever_dies() {
    let mut faults = vec![Fault::JournalDown, Fault::CrashLeader, Fault::BrokerDown];
    faults.extend(OWNERS.map(Fault::Crash));
    faults.extend(OWNERS.map(Fault::Freeze));
    let plan = |seed| Plan::with(seed, &faults);
    explore("promises::p1_acknowledged_is_kept::whatever_dies", plan, |_| Vec::new());
}
