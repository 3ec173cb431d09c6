//! Placement: who gets which shard when nodes come, go and dawdle.

use super::*;
use crate::ids::Epoch;
use crate::shard::ShardId;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn node(n: u64) -> NodeId {
    incarnation_id(&format!("s{n}"), 1).expect("a slug")
}

fn join(log: &mut Log, n: u64) {
    let role = NodeRole::Sessions;
    log.apply(0, Action::JoinNode { node: node(n), role, address: "".into() });
}

/// Does what the plan says, and returns how many steps that were.
fn step(log: &mut Log, millis: u64) -> usize {
    let steps = plan(&log.state, at(millis));
    for action in steps.clone() {
        let reply = log.apply(millis, action).reply;
        assert!(!matches!(reply, Reply::Refused(_)), "{reply}");
    }
    steps.len()
}

/// The owners of shards that move hand them on, as far as they live.
fn release_all(log: &mut Log, millis: u64) {
    let mut moving: BTreeMap<NodeId, Vec<(ShardId, Epoch)>> = BTreeMap::new();
    for (place, placement) in log.state.placement().filter(|(_, p)| p.moving.is_some()) {
        let owned = (place.shard, placement.epoch);
        moving.entry(placement.node.clone()).or_default().push(owned);
    }
    for (node, shards) in moving {
        log.apply(millis, Action::ReleaseShards { role: NodeRole::Sessions, node, shards });
    }
}

fn settle(log: &mut Log, millis: u64) {
    for _ in 0..64 {
        release_all(log, millis);
        let steps = step(log, millis);
        if steps == 0 && log.state.placement().all(|(_, p)| p.moving.is_none()) {
            return;
        }
    }
    panic!("the placement did not settle");
}

fn shares_of(log: &Log) -> Vec<usize> {
    shares(&log.state, NodeRole::Sessions).into_values().collect()
}

#[test]
fn the_first_node_gets_everything_and_the_second_half_of_it() {
    let mut log = Log::default();
    assert_eq!(step(&mut log, 0), 0, "nobody is there");
    join(&mut log, 1);
    settle(&mut log, 0);
    assert_eq!(shares_of(&log), [256]);
    join(&mut log, 2);
    step(&mut log, 0);
    let moving = log.state.placement().filter(|(_, p)| p.moving.is_some()).count();
    assert_eq!(moving, limits::MAX_MOVING, "a tenth at a time");
    settle(&mut log, 0);
    assert_eq!(shares_of(&log), [128, 128]);
}

#[test]
fn a_shard_on_the_move_stays_its_owners_until_released() {
    let mut log = Log::default();
    join(&mut log, 1);
    settle(&mut log, 0);
    join(&mut log, 2);
    let shard = ShardId::new(7).expect("below 256");
    let place = Place { role: NodeRole::Sessions, shard };
    let role = NodeRole::Sessions;
    log.apply(0, Action::MoveShards { role, shards: vec![shard], to: node(2), by: PlacedBy::Plan });
    let before = log.state.placement_of(place).expect("placed").clone();
    assert_eq!(before.node, node(1));
    // Under another epoch it is somebody else's release.
    let wrong = vec![(shard, Epoch::new(before.epoch.get() + 1))];
    log.apply(0, Action::ReleaseShards { role, node: node(1), shards: wrong });
    assert_eq!(log.state.placement_of(place), Some(&before));
    let right = vec![(shard, before.epoch)];
    log.apply(0, Action::ReleaseShards { role, node: node(1), shards: right });
    let after = log.state.placement_of(place).expect("placed");
    assert_eq!((&after.node, after.moving.as_ref()), (&node(2), None));
    assert!(after.epoch > before.epoch);
}

#[test]
fn what_an_operator_has_moved_stays_until_its_owner_goes() {
    let mut log = Log::default();
    join(&mut log, 1);
    join(&mut log, 2);
    settle(&mut log, 0);
    let role = NodeRole::Sessions;
    let theirs: Vec<ShardId> = log
        .state
        .placement()
        .filter(|(place, p)| place.role == role && p.node == node(1))
        .map(|(place, _)| place.shard)
        .take(20)
        .collect();
    let wish = |by, to| Action::MoveShards { role, shards: theirs.clone(), to: node(to), by };
    let on_second = |log: &Log| {
        let there = |shard: &&ShardId| {
            log.state
                .placement_of(Place { role, shard: **shard })
                .is_some_and(|p| p.node == node(2))
        };
        theirs.iter().filter(there).count()
    };
    log.apply(0, wish(PlacedBy::Operator, 2));
    settle(&mut log, 0);
    assert_eq!((on_second(&log), shares_of(&log)), (20, vec![128, 128]), "others made room");
    let shares = shares_of(&log);
    settle(&mut log, 0);
    assert_eq!((on_second(&log), shares_of(&log)), (20, shares), "and nothing moves again");
    log.apply(0, Action::DrainNode { node: node(2) });
    settle(&mut log, 0);
    assert_eq!(on_second(&log), 0, "a wish does not hold up a drain");
}

