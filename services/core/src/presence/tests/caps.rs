//! What an agent may have of one queue, and what comes of offers it does not answer.

use super::*;
use crate::ids::QueueId;
use proptest::prelude::*;

fn queue(name: &str) -> QueueId {
    name.parse().expect("a slug")
}

fn claim(name: &str, max: Option<u32>) -> Option<Claim> {
    Some(Claim { queue: queue(name), max })
}

fn reserve(log: &mut Log, millis: u64, n: u128, claim: Option<Claim>) -> Reply {
    let (key, conversation, expires_at) = (agent(0), conversation(n), at(millis + 10_000));
    log.apply(millis, Action::Reserve { key, conversation, weight: 1, expires_at, claim }).reply
}

fn miss(log: &mut Log, millis: u64, n: u128, away_after: u32) -> Applied {
    let (key, conversation) = (agent(0), conversation(n));
    let (wrap_up, missed) = (Millis::ZERO, Some(away_after));
    log.apply(millis, Action::Release { key, conversation, wrap_up, missed })
}

fn is_capped(reply: &Reply) -> bool {
    *reply == Reply::Refused(Refusal::QueueCap)
}

#[test]
fn a_cap_counts_offers_chats_and_wrap_ups_of_its_queue_alone() {
    let mut log = Log::online(9);
    let tax = || claim("tax", Some(2));
    reserve(&mut log, 0, 0, tax());
    reserve(&mut log, 0, 1, tax());
    log.confirm(0, 1);
    log.release(0, 1, Millis::from_secs(5));
    assert!(is_capped(&reserve(&mut log, 1, 2, tax())));
    assert!(!is_capped(&reserve(&mut log, 1, 3, claim("sales", Some(2)))), "of another queue");
    assert!(!is_capped(&reserve(&mut log, 1, 4, None)), "counted nowhere");
    assert!(!is_capped(&reserve(&mut log, 1, 0, tax())), "renewed");
    assert!(!is_capped(&reserve(&mut log, 5_000, 2, tax())), "the wrap-up is over");
}

#[test]
fn an_agents_own_cap_counts_too() {
    let mut log = Log::online(9);
    let caps = [(queue("tax"), 1)].into();
    let profile = AgentProfile { caps, ..profile(9) };
    let (gateway, connection) = (gateway("gw", 1), connection(0));
    log.apply(0, Action::Connect { key: agent(0), profile, gateway, connection });
    reserve(&mut log, 0, 0, claim("tax", Some(5)));
    assert!(is_capped(&reserve(&mut log, 0, 1, claim("tax", Some(5)))));
}

#[test]
fn a_lapsed_reservation_comes_back_only_below_the_cap() {
    let mut log = Log::online(9);
    reserve(&mut log, 0, 0, claim("tax", Some(1)));
    log.expire(10_000);
    reserve(&mut log, 10_001, 1, claim("tax", Some(1)));
    assert!(is_capped(&log.confirm(10_002, 0)));
    log.release(10_003, 1, Millis::ZERO);
    assert!(matches!(log.confirm(10_004, 0), Reply::Agent(_)));
}

#[test]
fn who_misses_offers_in_a_row_is_away_until_it_says_otherwise() {
    let mut log = Log::online(9);
    for n in 0..2 {
        reserve(&mut log, 0, n, None);
        miss(&mut log, 1, n, 3);
    }
    assert_eq!((log.view().missed, log.view().status), (2, AgentStatus::Online));
    // What is told twice counts once.
    assert!(miss(&mut log, 2, 1, 3).agents.is_empty());
    reserve(&mut log, 2, 5, None);
    let away = miss(&mut log, 3, 5, 3);
    assert_eq!(away.agents.len(), 1, "others are told");
    let view = log.view();
    assert_eq!((view.missed, view.status, view.load), (3, AgentStatus::Away, 0));
    assert_eq!(&*view.reason, "missed 3 offers in a row");
    log.status(4, AgentStatus::Online);
    assert_eq!((log.view().missed, &*log.view().reason), (0, ""));
}

#[test]
fn an_accepted_offer_ends_the_row_and_a_lapsed_one_counts() {
    let mut log = Log::online(9);
    reserve(&mut log, 0, 0, None);
    miss(&mut log, 1, 0, 2);
    reserve(&mut log, 2, 1, None);
    log.confirm(3, 1);
    assert_eq!(log.view().missed, 0);
    assert!(miss(&mut log, 4, 1, 2).agents.iter().all(|agent| agent.missed == 0), "it is a chat");
    reserve(&mut log, 5, 2, None);
    log.expire(60_000);
    miss(&mut log, 60_001, 2, 2);
    miss(&mut log, 60_002, 2, 2);
    assert_eq!(log.view().missed, 1);
}

#[test]
fn what_earlier_versions_wrote_is_read() {
    let action = r#"{"release":{"key":{"site":"acme","agent":"00000000-0000-0000-0000-000000000001"},
        "conversation":"00000000-0000-0000-0000-000000000002","wrap_up":0}}"#;
    let read: Action = serde_json::from_str(action).expect("readable");
    assert!(matches!(read, Action::Release { missed: None, .. }));
    // And what is written without any cap or count looks as it did.
    let mut log = Log::online(3);
    log.reserve(0, 0, 1, 9_000);
    let view = serde_json::to_value(log.view()).expect("json");
    assert!(view.get("missed").is_none() && view["reservations"][0].get("claim").is_none());
    assert!(view["profile"].get("caps").is_none() && view["profile"].get("languages").is_none());
    let mut old = view;
    old.as_object_mut().expect("an object").remove("assigned_at");
    assert!(serde_json::from_value::<AgentView>(old).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Whatever is asked in whatever order, nobody has more of a queue than its cap.
    #[test]
    fn no_cap_is_ever_passed(asked in prop::collection::vec((0..6_u128, 0..5_u8, 0..2_u8, 0..4_000_u64), 1..80)) {
        let mut log = Log::online(9);
        let (mut now, caps) = (0, [("tax", 1), ("sales", 2)]);
        for (n, what, which, passed) in asked {
            now += passed;
            let (name, max) = caps[usize::from(which)];
            match what {
                0 | 1 => drop(reserve(&mut log, now, n + 10 * u128::from(which), claim(name, Some(max)))),
                2 => drop(log.confirm(now, n + 10 * u128::from(which))),
                3 => drop(log.release(now, n + 10 * u128::from(which), Millis::new(passed))),
                _ => drop(miss(&mut log, now, n + 10 * u128::from(which), 99)),
            }
            for (name, max) in caps {
                prop_assert!(log.view().claimed(&queue(name)).count() <= max as usize);
            }
            let stored = serde_json::to_string(&log.state).expect("json");
            let again: PresenceState = serde_json::from_str(&stored).expect("readable");
            prop_assert_eq!(&again, &log.state);
        }
    }
}
