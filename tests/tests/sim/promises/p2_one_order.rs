//! P2: one order without gaps, of which every reader sees a prefix.

use crate::engine::{Fault, OWNERS, Plan, explore};

#[test]
fn whoever_writes() {
    let mut faults = vec![Fault::BrokerLossy, Fault::BrokerDown, Fault::JournalDown];
    faults.extend(OWNERS.map(Fault::Isolate));
    faults.extend(OWNERS.map(Fault::Stop));
    faults.extend(OWNERS.map(Fault::Freeze));
    let plan = |seed| Plan { every_ms: 200, ..Plan::with(seed, &faults) };
    explore("promises::p2_one_order::whoever_writes", plan, |_| Vec::new());
}
