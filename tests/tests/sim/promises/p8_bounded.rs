//! P8: what waits is bounded: while nothing can be written, people who go on
//! talking are asked to wait, and are heard in the end.

use crate::engine::{Fault, OWNERS, Plan, explore};

#[test]
fn however_much_is_said() {
    let mut faults = vec![Fault::JournalDown];
    faults.extend(OWNERS.map(Fault::Freeze));
    let plan = |seed| Plan { every_ms: 60, ..Plan::with(seed, &faults) };
    explore("promises::p8_bounded::however_much_is_said", plan, |_| Vec::new());
}
