//! A gateway is killed: its clients come back to another one and go on.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, GATEWAYS, Plan, explore};

#[test]
fn clients_go_on_elsewhere() {
    let plan = |seed| {
        let gateway = GATEWAYS[seed as usize % 2];
        Plan::calm(seed).and(Fault::Crash(gateway), AT_MS, LASTS_MS)
    };
    explore("faults::gateway_killed::clients_go_on_elsewhere", plan, |outcome| {
        let slowest = outcome.slowest(AT_MS - 500, AT_MS + LASTS_MS);
        at_most(4_000, slowest, "an acknowledgement")
    });
}
