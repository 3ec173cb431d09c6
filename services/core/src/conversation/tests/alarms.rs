//! Alarms and transfers that come back, case by case, and what holds for any of them.

use super::*;
use crate::time::Millis;
use proptest::prelude::*;
use std::collections::HashSet;

fn texts(all: &[(&str, &str)]) -> Texts {
    let all = all.iter().map(|(tag, text)| (Arc::from(*tag), Arc::from(*text)));
    Texts::new(all.collect()).unwrap()
}

fn alarm(kind: AlarmKind, since: u64, after: u64, actions: &[AlarmAction]) -> Command {
    Command::Alarm(Alarm {
        kind,
        queue: queue("sales"),
        after: Millis::from_secs(after),
        since: at(since),
        actions: actions.to_vec(),
    })
}

fn bodies(it: &mut Conversation, command: &Command, secs: u64) -> Vec<Body> {
    let step = it.step(&Origin::System, command, at(secs)).unwrap();
    assert!(step.events.iter().all(|event| event.by == Participant::system()));
    step.events.into_iter().map(|event| event.body).collect()
}

fn raised(kind: AlarmKind, since: u64, after: u64, actions: &[ActionName]) -> Body {
    Body::AlarmRaised(RaisedAlarm {
        kind,
        queue: queue("sales"),
        after: Millis::from_secs(after),
        since: at(since),
        actions: actions.to_vec(),
    })
}

#[test]
fn a_late_one_gets_all_its_actions_in_one_append_and_once() {
    let (mut it, _) = opened();
    let message = AlarmAction::Message(texts(&[("de", "Gleich!"), ("en", "Soon!")]));
    let actions = [
        AlarmAction::Priority(10),
        message,
        AlarmAction::Queue(queue("night")),
        AlarmAction::Notify,
    ];
    let late = alarm(AlarmKind::Late, 100, 60, &actions);
    assert_eq!(bodies(&mut it, &late, 159), [], "not yet");
    let names = [ActionName::Priority, ActionName::Message, ActionName::Queue, ActionName::Notify];
    assert_eq!(
        bodies(&mut it, &late, 160),
        [
            raised(AlarmKind::Late, 100, 60, &names),
            Body::PriorityChanged { minutes: 10 },
            Body::Message {
                client_msg_id: "alarm-3-1".parse().unwrap(),
                text: Arc::from("Soon!"),
                attachments: vec![],
            },
            Body::Queued { queue: queue("night"), reason: QueuedReason::Alarm },
        ]
    );
    assert_eq!(bodies(&mut it, &late, 161), [], "it waits elsewhere by now");
    let summary = it.summary();
    assert_eq!((summary.waiting_since, summary.extra_minutes), (at(100), 10));
    assert_eq!(Facts::of(&summary).shown(), [AlarmKind::Late]);
    it.step(&Origin::System, &offer(1, ANN, at(190)), at(170)).unwrap();
    it.step(&Origin::System, &accept(1, ANN), at(171)).unwrap();
    assert_eq!(Facts::of(&it.summary()).shown(), [], "somebody has it");
}

#[test]
fn the_same_wait_is_late_once_even_after_an_agent_was_lost() {
    let (mut it, _) = opened();
    let late = alarm(AlarmKind::Late, 100, 60, &[AlarmAction::Notify]);
    assert_eq!(bodies(&mut it, &late, 160).len(), 1);
    it.step(&Origin::System, &offer(1, ANN, at(190)), at(170)).unwrap();
    it.step(&Origin::System, &accept(1, ANN), at(171)).unwrap();
    it.step(&Origin::System, &Command::AgentLost { agent: agent_id(ANN) }, at(300)).unwrap();
    assert_eq!(bodies(&mut it, &late, 301), []);
    it.step(&visitor(), &Command::Close, at(310)).unwrap();
    it.step(&visitor(), &Command::Reopen, at(400)).unwrap();
    assert_eq!(bodies(&mut it, &late, 460), [], "of another wait");
    let again = alarm(AlarmKind::Late, 400, 60, &[AlarmAction::Notify]);
    assert_eq!(bodies(&mut it, &again, 460).len(), 1);
}

