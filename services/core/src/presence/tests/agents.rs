//! Each rule of DESIGN §5 about agents, as an example.

use super::*;

fn refused(reply: &Reply) -> Option<Refusal> {
    match reply {
        Reply::Refused(refusal) => Some(*refusal),
        Reply::Done | Reply::Agent(_) | Reply::Shards(_) => None,
    }
}

#[test]
fn who_connects_is_away_until_a_status_is_set() {
    let mut log = Log::default();
    let unknown = log.connect(0, 3, 0);
    assert_eq!(refused(&unknown.reply), Some(Refusal::UnknownNode));
    log.apply(
        0,
        Action::JoinNode { node: gateway("gw", 1), role: NodeRole::Gateway, address: "".into() },
    );
    log.connect(0, 3, 0);
    assert_eq!(log.view().status, AgentStatus::Away);
    log.status(5, AgentStatus::Online);
    assert_eq!((log.view().status, log.view().since), (AgentStatus::Online, at(5)));
}

#[test]
fn a_reconnect_within_the_grace_period_changes_nothing() {
    let mut log = Log::online(3);
    log.connect(0, 3, 1);
    log.disconnect(1, 0);
    assert_eq!(log.state.next_deadline(), None, "one connection is left");
    log.disconnect(2, 1);
    assert_eq!(log.state.next_deadline(), Some(at(30_002)));
    assert_eq!(refused(&log.reserve(3, 0, 1, 9_000)), Some(Refusal::NotConnected));
    assert_eq!(log.view().free(), 0);
    log.connect(30_001, 3, 2);
    assert_eq!(log.view().status, AgentStatus::Online);
    assert_eq!(log.state.next_deadline(), None);
}

#[test]
fn after_the_grace_period_offers_are_dropped_and_chats_stay_listed() {
    let mut log = Log::online(3);
    log.reserve(0, 0, 1, 60_000);
    log.reserve(0, 1, 1, 60_000);
    log.confirm(0, 1);
    log.disconnect(10, 0);
    let late = log.expire(40_000);
    assert_eq!(late.agents.len(), 1);
    let view = log.view();
    assert_eq!((view.status, view.since, view.load), (AgentStatus::Offline, at(30_010), 1));
    assert_eq!(view.reservations[0].hold, Hold::Active);
    log.connect(50_000, 3, 0);
    assert_eq!(log.view().status, AgentStatus::Away);
}

#[test]
fn a_new_incarnation_of_a_gateway_drops_all_its_connections() {
    let mut log = Log::online(3);
    log.connect(0, 3, 1);
    let join =
        Action::JoinNode { node: gateway("gw", 2), role: NodeRole::Gateway, address: "".into() };
    let joined = log.apply(7, join);
    assert_eq!(joined.agents.len(), 1);
    assert!(log.view().gateways.is_empty());
    assert_eq!(log.state.next_deadline(), Some(at(30_007)));
    let stale = log.connect(8, 3, 5);
    assert_eq!(refused(&stale.reply), Some(Refusal::UnknownNode));
}

#[test]
fn room_is_reserved_renewed_confirmed_and_released() {
    let mut log = Log::online(3);
    log.reserve(0, 0, 2, 1_000);
    assert_eq!(refused(&log.reserve(0, 1, 2, 1_000)), Some(Refusal::NoRoom));
    log.reserve(500, 0, 2, 2_000);
    assert_eq!((log.view().load, log.state.next_deadline()), (2, Some(at(2_000))));
    assert_eq!(refused(&log.confirm(1_500, 0)), None);
    assert_eq!(log.view().idle_since, at(1_500));
    // Neither time nor a repeated wish takes a chat's room.
    log.expire(5_000);
    log.reserve(5_000, 0, 1, 6_000);
    assert_eq!((log.view().load, log.state.next_deadline()), (2, None));
    log.release(7_000, 0, Millis::ZERO);
    assert_eq!((log.view().load, log.view().idle_since), (0, at(7_000)));
    assert_eq!(refused(&log.release(7_001, 0, Millis::ZERO)), None);
}

