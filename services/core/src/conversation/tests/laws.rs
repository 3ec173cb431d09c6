//! Whatever anyone sends, in whatever order: these hold after every step.

use super::*;
use crate::figures::Fold;
use crate::ids::{ClientMsgId, Seq};
use crate::party::Audience;
use proptest::prelude::*;
use std::collections::HashMap;

const STRANGER: u128 = 99;

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![
        6 => Just(visitor()),
        5 => Just(agent(ANN)),
        3 => Just(agent(BOB)),
        2 => Just(supervisor()),
        9 => Just(Origin::System),
        1 => Just(agent(STRANGER)),
        1 => Just(Origin::Client(principal(SITE, Role::Visitor, STRANGER))),
        1 => Just(Origin::Client(principal("other", Role::Visitor, VISITOR))),
        1 => Just(Origin::Client(principal("other", Role::Supervisor, SUE))),
    ]
}

fn targets() -> impl Strategy<Value = TransferTarget> {
    prop_oneof![
        Just(TransferTarget::Queue(queue("sales"))),
        Just(TransferTarget::Queue(queue("support"))),
        Just(TransferTarget::Agent(named(ANN))),
        Just(TransferTarget::Agent(named(BOB))),
    ]
}

fn outcomes() -> impl Strategy<Value = OfferOutcome> {
    use OfferOutcome::{Declined, Expired, Withdrawn};
    prop_oneof![Just(Declined), Just(Expired), Just(Withdrawn)]
}

fn commands() -> impl Strategy<Value = Command> {
    let staff = || prop_oneof![3 => Just(ANN), 2 => Just(BOB), 1 => Just(STRANGER)];
    prop_oneof![
        1 => Just(start()),
        8 => (0..60u8, "[a-z]{0,4}").prop_map(|(id, text)| send(&format!("m{id}"), &text)),
        2 => (0..60u8).prop_map(|id| note(&format!("m{id}"))),
        2 => (0..40u32).prop_map(|seq| Command::MarkRead { seq: Seq::new(seq) }),
        1 => any::<bool>().prop_map(|typing| Command::Typing { typing }),
        2 => Just(Command::Close),
        2 => Just(Command::Reopen),
        1 => (0..7u8, "[a-z]{0,2}")
            .prop_map(|(score, c)| Command::Rate { score, comment: Arc::from(c) }),
        4 => targets().prop_map(transfer),
        1 => prop::collection::vec("[a-c]{0,1}", 0..4)
            .prop_map(|tags| Command::SetTags { tags: tags.into_iter().map(Arc::from).collect() }),
        8 => (1..5u128, staff(), 0..60u64)
            .prop_map(|(id, to, until)| offer(id, to, at(1_000 + until))),
        8 => (1..5u128, staff()).prop_map(|(id, by)| accept(id, by)),
        2 => (1..5u128, outcomes()).prop_map(|(id, how)| end_offer(id, how)),
        2 => staff().prop_map(|id| Command::AgentLost { agent: agent_id(id) }),
        3 => unserved(),
        4 => alarms::any(),
        2 => "[a-z]{0,1}@?[a-z]{0,1}".prop_map(|email| contact(&email)),
    ]
}

fn unserved() -> impl Strategy<Value = Command> {
    use Unserved::{OutOfHours, QueueFull, WaitedTooLong};
    let queues = || prop_oneof![Just(queue("sales")), Just(queue("support"))];
    let why = prop_oneof![Just(OutOfHours), Just(QueueFull), Just(WaitedTooLong)];
    let instead = prop_oneof![
        queues().prop_map(Instead::Queue),
        Just(Instead::Form),
        Just(Instead::Callback)
    ];
    (queues(), why, instead).prop_map(|(queue, why, instead)| Command::Unserved {
        queue,
        why,
        instead,
        opens_at: None,
    })
}

type Told = (Origin, Command, u64);

/// Commands with times that jump back and forth over a minute.
fn stories() -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec((origins(), commands(), 0..60u64), 0..120)
}

/// Plays a story; `each` sees the state before, the command, and what came of it.
fn play(
    story: &[Told],
    mut each: impl FnMut(&Conversation, &Told, &Result<Step, Reject>, &Conversation),
) -> (Conversation, Vec<Event>) {
    let (mut it, first) = opened();
    let mut events = first.events;
    for told in story {
        let before = it.clone();
        let result = it.step(&told.0, &told.1, at(1_000 + told.2));
        if let Ok(step) = &result {
            events.extend(step.events.iter().cloned());
        }
        each(&before, told, &result, &it);
    }
    (it, events)
}

