//! What must hold after every command of any log.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn status() -> impl Strategy<Value = AgentStatus> {
    prop_oneof![
        4 => Just(AgentStatus::Online),
        1 => Just(AgentStatus::Busy),
        1 => Just(AgentStatus::Away),
        1 => Just(AgentStatus::Offline),
    ]
}

fn any_gateway() -> impl Strategy<Value = NodeId> {
    (0..2u8, 1..4u64)
        .prop_map(|(name, incarnation)| gateway(["a", "b"][usize::from(name)], incarnation))
}

fn any_agent() -> impl Strategy<Value = AgentKey> {
    (0..3u128).prop_map(agent)
}

fn any_conversation() -> impl Strategy<Value = ConversationId> {
    (0..8u128).prop_map(conversation)
}

fn links() -> impl Strategy<Value = Action> {
    let connect = (any_agent(), 1..5u32, any_gateway(), 0..3u128).prop_map(
        |(key, capacity, gateway, link)| Action::Connect {
            key,
            profile: profile(capacity),
            gateway,
            connection: connection(link),
        },
    );
    let disconnect = (any_agent(), any_gateway(), 0..3u128).prop_map(|(key, gateway, link)| {
        Action::Disconnect { key, gateway, connection: connection(link) }
    });
    prop_oneof![3 => connect, 2 => disconnect]
}

fn rooms() -> impl Strategy<Value = Action> {
    let reserve = (any_agent(), any_conversation(), 0..4u32, 0..40_000u64).prop_map(
        |(key, conversation, weight, until)| Action::Reserve {
            key,
            conversation,
            weight,
            expires_at: at(until * 8),
            claim: None,
        },
    );
    let confirm = (any_agent(), any_conversation())
        .prop_map(|(key, conversation)| Action::Confirm { key, conversation });
    let release = (any_agent(), any_conversation(), prop_oneof![Just(0u64), 0..20_000u64])
        .prop_map(|(key, conversation, wrap_up)| Action::Release {
            key,
            conversation,
            wrap_up: Millis::new(wrap_up),
            missed: None,
        });
    prop_oneof![4 => reserve, 3 => confirm, 2 => release]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => any_gateway().prop_map(|node| Action::JoinNode { node, role: NodeRole::Gateway, address: "".into() }),
        1 => any_gateway().prop_map(|node| Action::RemoveNode { node }),
        1 => Just(Action::Expire),
        5 => links(),
        4 => (any_agent(), status()).prop_map(|(key, status)| Action::SetStatus {
            key,
            status,
            reason: Arc::from("because"),
        }),
        9 => rooms(),
    ]
}

/// Commands whose clock mostly advances and at times jumps back; a few share
/// their request with an earlier one.
fn log() -> impl Strategy<Value = Vec<Command>> {
    let step = (action(), prop_oneof![5 => 0..4_000i64, 1 => -9_000..60_000i64], 0..10u8);
    prop::collection::vec(step, 1..150).prop_map(|steps| {
        let mut now = 0i64;
        let mut log: Vec<Command> = Vec::new();
        for (n, (action, step, repeat)) in steps.into_iter().enumerate() {
            now = (now + step).max(0);
            let now = at(now.unsigned_abs());
            let again = log.len().checked_sub(3).filter(|_| repeat == 0);
            log.push(match again {
                Some(earlier) => Command { now, ..log[earlier].clone() },
                None => {
                    let request = RequestId::from_uuid(Uuid::from_u128(n as u128 + 1));
                    Command { request, now, action }
                }
            });
        }
        log
    })
}

type Views = BTreeMap<AgentKey, Arc<AgentView>>;

fn views(state: &PresenceState) -> Views {
    let key = |v: &AgentView| AgentKey { site: v.site.clone(), agent: v.id };
    state.agents().map(|v| (key(v), v.clone())).collect()
}

/// What must hold between any state and the next.
fn check_step(before: &Views, applied: &Applied, state: &PresenceState) {
    let now = state.now();
    assert!(state.next_deadline().is_none_or(|at| at > now), "what is due was done");
    let after = views(state);
    for (key, view) in &after {
        let sum: u32 = view.reservations.iter().map(|r| r.weight).sum();
        assert_eq!(view.load, sum);
        let load_before = before.get(key).map_or(0, |v| v.load);
        assert!(view.load <= view.profile.capacity.max(load_before), "over capacity: {view:?}");
        if view.load > load_before && before.get(key).is_some_and(|v| v.load < view.load) {
            assert!(view.load <= view.profile.capacity, "grew over capacity: {view:?}");
        }
        if view.gateways.is_empty() && view.status != AgentStatus::Offline {
            let next = state.next_deadline().expect("the grace period ends");
            assert!(next <= now + limits::GRACE);
        }
        if view.status == AgentStatus::Offline {
            assert!(!view.reservations.iter().any(|r| matches!(r.hold, Hold::Reserved(_))));
        }
        let reported = applied.agents.iter().any(|v| v == view);
        let revision_before = before.get(key).map_or(0, |v| v.revision);
        assert_eq!(reported, view.revision > revision_before, "changes are told, and only they");
        if !reported {
            assert_eq!(Some(view), before.get(key));
        }
    }
}

proptest! {
    #[test]
    fn invariants_hold_after_every_command(log in log()) {
        let mut state = PresenceState::default();
        for (index, command) in log.into_iter().enumerate() {
            let before = views(&state);
            let applied = state.apply(index as u64, command);
            check_step(&before, &applied, &state);
        }
    }

    #[test]
    fn equal_logs_make_equal_states_also_through_a_snapshot(log in log(), cut in 0..150usize) {
        let mut straight = PresenceState::default();
        let mut restored = PresenceState::default();
        for (index, command) in log.into_iter().enumerate() {
            if index == cut {
                let stored = serde_json::to_vec(&restored).expect("a state can be stored");
                restored = serde_json::from_slice(&stored).expect("a stored state can be read");
            }
            let one = straight.apply(index as u64, command.clone());
            let other = restored.apply(index as u64, command);
            prop_assert_eq!(one, other);
        }
        prop_assert_eq!(straight, restored);
    }

    #[test]
    fn a_retried_command_acts_once(log in log()) {
        let mut state = PresenceState::default();
        for (index, command) in log.into_iter().enumerate() {
            let first = state.apply(index as u64, command.clone());
            let once = state.clone();
            let again = state.apply(index as u64 + 1_000, command);
            prop_assert_eq!(&first.reply, &again.reply);
            prop_assert!(again.agents.is_empty() && again.shards.is_empty());
            prop_assert_eq!(&once, &state);
        }
    }

    #[test]
    fn following_the_deadlines_everything_temporary_ends(log in log()) {
        let mut state = PresenceState::default();
        let mut index = 0;
        for command in log {
            index += 1;
            state.apply(index, command);
        }
        let mut last = Timestamp::ZERO;
        while let Some(now) = state.next_deadline() {
            prop_assert!(now > last, "deadlines only move on");
            last = now;
            index += 1;
            let request = RequestId::from_uuid(Uuid::from_u128(u128::from(index) << 64));
            let due = state.apply(index, Command { request, now, action: Action::Expire });
            prop_assert!(!due.agents.is_empty(), "a deadline changes something");
        }
        for view in state.agents() {
            prop_assert!(view.status == AgentStatus::Offline || !view.gateways.is_empty());
            prop_assert!(view.reservations.iter().all(|r| r.hold == Hold::Active));
        }
    }
}