#[test]
fn an_expired_reservation_is_confirmed_only_while_there_is_room() {
    let mut log = Log::online(2);
    log.reserve(0, 0, 1, 1_000);
    log.reserve(0, 1, 1, 1_000);
    assert_eq!(log.expire(1_000).agents[0].load, 0);
    assert_eq!(refused(&log.confirm(1_001, 0)), None);
    log.reserve(1_002, 2, 1, 9_000);
    assert_eq!(refused(&log.confirm(1_003, 1)), Some(Refusal::NoRoom));
    assert_eq!(refused(&log.confirm(1_004, 9)), Some(Refusal::NoReservation));
}

#[test]
fn wrap_up_holds_the_slots_then_frees_them() {
    let mut log = Log::online(1);
    log.reserve(0, 0, 1, 1_000);
    log.confirm(0, 0);
    log.release(10, 0, Millis::from_secs(20));
    log.release(15, 0, Millis::from_secs(40));
    assert_eq!(log.view().reservations[0].hold, Hold::WrapUp(at(20_010)));
    assert_eq!(refused(&log.reserve(20_009, 1, 1, 30_000)), Some(Refusal::NoRoom));
    assert_eq!(refused(&log.reserve(20_010, 1, 1, 30_000)), None);
    assert_eq!(log.view().idle_since, at(20_010));
}

#[test]
fn a_release_without_wrap_up_ends_one_that_runs() {
    let mut log = Log::online(1);
    log.reserve(0, 0, 1, 1_000);
    log.confirm(0, 0);
    log.release(10, 0, Millis::from_secs(20));
    log.release(20, 0, Millis::ZERO);
    assert_eq!(log.view().load, 0);
}

#[test]
fn only_who_is_online_gets_new_chats() {
    let mut log = Log::online(3);
    for status in [AgentStatus::Busy, AgentStatus::Away, AgentStatus::Offline] {
        log.status(1, status);
        assert_eq!(refused(&log.reserve(2, 0, 1, 9_000)), Some(Refusal::NotOnline));
    }
}

#[test]
fn lowered_capacity_takes_no_chat_away_and_lets_none_in() {
    let mut log = Log::online(3);
    for n in 0..3 {
        log.reserve(0, n, 1, 1_000);
        log.confirm(0, n);
    }
    log.connect(1, 1, 0);
    assert_eq!((log.view().load, log.view().free()), (3, 0));
    log.release(2, 0, Millis::ZERO);
    assert_eq!(refused(&log.reserve(3, 7, 1, 9_000)), Some(Refusal::NoRoom));
}

#[test]
fn limits_are_kept() {
    let mut log = Log::online(3);
    assert_eq!(refused(&log.connect(0, 0, 1).reply), Some(Refusal::BadCapacity));
    assert_eq!(refused(&log.connect(0, 101, 1).reply), Some(Refusal::BadCapacity));
    assert_eq!(refused(&log.reserve(1, 0, 0, 9_000)), Some(Refusal::BadWeight));
    assert_eq!(refused(&log.reserve(1, 0, u32::MAX, 9_000)), Some(Refusal::BadWeight));
    assert_eq!(refused(&log.reserve(1, 0, 1, 1)), Some(Refusal::Expired));
    log.reserve(1, 0, 1, u64::MAX / 2);
    assert_eq!(log.state.next_deadline(), Some(at(1) + limits::MAX_RESERVATION));
    for n in 1..64 {
        assert_eq!(refused(&log.connect(2, 3, n).reply), None);
    }
    assert_eq!(refused(&log.connect(2, 3, 64).reply), Some(Refusal::Full));
    assert_eq!(refused(&log.connect(2, 3, 63).reply), None, "a known one is no new one");
}

#[test]
fn a_shard_has_the_index_of_its_assignment_as_epoch() {
    let mut log = Log::default();
    let node = gateway("s", 1);
    log.apply(
        0,
        Action::JoinNode { node: node.clone(), role: NodeRole::Sessions, address: "".into() },
    );
    let shards = crate::shard::ShardId::all().collect();
    let assigned =
        log.apply(0, Action::AssignShards { role: NodeRole::Sessions, shards, node: node.clone() });
    assert_eq!(assigned.shards.len(), 256);
    assert!(log.state.placement().all(|(_, p)| p.epoch.get() == 2 && p.node == node));
    assert_eq!(assigned.reply, Reply::Shards(assigned.shards));
}

#[test]
fn time_never_runs_backwards() {
    let mut log = Log::online(3);
    log.status(1_000, AgentStatus::Busy);
    log.status(10, AgentStatus::Online);
    assert_eq!((log.view().since, log.state.now()), (at(1_000), at(1_000)));
}
