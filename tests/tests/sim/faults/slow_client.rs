//! A client's line stands still for seconds: it misses nothing, and nobody waits
//! for it.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, Plan, explore};

#[test]
fn nobody_waits_for_it() {
    let plan = |seed| Plan::calm(seed).and(Fault::Stall("visitor0"), AT_MS, LASTS_MS);
    explore("faults::slow_client::nobody_waits_for_it", plan, |outcome| {
        let others = outcome.slowest_of(|who| who != "visitor0", AT_MS, AT_MS + LASTS_MS);
        at_most(1_000, others, "an acknowledgement to somebody else")
    });
}