#[test]
fn unanswered_is_what_the_visitor_said_since_the_agent_has_it() {
    let mut it = with_ann();
    it.step(&visitor(), &send("v1", "hello?"), at(120)).unwrap();
    it.step(&visitor(), &send("v2", "anybody?"), at(125)).unwrap();
    let notify = [AlarmAction::Notify];
    assert_eq!(bodies(&mut it, &alarm(AlarmKind::Unanswered, 125, 60, &notify), 185), []);
    let since = alarm(AlarmKind::Unanswered, 120, 60, &notify);
    assert_eq!(bodies(&mut it, &since, 180).len(), 1);
    assert_eq!(bodies(&mut it, &since, 181), []);
    assert_eq!(Facts::of(&it.summary()).shown(), [AlarmKind::Unanswered]);
    it.step(&agent(ANN), &send("a1", "here!"), at(190)).unwrap();
    assert_eq!(Facts::of(&it.summary()).shown(), []);
    assert_eq!(it.summary().watch.unanswered_since, None);
    it.step(&visitor(), &send("v3", "ah"), at(200)).unwrap();
    let next = alarm(AlarmKind::Unanswered, 200, 60, &notify);
    assert_eq!(bodies(&mut it, &next, 260).len(), 1);
}

#[test]
fn a_lost_visitor_ends_it_with_words_and_may_take_it_up_again() {
    let mut it = with_ann();
    let bye = AlarmAction::Message(texts(&[("fr", "Au revoir"), ("en", "Bye")]));
    let lost = |since| alarm(AlarmKind::VisitorLost, since, 60, &[bye.clone(), AlarmAction::Close]);
    it.step(&visitor(), &send("v1", "hello?"), at(120)).unwrap();
    assert_eq!(bodies(&mut it, &lost(119), 400), [], "it was there at 120");
    let events = bodies(&mut it, &lost(130), 400);
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(events[2], Body::Closed { reason: ClosedReason::VisitorLost });
    assert_eq!(it.summary().watch.abandoned_at, None, "an agent had it");
    it.step(&visitor(), &Command::Reopen, at(500)).unwrap();
    assert_eq!(it.summary().watch.raised, []);
}

#[test]
fn one_who_may_be_reached_otherwise_is_not_ended() {
    let (mut it, _) = opened();
    it.step(&visitor(), &contact("ann@example.org"), at(110)).unwrap();
    let close = alarm(AlarmKind::VisitorLost, 110, 60, &[AlarmAction::Close]);
    assert_eq!(bodies(&mut it, &close, 400), []);
    let notify = alarm(AlarmKind::VisitorLost, 110, 60, &[AlarmAction::Notify]);
    assert_eq!(bodies(&mut it, &notify, 400).len(), 1);
}

#[test]
fn abandonment_is_told_of_once_and_only_before_an_agent_had_it() {
    let (mut it, _) = opened();
    it.step(&visitor(), &Command::Close, at(130)).unwrap();
    let abandoned = alarm(AlarmKind::Abandoned, 130, 0, &[AlarmAction::Notify]);
    let events = bodies(&mut it, &abandoned, 131);
    assert_eq!(events, [raised(AlarmKind::Abandoned, 130, 0, &[ActionName::Notify])]);
    assert_eq!(bodies(&mut it, &abandoned, 132), []);
    let mut served = with_ann();
    served.step(&visitor(), &Command::Close, at(130)).unwrap();
    assert_eq!(bodies(&mut served, &abandoned, 131), []);
}

#[test]
fn one_on_offer_is_not_taken_from_whoever_is_asked() {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(190)), at(150)).unwrap();
    let moves = [AlarmAction::Queue(queue("night"))];
    assert_eq!(bodies(&mut it, &alarm(AlarmKind::LongWait, 100, 60, &moves), 170), []);
    it.step(&Origin::System, &end_offer(1, OfferOutcome::Expired), at(190)).unwrap();
    assert_eq!(bodies(&mut it, &alarm(AlarmKind::LongWait, 100, 60, &moves), 191).len(), 2);
}

#[test]
fn a_transfer_nobody_takes_comes_back_once() {
    let mut it = with_ann();
    it.step(&agent(ANN), &transfer(TransferTarget::Queue(queue("support"))), at(200)).unwrap();
    let back = Command::ReturnTransfer { handed_on_at: at(200) };
    assert_eq!(
        bodies(&mut it, &back, 320),
        [
            Body::TransferReturned { to_agent: named(ANN) },
            Body::Queued { queue: queue("sales"), reason: QueuedReason::TransferReturned },
        ]
    );
    let summary = it.summary();
    assert_eq!(summary.target, Some((named(ANN), at(320) + TARGET_HOLD)));
    assert_eq!((summary.waiting_since, &*summary.excluded), (at(100), &[][..]));
    assert_eq!(bodies(&mut it, &back, 321), []);
}

