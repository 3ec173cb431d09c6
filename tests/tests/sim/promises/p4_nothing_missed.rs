//! P4: who comes back, to any gateway, goes on where it was and misses nothing.

use crate::engine::{Fault, GATEWAYS, Plan, explore};

#[test]
fn wherever_one_comes_back() {
    let mut faults = vec![Fault::BrokerDown, Fault::BrokerLossy, Fault::Stall("visitor1")];
    faults.extend(GATEWAYS.map(Fault::Crash));
    faults.extend(GATEWAYS.map(Fault::Stop));
    faults.extend(GATEWAYS.map(Fault::Isolate));
    let plan = |seed| Plan::with(seed, &faults);
    explore("promises::p4_nothing_missed::wherever_one_comes_back", plan, |_| Vec::new());
}
