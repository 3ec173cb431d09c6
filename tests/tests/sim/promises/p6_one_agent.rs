//! P6: one agent at a time, never above its capacity, and nobody is forgotten,
//! with exactly as much room as there are visitors.

use crate::engine::{Fault, HEALED_MS, KEEPERS, Plan, READY_MS, ROUTERS, explore};

#[test]
fn whoever_matches() {
    let mut faults = vec![Fault::CrashLeader, Fault::JournalDown];
    faults.extend(ROUTERS.map(Fault::Crash));
    faults.extend(ROUTERS.map(Fault::Freeze));
    faults.extend(KEEPERS.map(Fault::Crash));
    faults.push(Fault::Split(ROUTERS.into(), vec!["s1", "s2"]));
    let plan = |seed| Plan {
        agents: 2,
        capacity: 2,
        arrivals: READY_MS..HEALED_MS - 2_000,
        ..Plan::with(seed, &faults)
    };
    explore("promises::p6_one_agent::whoever_matches", plan, |_| Vec::new());
}
