//! The formulas against an independent implementation and against each other.

use super::*;
use crate::model::Pace;
use proptest::prelude::*;

fn close(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * b.abs().max(1e-9)
}

/// 100 calls in 30 minutes of 3 minutes each: 10 erlangs.
const CALLS: Load = Load { arrivals: 100.0 / 1_800.0, handling: 180.0, patience: None };

fn goal(service_level: f64, within: f64) -> Goal {
    Goal { service_level, within, max_occupancy: 0.85, at_once: 1, shrinkage: 0.3 }
}

/// pyworkforce 0.5.1, `ErlangC(transactions=100, aht=3, interval=30, asa=20/60,
/// shrinkage=0.3).required_positions(service_level=0.8, max_occupancy=0.85)`.
#[test]
fn it_agrees_with_an_independent_implementation() {
    let plan = goal(0.8, 20.0).plan(&CALLS).unwrap();
    assert_eq!((plan.agents, plan.positions), (14, 20));
    assert!(close(plan.outcome.in_time, 0.888_350_019_179_466_9, 1e-8), "{plan:?}");
    assert!(close(plan.outcome.waits, 0.174_131_933_595_049_8, 1e-12));
    assert!(close(plan.outcome.occupancy, 0.714_285_714_285_714_3, 1e-12));
    assert!(close(plan.outcome.wait, 7.835_937_011_777_24, 1e-7));
}

/// With all the patience in the world nobody gives up.
#[test]
fn endless_patience_is_that_of_erlang_c() {
    for slots in [11, 14, 30] {
        let c = CALLS.on(slots, 20.0);
        let a = Load { patience: Some(1e9), ..CALLS }.on(slots, 20.0);
        assert!(close(a.in_time, c.in_time, 1e-3) && close(a.waits, c.waits, 1e-3), "{a:?} {c:?}");
        assert!(a.abandons < 1e-3);
    }
}

#[test]
fn too_much_is_served_late_or_not_at_all() {
    let over = CALLS.on(9, 20.0);
    assert_eq!((over.in_time, over.wait, over.occupancy), (0.0, f64::INFINITY, 1.0));
    // Half of a great overload gives up, and the others wait about as long as patience.
    let load = Load { arrivals: 20.0, handling: 100.0, patience: Some(600.0) };
    let outcome = load.on(1_000, 60.0);
    assert!(
        close(outcome.abandons, 0.5, 1e-3) && close(outcome.occupancy, 1.0, 1e-3),
        "{outcome:?}"
    );
    assert!(close(outcome.wait, 300.0, 1e-2));
}

#[test]
fn more_at_once_need_fewer_agents_and_nonsense_none() {
    let alone = goal(0.8, 20.0).plan(&CALLS).unwrap().agents;
    let three = Goal { at_once: 3, ..goal(0.8, 20.0) }.plan(&CALLS).unwrap().agents;
    assert_eq!((alone, three), (14, 5));
    assert_eq!(goal(1.0, 20.0).plan(&CALLS), None);
    assert_eq!(goal(0.8, f64::NAN).plan(&CALLS), None);
    assert_eq!(Goal { at_once: 0, ..goal(0.8, 20.0) }.plan(&CALLS), None);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(goal(0.8, 20.0).plan(&Load { arrivals: bad, ..CALLS }), None);
        assert_eq!(goal(0.8, 20.0).plan(&Load { patience: Some(bad), ..CALLS }), None);
    }
    assert_eq!(goal(0.8, 20.0).plan(&Load { handling: 1e9, ..CALLS }), None);
}

#[test]
fn a_site_brings_what_its_visitors_ask() {
    let traffic = Traffic { visits: 10.0, interested: 0.2, chatting: 0.05 };
    assert!(close(traffic.arrivals(), 0.1, 1e-12));
}

/// Where theory has an answer the simulator comes to the same, give or take an agent.
#[test]
fn the_simulator_agrees_with_the_formulas() {
    let flat = Pace::default();
    let load = Load { arrivals: 0.02, handling: 180.0, patience: None };
    let goal = Goal { max_occupancy: 1.0, ..goal(0.8, 20.0) };
    let plan = goal.plan(&load).unwrap();
    let simulated = goal.simulate(&load, &flat, plan.agents).unwrap();
    println!("{plan:?}\n{simulated:?}");
    assert!(simulated.agents.abs_diff(plan.agents) <= 1);
    let there = load.on(simulated.agents, 20.0);
    assert!(close(simulated.outcome.in_time, there.in_time, 0.03));
    assert!(close(simulated.outcome.occupancy, there.occupancy, 0.03));
    let load = Load { patience: Some(60.0), ..load };
    let impatient = goal.plan(&load).unwrap();
    let simulated = goal.simulate(&load, &flat, impatient.agents + 2).unwrap();
    assert!(simulated.agents.abs_diff(impatient.agents) <= 1, "from wherever it begins");
}

/// Two chats at once that take half as long again each are worth less than two.
#[test]
fn what_several_at_once_cost_is_simulated() {
    let load = Load { arrivals: 0.02, handling: 180.0, patience: Some(90.0) };
    let goal = Goal { at_once: 2, max_occupancy: 1.0, ..goal(0.8, 20.0) };
    let near = goal.plan(&load).unwrap().agents;
    let free = goal.simulate(&load, &Pace::default(), near).unwrap();
    let dear = goal.simulate(&load, &Pace::new(&[100, 170]), near).unwrap();
    assert!(dear.agents > free.agents, "{dear:?} {free:?}");
    assert_eq!(goal.simulate(&load, &Pace::default(), 100_000), None);
}

fn loads() -> impl Strategy<Value = (Load, u32, f64)> {
    let load = (0.001..2.0, 10.0..900.0, 5.0..3_000.0_f64)
        .prop_map(|(arrivals, handling, p)| Load { arrivals, handling, patience: Some(p) });
    (load, 1_u32..300, 0.0..300.0_f64)
}

proptest! {
    #[test]
    fn shares_are_shares_and_all_are_accounted_for((load, slots, within) in loads()) {
        let outcome = load.on(slots, within);
        for share in [outcome.waits, outcome.in_time, outcome.abandons, outcome.occupancy] {
            prop_assert!((-1e-9..=1.0 + 1e-9).contains(&share), "{outcome:?}");
        }
        // In the end whoever does not give up is served.
        let patience = load.patience.unwrap();
        let long = load.on(slots, 40.0 * patience);
        prop_assert!((long.in_time - (1.0 - long.abandons)).abs() < 1e-3, "{long:?}");
        // Little's law, of those who wait: they give up at one rate.
        prop_assert!(close(outcome.abandons, outcome.wait / patience, 1e-9));
    }

    #[test]
    fn one_slot_more_never_serves_worse((load, slots, within) in loads()) {
        let (before, after) = (load.on(slots, within), load.on(slots + 1, within));
        prop_assert!(after.in_time >= before.in_time - 1e-9, "{before:?} {after:?}");
        prop_assert!(after.abandons <= before.abandons + 1e-9);
        prop_assert!(after.wait <= before.wait + 1e-9);
    }

    #[test]
    fn a_plan_is_the_least_that_reaches_its_goal((load, _, within) in loads(), level in 0.1..0.99) {
        let goal = Goal { max_occupancy: 1.0, ..goal(level, within) };
        let plan = goal.plan(&load).unwrap();
        prop_assert!(plan.outcome.in_time >= level);
        if plan.agents > 1 {
            prop_assert!(load.on(plan.agents - 1, within).in_time < level);
        }
    }
}
