//! The broker is away, or loses what it is given: gateways are fed all the same.

use super::{AT_MS, LASTS_MS};
use crate::engine::{Fault, Plan, explore};

#[test]
fn gateways_are_fed_directly() {
    let plan = |seed| Plan::calm(seed).and(Fault::BrokerDown, AT_MS, LASTS_MS);
    explore("faults::broker_lost::gateways_are_fed_directly", plan, |outcome| {
        // Its going is noticed at the first publish that fails.
        outcome.late(AT_MS + 500, AT_MS + LASTS_MS, 1_500)
    });
}

#[test]
fn what_it_loses_is_found() {
    let plan = |seed| Plan::calm(seed).and(Fault::BrokerLossy, AT_MS, LASTS_MS);
    explore("faults::broker_lost::what_it_loses_is_found", plan, |outcome| {
        outcome.late(AT_MS, AT_MS + LASTS_MS, 6_000)
    });
}