#[test]
fn a_transfer_that_was_taken_stays() {
    let mut it = with_ann();
    it.step(&agent(ANN), &transfer(TransferTarget::Agent(named(BOB))), at(200)).unwrap();
    let back = Command::ReturnTransfer { handed_on_at: at(200) };
    it.step(&Origin::System, &offer(2, BOB, at(230)), at(210)).unwrap();
    assert_eq!(bodies(&mut it, &back, 220), [], "somebody is being asked");
    it.step(&Origin::System, &accept(2, BOB), at(221)).unwrap();
    assert_eq!(bodies(&mut it, &back, 400), []);
    assert_assigned(&it, BOB);
}

#[test]
fn words_are_in_the_visitors_language_or_english_or_the_first() {
    let all = texts(&[("de", "ja"), ("de-AT", "jo"), ("en", "yes")]);
    for (language, said) in
        [("de-AT", "jo"), ("DE-at", "jo"), ("de-CH", "ja"), ("fr", "yes"), ("", "yes")]
    {
        assert_eq!(&*all.pick(language), said, "{language}");
    }
    assert_eq!(&*texts(&[("it", "sì"), ("pl", "tak")]).pick("fr"), "sì");
    assert_eq!(Texts::new(BTreeMap::new()), None);
}

#[test]
fn only_queueing_raises_alarms() {
    let (mut it, _) = opened();
    let late = alarm(AlarmKind::Late, 100, 60, &[AlarmAction::Notify]);
    for who in [visitor(), agent(ANN), supervisor()] {
        assert!(it.step(&who, &late, at(500)).is_err());
    }
}

/// What a snapshot of an earlier version lacks is as if nothing had happened.
#[test]
fn snapshots_of_earlier_versions_are_read() {
    let mut stored = serde_json::to_value(with_ann()).unwrap();
    let fields = stored.as_object_mut().unwrap();
    assert!(fields.remove("watch").is_some() && fields.remove("extra_minutes").is_some());
    let it: Conversation = serde_json::from_value(stored).unwrap();
    assert_eq!(it.summary().watch, Watch::default());
}

#[derive(Debug, Clone)]
enum Turn {
    Client(Origin, Command),
    System(Command),
    /// Of what is so at that moment, or was a little before.
    Alarm(AlarmKind, u64, Vec<AlarmAction>, u64),
    Return,
}

fn kinds() -> impl Strategy<Value = AlarmKind> {
    use AlarmKind::{Abandoned, Late, LongWait, Unanswered, VisitorLost};
    prop_oneof![Just(Late), Just(LongWait), Just(Unanswered), Just(Abandoned), Just(VisitorLost)]
}

fn actions() -> impl Strategy<Value = Vec<AlarmAction>> {
    let one = prop_oneof![
        (0..2_000u32).prop_map(AlarmAction::Priority),
        prop_oneof![Just("sales"), Just("night")].prop_map(|q| AlarmAction::Queue(queue(q))),
        Just(AlarmAction::Notify),
        Just(AlarmAction::Message(texts(&[("en", "soon")]))),
        Just(AlarmAction::Close),
    ];
    prop::collection::vec(one, 1..4)
}

/// For the laws: of the wait that began at 100 s, and of moments after 1,000 s.
pub(super) fn any() -> impl Strategy<Value = Command> {
    let since = || prop_oneof![Just(at(100)), (0..60u64).prop_map(|secs| at(1_000 + secs))];
    let queues = prop_oneof![Just("sales"), Just("support"), Just("night")];
    let alarm = (kinds(), queues, 0..5u64, since(), actions());
    let alarm = alarm.prop_map(|(kind, name, after, since, actions)| {
        let after = Millis::from_secs(after);
        Command::Alarm(Alarm { kind, queue: queue(name), after, since, actions })
    });
    let back = since().prop_map(|handed_on_at| Command::ReturnTransfer { handed_on_at });
    prop_oneof![5 => alarm, 1 => back]
}