#[test]
fn an_owner_that_dawdles_is_passed_over() {
    let mut log = Log::default();
    join(&mut log, 1);
    settle(&mut log, 0);
    join(&mut log, 2);
    step(&mut log, 0);
    let late = u64::try_from(limits::HAND_OFF.to_duration().as_millis()).expect("fits");
    assert_eq!(step(&mut log, late - 1), 0);
    assert!(step(&mut log, late) > 0);
    assert_eq!(shares_of(&log), [256 - limits::MAX_MOVING, limits::MAX_MOVING]);
}

#[test]
fn the_shards_of_a_dead_node_are_given_out_at_once() {
    let mut log = Log::default();
    for n in 1..=3 {
        join(&mut log, n);
    }
    settle(&mut log, 0);
    log.apply(0, Action::RemoveNode { node: node(2) });
    step(&mut log, 0);
    assert!(shares_of(&log).iter().all(|share| share.abs_diff(128) <= 1), "{:?}", shares_of(&log));
}

#[test]
fn a_draining_node_ends_with_nothing() {
    let mut log = Log::default();
    join(&mut log, 1);
    join(&mut log, 2);
    settle(&mut log, 0);
    log.apply(0, Action::DrainNode { node: node(1) });
    settle(&mut log, 0);
    assert_eq!(
        shares(&log.state, NodeRole::Sessions).into_iter().collect::<Vec<_>>(),
        [(node(2), 256)]
    );
}

#[test]
fn assignments_stored_before_roles_were_placed_are_read() {
    let stored = r#"{"assign_shards":{"shards":[3],"node":"a-000000000001"}}"#;
    let action: Action = serde_json::from_str(stored).expect("readable");
    assert!(matches!(action, Action::AssignShards { role: NodeRole::Sessions, .. }));
    let stored = r#"{"now":5,"agents":[],"members":[],"requests":REQUESTS,
        "placement":[[3,{"node":"a-000000000001","epoch":9}]]}"#;
    let requests = serde_json::to_value(PresenceState::default()).expect("json");
    let stored = stored.replace("REQUESTS", &requests["requests"].to_string());
    let state: PresenceState = serde_json::from_str(&stored).expect("readable");
    let place = Place { role: NodeRole::Sessions, shard: ShardId::new(3).expect("below 256") };
    assert_eq!(state.placement_of(place).map(|p| p.epoch), Some(Epoch::new(9)));
}

#[derive(Debug, Clone)]
enum Turn {
    Join(u64),
    Die(u64),
    Drain(u64),
    Plan,
    Release,
    Wait(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        2 => (1..5u64).prop_map(Turn::Join),
        1 => (1..5u64).prop_map(Turn::Die),
        1 => (1..5u64).prop_map(Turn::Drain),
        4 => Just(Turn::Plan),
        3 => Just(Turn::Release),
        1 => (1..15_000u64).prop_map(Turn::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Whatever happens, epochs only rise, few shards move at once, and once it is
    /// quiet every shard is with a node that stays, evenly.
    #[test]
    fn it_always_settles(turns in prop::collection::vec(turn(), 1..40)) {
        let mut log = Log::default();
        let mut millis = 0;
        let mut epochs: BTreeMap<Place, Epoch> = BTreeMap::new();
        for turn in turns.into_iter().chain([Turn::Join(9)]) {
            match turn {
                Turn::Join(n) => join(&mut log, n),
                Turn::Die(n) => drop(log.apply(millis, Action::RemoveNode { node: node(n) })),
                Turn::Drain(n) => drop(log.apply(millis, Action::DrainNode { node: node(n) })),
                Turn::Plan => drop(step(&mut log, millis)),
                Turn::Release => release_all(&mut log, millis),
                Turn::Wait(passed) => millis += passed,
            }
            for (place, placement) in log.state.placement() {
                let before = epochs.insert(place, placement.epoch);
                prop_assert!(before.is_none_or(|before| before <= placement.epoch));
            }
        }
        settle(&mut log, millis);
        let stays: Vec<NodeId> = log.state.members().filter(|m| !m.draining).map(|m| m.node.clone()).collect();
        let shares = shares(&log.state, NodeRole::Sessions);
        prop_assert_eq!(shares.values().sum::<usize>(), 256);
        prop_assert!(shares.keys().all(|owner| stays.contains(owner)));
        let (most, least) = (shares.values().max(), stays.iter().map(|n| shares.get(n).unwrap_or(&0)).min());
        prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{shares:?}");
        prop_assert!(log.state.placement().all(|(_, p)| p.moving.is_none()));
    }
}
