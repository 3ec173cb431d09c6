//! Whatever anyone sends, in whatever order: these hold after every step.

use super::stories::{STRANGER, Told, stories};
use super::*;
use crate::figures::Fold;
use crate::ids::{ClientMsgId, Seq};
use crate::party::Audience;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

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
            let Some(client_msg_id) = command.client_msg_id() else { return };
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
                    | Command::TakeOver { .. }
                    | Command::AgentLost { .. }
            );
            let supervisory = matches!(
                command,
                Command::Whisper { .. } | Command::ForceRelease { .. } | Command::SetPriority { .. }
            );
            let internal = routing
                || supervisory
                || matches!(
                    command,
                    Command::Note { .. }
                        | Command::SetTags { .. }
                        | Command::Transfer { .. }
                        | Command::Invite { .. }
                        | Command::Join
                        | Command::Leave { .. }
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
            assert!(!supervisory || who.role == Role::Supervisor || said_before || result.is_err());
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
            if let Command::TakeOver { supervisor } = command {
                assert_eq!(Some(supervisor.id), holder(after));
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
            let handed_on =
                episode.transfers.len() + episode.losses.len() + episode.releases.len();
            prop_assert_eq!(episode.rewaits.len(), handed_on);
            let ended = episode.ended.map_or(it.summary().last_at, |(at, _)| at);
            prop_assert!(episode.began_at <= ended);
        }
    }

    #[test]
    fn guests_are_few_and_never_the_one_who_has_it(story in stories()) {
        play(&story, |_, _, _, after| {
            let mut there = guests(after);
            assert!(there.len() <= MAX_GUESTS);
            let readers: Vec<u128> = after.readers().iter().map(|a| a.as_uuid().as_u128()).collect();
            assert!(readers.len() <= MAX_READERS);
            assert!(there.iter().all(|guest| readers.contains(guest)), "all guests may read");
            if let Phase::Assigned { agent, .. } = after.phase() {
                there.push(agent.id.as_u128());
            }
            let are = there.len();
            there.sort();
            there.dedup();
            assert_eq!(there.len(), are, "nobody is there twice");
            assert!(!matches!(after.phase(), Phase::Closed { .. }) || there.is_empty());
        });
    }

    /// An agent reads what it has, had last, is offered, or was let into by somebody
    /// with the right to: by name, and until it is sent away.
    #[test]
    fn nobody_reads_who_was_not_let_in(story in stories()) {
        let mut let_in = HashSet::from([ANN, BOB]);
        play(&story, |_, _, result, after| {
            for event in result.iter().flat_map(|step| &step.events) {
                match &event.body {
                    Body::Note { mentions, .. } => {
                        let_in.extend(mentions.iter().map(|who| who.id.as_u128()));
                    }
                    Body::Invited { agent, .. }
                    | Body::Joined { agent }
                    | Body::Offered { agent, .. } => {
                        let_in.insert(agent.id.as_u128());
                    }
                    // Those who never have it themselves.
                    Body::Left { agent, by_other: true } if agent.id.as_u128() >= 200 => {
                        let_in.remove(&agent.id.as_u128());
                    }
                    _ => {}
                }
            }
            for id in (200..250).chain([STRANGER]) {
                let who = principal(SITE, Role::Agent, id);
                assert!(!after.may_read(&who) || let_in.contains(&id), "{id}");
                assert!(!after.may_read(&principal("other", Role::Agent, id)));
                assert!(!after.may_read(&principal(SITE, Role::Visitor, id)));
            }
        });
    }

    /// What the staff says among itself never reaches the visitor, nor moves its head.
    #[test]
    fn the_visitor_sees_nothing_internal(story in stories()) {
        play(&story, |before, (_, command, _), result, after| {
            let internal = matches!(
                command,
                Command::Note { .. }
                    | Command::Whisper { .. }
                    | Command::Invite { .. }
                    | Command::SetPriority { .. }
                    | Command::SetTags { .. }
            );
            for event in result.iter().flat_map(|step| &step.events) {
                assert!(!internal || event.body.audience() == Audience::Internal, "{event:?}");
            }
            if internal {
                assert_eq!(before.head_for(Audience::Public), after.head_for(Audience::Public));
            }
        });
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
            assert!(summary.extra_minutes.abs() <= MAX_EXTRA_MINUTES);
            let waits = matches!(summary.phase, Phase::Waiting | Phase::Offered(_));
            assert!(waits || summary.asked_skills.is_empty());
        });
    }
}