fn turns() -> impl Strategy<Value = Turn> {
    let said =
        |who: Origin| (0..99u8).prop_map(move |n| (who.clone(), send(&format!("m{n}"), "x")));
    let client = prop_oneof![
        3 => said(visitor()),
        3 => said(agent(ANN)),
        1 => Just((visitor(), Command::Close)),
        1 => Just((visitor(), Command::Reopen)),
        1 => Just((agent(ANN), Command::Close)),
        1 => Just((visitor(), contact("a@b.example"))),
        2 => Just((agent(ANN), transfer(TransferTarget::Queue(queue("night"))))),
    ];
    let system = prop_oneof![
        3 => (1..4u128).prop_map(|id| offer(id, ANN, at(99_999))),
        3 => (1..4u128).prop_map(|id| accept(id, ANN)),
        1 => (1..4u128).prop_map(|id| end_offer(id, OfferOutcome::Declined)),
        1 => Just(Command::AgentLost { agent: agent_id(ANN) }),
    ];
    prop_oneof![
        8 => client.prop_map(|(who, what)| Turn::Client(who, what)),
        6 => system.prop_map(Turn::System),
        9 => (kinds(), 1..30u64, actions(), 0..3u64)
            .prop_map(|(kind, after, actions, off)| Turn::Alarm(kind, after, actions, off)),
        1 => Just(Turn::Return),
    ]
}

fn command_of(turn: Turn, it: &Conversation, now: u64) -> (Origin, Command) {
    let summary = it.summary();
    let facts = Facts::of(&summary);
    match turn {
        Turn::Client(who, command) => (who, command),
        Turn::System(command) => (Origin::System, command),
        Turn::Alarm(kind, after, actions, off) => {
            let so_since = facts.since(kind).unwrap_or(at(now)).as_millis();
            let (after, since) =
                (Millis::from_secs(after), Timestamp::from_millis(so_since - off * 7_000));
            let queue = summary.queue;
            (Origin::System, Command::Alarm(Alarm { kind, queue, after, since, actions }))
        }
        Turn::Return => {
            let handed_on_at = summary.watch.handed_on.map_or(at(now), |handed_on| handed_on.at);
            (Origin::System, Command::ReturnTransfer { handed_on_at })
        }
    }
}

proptest! {
    #[test]
    fn an_alarm_is_raised_once_never_early_and_never_on_what_has_ended(
        story in prop::collection::vec((turns(), 0..20u64), 1..60)
    ) {
        let (mut it, _) = opened();
        let (mut now, mut seen, mut said) = (100, Vec::new(), HashSet::new());
        for (turn, passes) in story {
            now += passes;
            let (who, command) = command_of(turn, &it, now);
            let before = it.clone();
            let step = it.step(&who, &command, at(now));
            let events = step.map(|step| step.events).unwrap_or_default();
            let raised: Vec<_> = events.iter().filter_map(|event| match &event.body {
                Body::AlarmRaised(raised) => Some(raised.clone()),
                _ => None,
            }).collect();
            prop_assert!(raised.len() <= 1);
            if let Command::Alarm(alarm) = &command {
                // All or nothing, and what was done is said first.
                prop_assert_eq!(events.is_empty(), raised.is_empty());
                let Some(raised) = raised.first() else { continue };
                prop_assert!(matches!(&events[0].body, Body::AlarmRaised(_)));
                prop_assert!(at(now).since(alarm.since) >= alarm.after);
                let was_closed = matches!(before.phase(), Phase::Closed { .. });
                prop_assert_eq!(was_closed, alarm.kind == AlarmKind::Abandoned);
                prop_assert!(!was_closed || events.len() == 1);
                let episode = (raised.kind, raised.queue.clone(), raised.after, raised.since);
                prop_assert!(!seen.contains(&episode), "twice: {episode:?}");
                seen.push(episode);
                let ids: Vec<_> = events.iter().filter_map(|e| e.body.client_msg_id()).collect();
                prop_assert!(ids.iter().all(|id| said.insert((*id).clone())), "{ids:?} again");
                // The same again does nothing, whatever it did.
                let again = it.clone().step(&who, &command, at(now)).unwrap();
                prop_assert_eq!(again.events, vec![]);
                prop_assert_eq!(it.summary().waiting_since, before.summary().waiting_since);
            }
            prop_assert!(it.summary().watch.raised.len() <= MAX_RAISED);
            prop_assert!((-MAX_EXTRA_MINUTES..=MAX_EXTRA_MINUTES).contains(&it.summary().extra_minutes));
            let waits = matches!(it.phase(), Phase::Waiting | Phase::Offered(_));
            prop_assert!(waits || it.summary().watch.handed_on.is_none());
        }
        // What the journal gives is what memory has.
        let told = serde_json::to_string(&it).unwrap();
        prop_assert_eq!(serde_json::from_str::<Conversation>(&told).unwrap(), it);
    }
}
