//! P3: however often it is sent, a message stands once, and answers alike.

use crate::engine::{Fault, GATEWAYS, OWNERS, Plan, explore};

#[test]
fn however_often_it_is_sent() {
    let mut faults = vec![Fault::JournalDown];
    faults.extend(GATEWAYS.map(Fault::Crash));
    faults.extend(GATEWAYS.map(Fault::Isolate));
    faults.extend(OWNERS.map(Fault::Crash));
    let plan = |seed| Plan::with(seed, &faults);
    explore("promises::p3_said_once::however_often_it_is_sent", plan, |_| Vec::new());
}
