//! P7: every process is replaced in turn; nobody is shown an error.

use crate::engine::{Fault, GATEWAYS, KEEPERS, OWNERS, Plan, READY_MS, ROUTERS, VOTERS, explore};

/// For each process, until it is started again.
const EACH_MS: u64 = 1_000;

#[test]
fn process_by_process() {
    let stops = OWNERS.into_iter().chain(KEEPERS).chain(ROUTERS).chain(GATEWAYS);
    let all: Vec<Fault> =
        VOTERS.map(Fault::Crash).into_iter().chain(stops.map(Fault::Stop)).collect();
    let plan = |seed| {
        let turns = all.iter().cloned().zip((READY_MS + 1_000..).step_by(EACH_MS as usize));
        turns.fold(Plan::calm(seed), |plan, (fault, at)| plan.and(fault, at, EACH_MS))
    };
    explore("promises::p7_rolling::process_by_process", plan, |_| Vec::new());
}
