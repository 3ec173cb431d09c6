//! P5: a stale owner is refused by the journal itself.

use crate::engine::{Fault, OWNERS, Plan, VOTERS, explore};

#[test]
fn whoever_thinks_it_owns() {
    let mut faults: Vec<Fault> = OWNERS.map(Fault::Freeze).into();
    faults.extend(OWNERS.map(Fault::Isolate));
    // Gateways that hear no more of the voters go on asking the owners they know.
    faults.extend(OWNERS.map(|owner| Fault::Split(VOTERS.into(), vec![owner])));
    faults.extend(OWNERS.map(|owner| Fault::Split(VOTERS.into(), vec![owner, "g1"])));
    let plan = |seed| Plan { every_ms: 200, ..Plan::with(seed, &faults) };
    explore("promises::p5_one_owner::whoever_thinks_it_owns", plan, |_| Vec::new());
}