fn folded(events: &[Event]) -> Conversation {
    let mut it = Conversation::from_first(&events[0]).unwrap();
    for event in &events[1..] {
        it.apply(event);
    }
    it
}

/// Everything but the read cursors, which are no events.
fn without_reads(mut it: Conversation) -> Conversation {
    (it.visitor_read, it.agent_read) = (Seq::ZERO, Seq::ZERO);
    it
}

proptest! {
    #[test]
    fn there_is_one_order_without_gaps(story in stories()) {
        let (it, events) = play(&story, |_, _, _, _| ());
        let mut public = Seq::ZERO;
        for (i, pair) in events.windows(2).enumerate() {
            prop_assert_eq!(pair[0].seq.get() as usize, i + 1);
            prop_assert!(pair[0].at <= pair[1].at);
        }
        for event in &events {
            prop_assert_eq!(event.prev_public, public);
            prop_assert_eq!(event.prev(Audience::Public), public);
            if event.body.audience() == Audience::Public {
                public = event.seq;
            }
        }
        prop_assert_eq!(it.head().get() as usize, events.len());
        prop_assert_eq!(it.head_for(Audience::Public), public);
    }

    #[test]
    fn the_state_is_the_fold_of_the_events(story in stories(), cut in any::<prop::sample::Index>()) {
        let (it, events) = play(&story, |_, _, _, _| ());
        prop_assert_eq!(&folded(&events), &without_reads(it.clone()));
        // From a snapshot anywhere on the way, and the events after it.
        let cut = cut.index(events.len());
        let snapshot = serde_json::to_string(&folded(&events[..=cut])).unwrap();
        let mut restored: Conversation = serde_json::from_str(&snapshot).unwrap();
        for event in &events[cut + 1..] {
            let stored = serde_json::to_string(event).unwrap();
            restored.apply(&serde_json::from_str(&stored).unwrap());
        }
        let summary = it.summary();
        restored.restore_reads(summary.visitor_read, summary.agent_read);
        prop_assert_eq!(restored, it);
    }

    #[test]
    fn what_is_refused_changes_nothing(story in stories()) {
        play(&story, |before, told, result, after| {
            if result.is_err() {
                assert_eq!(before, after, "{told:?}");
            }
        });
    }

    #[test]
    fn a_repeated_command_adds_nothing(story in stories()) {
        play(&story, |_, (origin, command, time), result, after| {
            let Ok(step) = result else { return };
            let mut again = after.clone();
            let repeated = again.step(origin, command, at(1_000 + time));
            let repeated = repeated.expect("what was accepted is accepted again");
            assert_eq!(repeated.events, [], "{command:?}");
            assert_eq!(&again, after);
            if let (Outcome::Sent { seq, at, .. }, Outcome::Sent { seq: s, at: t, duplicate }) =
                (step.outcome, repeated.outcome)
            {
                assert_eq!((seq, at, true), (s, t, duplicate));
            }
        });
    }

    #[test]
    fn an_id_said_before_stands_where_it_stood(story in stories()) {
        let mut said: HashMap<(Uuid, ClientMsgId), Seq> = HashMap::new();
        let mut order = Vec::new();
        play(&story, |_, (origin, command, _), result, _| {
            let (Command::Send { client_msg_id, .. } | Command::Note { client_msg_id, .. }) = command
            else {
                return;
            };
            let sender = match origin {
                Origin::Client(who) => who.id,
                Origin::System => Uuid::nil(),
            };
            let Ok(step) = result else { return };
            let Outcome::Sent { seq, duplicate, .. } = step.outcome else {
                panic!("{:?}", step.outcome)
            };
            let key = (sender, client_msg_id.clone());
            if order.iter().rev().take(RECENT_IDS).any(|k| *k == key) {
                assert!(duplicate && step.events.is_empty());
                assert_eq!(said[&key], seq);
            } else {
                assert!(!duplicate);
                order.push(key.clone());
                said.insert(key, seq);
            }
        });
    }

    #[test]
    fn nobody_gets_past_their_rights(story in stories()) {
        play(&story, |before, (origin, command, _), result, _| {
            let Origin::Client(who) = origin else { return };
            let mine = who.site == *before.site();
            let routing = matches!(
                command,
                Command::Offer { .. }
                    | Command::Accept { .. }
                    | Command::EndOffer { .. }
                    | Command::AgentLost { .. }
            );
            let internal = routing
                || matches!(
                    command,
                    Command::Note { .. } | Command::SetTags { .. } | Command::Transfer { .. }
                );
            let said_before =
                matches!(result, Ok(Step { outcome: Outcome::Sent { duplicate: true, .. }, .. }));
            let stranger = !mine || who.id == Uuid::from_u128(STRANGER);
            if stranger && !before.may_read(who) && !said_before {
                assert_eq!(result, &Err(Reject::NotFound), "{who:?} {command:?}");
            }
            if who.role == Role::Visitor && internal && !said_before {
                assert!(
                    matches!(result, Err(Reject::Forbidden(_) | Reject::NotFound)),
                    "{command:?}: {result:?}"
                );
            }
            assert!(!routing || result.is_err());
            if !mine {
                assert_eq!(result, &Err(Reject::NotFound));
            }
        });
    }

    #[test]
    fn only_who_was_asked_in_time_gets_it(story in stories()) {
        play(&story, |before, (_, command, time), result, after| {
            let holder = |it: &Conversation| match it.phase() {
                Phase::Assigned { agent, .. } => Some(agent.id),
                _ => None,
            };
            if holder(after).is_none() || holder(before) == holder(after) {
                return;
            }
            let Phase::Offered(open) = before.phase() else { panic!("assigned without offer") };
            assert_eq!(Some(open.agent.id), holder(after));
            assert!(at(1_000 + time) < open.expires_at);
            assert!(matches!(command, Command::Accept { offer, .. } if *offer == open.id));
            assert!(result.is_ok());
        });
    }

    #[test]
    fn a_closed_conversation_takes_no_message(story in stories()) {
        play(&story, |before, (_, command, _), result, _| {
            let closed = matches!(before.phase(), Phase::Closed { .. });
            if closed && matches!(command, Command::Send { .. }) {
                let none = result.as_ref().map_or(true, |step| step.events.is_empty());
                assert!(none, "{result:?}");
            }
        });
    }

    #[test]
    fn the_place_is_kept_until_it_is_reopened(story in stories()) {
        play(&story, |before, (_, command, _), result, after| {
            let left_word = Body::Queued {
                queue: after.summary().queue,
                reason: QueuedReason::ContactLeft,
            };
            let begins_anew = |event: &Event| match command {
                Command::Reopen => true,
                Command::LeaveContact(_) => event.body == left_word,
                _ => false,
            };
            if result.as_ref().is_ok_and(|step| step.events.iter().any(begins_anew)) {
                assert_eq!(after.summary().waiting_since, after.summary().last_at);
            } else {
                assert_eq!(after.summary().waiting_since, before.summary().waiting_since);
            }
        });
    }

    #[test]
    fn figures_agree_with_what_happened(story in stories()) {
        let (it, events) = play(&story, |_, _, _, _| ());
        let mut fold = Fold::new(it.id());
        events.iter().for_each(|event| fold.apply(event));
        let record = fold.finish();
        let (last, earlier) = record.episodes.split_last().unwrap();
        prop_assert!(earlier.iter().all(|episode| episode.ended.is_some()));
        prop_assert_eq!(last.ended.is_some(), matches!(it.phase(), Phase::Closed { .. }));
        let has = matches!(it.phase(), Phase::Assigned { .. });
        prop_assert_eq!(last.stints.last().is_some_and(|stint| stint.to.is_none()), has);
        let asked = last.offers.last().is_some_and(|offer| offer.asked.is_none());
        prop_assert_eq!(asked, matches!(it.phase(), Phase::Offered(_)));
        for episode in &record.episodes {
            prop_assert_eq!(episode.served.is_some(), !episode.stints.is_empty());
            // One agent at a time, and each wait between two of them.
            for pair in episode.stints.windows(2) {
                prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from));
            }
            let handed_on = episode.transfers.len() + episode.losses.len();
            prop_assert_eq!(episode.rewaits.len(), handed_on);
            let ended = episode.ended.map_or(it.summary().last_at, |(at, _)| at);
            prop_assert!(episode.began_at <= ended);
        }
    }

    #[test]
    fn the_lists_it_keeps_are_bounded(story in stories()) {
        play(&story, |_, _, _, after| {
            let summary = after.summary();
            assert!(summary.excluded.len() <= MAX_EXCLUDED);
            let mut once = summary.excluded.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), summary.excluded.len());
            assert!(summary.tags.len() <= MAX_TAGS && summary.tags.is_sorted());
        });
    }
}
