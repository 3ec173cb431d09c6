//! When alarms are due, and that a vigil misses none and asks no more than it must.

use super::tests::{at, conversation, on_offer, queue, seen};
use super::*;
use crate::conversation::{
    AlarmAction, AlarmKind, HandedOn, Phase, RaisedAlarm, Remembered, Summary, VisitorSeen, Watch,
};
use crate::hours::Hours;
use crate::ids::{AgentId, ConversationId, Seq};
use crate::party::Participant;
use crate::time::{Millis, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

fn ann() -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(1))
}

fn rule(on: AlarmKind, after: u64) -> AlarmRule {
    AlarmRule { on, after: Some(Millis::from_secs(after)), actions: vec![AlarmAction::Notify] }
}

fn plan(rules: &[AlarmRule]) -> Plan<'_> {
    let answer_within = Some(Millis::from_secs(60));
    let transfer_return = Some(Millis::from_secs(120));
    Plan { rules, answer_within, transfer_return, hours: None }
}

fn assigned(since: u64) -> Phase {
    Phase::Assigned { agent: Participant::agent(ann(), "Ann"), since: at(since) }
}

/// In seconds: what is due, by name, and when to look again.
fn assess(sight: &Sight, plan: &Plan<'_>, is_there: bool, now: u64) -> (Vec<String>, Option<u64>) {
    let Assessment { due, next } = sight.assess(plan, |_| is_there, at(now));
    let name = |due: Due| match due {
        Due::Raise(alarm) => {
            format!("{} since {}", alarm.kind.as_str(), alarm.since.as_millis() / 1_000)
        }
        Due::Return { handed_on_at } => format!("return of {}", handed_on_at.as_millis() / 1_000),
        Due::Look => "look".to_owned(),
    };
    (due.into_iter().map(name).collect(), next.map(|at| at.as_millis() / 1_000))
}

fn nothing(next: Option<u64>) -> (Vec<String>, Option<u64>) {
    (vec![], next)
}

fn only(due: &str) -> (Vec<String>, Option<u64>) {
    (vec![due.to_owned()], None)
}

#[test]
fn a_wait_is_late_by_the_aim_of_its_queue_and_long_by_its_own() {
    let rules = [rule(AlarmKind::Late, 0), rule(AlarmKind::LongWait, 90)];
    let sight = Sight::new(&seen(1, 1, "sales", 100, Phase::Waiting), at(100));
    assert_eq!(assess(&sight, &plan(&rules), true, 159), nothing(Some(160)));
    let (due, next) = assess(&sight, &plan(&rules), true, 160);
    assert_eq!((&*due, next), (&["late since 100".to_owned()][..], Some(190)));
    assert_eq!(assess(&sight, &plan(&rules), true, 190).0.len(), 2);
    let no_aim = Plan { answer_within: None, ..plan(&rules[..1]) };
    assert_eq!(assess(&sight, &no_aim, true, 999), nothing(None));
    let taken = Sight::new(&seen(1, 2, "sales", 100, assigned(110)), at(110));
    assert_eq!(assess(&taken, &plan(&rules), true, 999), nothing(None));
}

#[test]
fn what_was_raised_is_not_again() {
    let rules = [rule(AlarmKind::LongWait, 90)];
    let alarm = RaisedAlarm {
        kind: AlarmKind::LongWait,
        queue: queue("sales"),
        after: Millis::from_secs(90),
        since: at(100),
        actions: vec![],
    };
    let raised = vec![Remembered { alarm, at: at(190) }];
    let mut summary = seen(1, 1, "sales", 100, Phase::Waiting);
    summary.watch.raised = raised;
    let sight = Sight::new(&summary, at(100));
    assert_eq!(assess(&sight, &plan(&rules), true, 999), nothing(None));
    let longer = [rule(AlarmKind::LongWait, 200)];
    assert_eq!(assess(&sight, &plan(&longer), true, 300), only("long_wait since 100"));
}

#[test]
fn a_move_waits_until_nobody_is_being_asked() {
    let mut moves = rule(AlarmKind::LongWait, 10);
    moves.actions.push(AlarmAction::Queue(queue("night")));
    assert_eq!(moves.elsewhere(), Some(&queue("night")));
    let rules = [moves];
    let asked = Sight::new(&seen(1, 1, "sales", 100, on_offer()), at(100));
    assert_eq!(assess(&asked, &plan(&rules), true, 500), nothing(None));
    let waits = Sight::new(&seen(1, 2, "sales", 100, Phase::Waiting), at(100));
    assert_eq!(assess(&waits, &plan(&rules), true, 500), only("long_wait since 100"));
}

#[test]
fn waits_count_by_the_hours() {
    let mut hours = Hours::new("UTC").unwrap();
    hours.set_days("thu", &["01:00-02:00"]).unwrap();
    let rules = [rule(AlarmKind::LongWait, 600)];
    let plan = Plan { hours: Some(&hours), ..plan(&rules) };
    // The epoch was a Thursday; ten minutes from one o'clock on.
    let sight = Sight::new(&seen(1, 1, "sales", 100, Phase::Waiting), at(100));
    assert_eq!(assess(&sight, &plan, true, 200), nothing(Some(4_200)));
    assert_eq!(assess(&sight, &plan, true, 4_199), nothing(Some(4_200)));
    assert_eq!(assess(&sight, &plan, true, 4_200), only("long_wait since 100"));
}

#[test]
fn an_unanswered_message_is_looked_for_before_it_is_acted_on() {
    let rules = [rule(AlarmKind::Unanswered, 60)];
    let plan = plan(&rules);
    let mut sight = Sight::new(&seen(1, 5, "sales", 0, assigned(100)), at(100));
    sight.fresh_at = at(100);
    assert_eq!(assess(&sight, &plan, true, 110), nothing(Some(160)));
    assert_eq!(assess(&sight, &plan, true, 160), only("look"));
    // Asked at 160: something said at 130 is not answered yet.
    sight.facts.watch.unanswered_since = Some(at(130));
    sight.fresh_at = at(160);
    assert_eq!(assess(&sight, &plan, true, 160), nothing(Some(190)));
    assert_eq!(assess(&sight, &plan, true, 190), only("look"), "it may be answered by now");
    sight.fresh_at = at(191);
    assert_eq!(assess(&sight, &plan, true, 191), only("unanswered since 130"));
    // Said before anybody was there to answer: counted from then on.
    sight.facts.watch.unanswered_since = Some(at(50));
    sight.fresh_at = at(165);
    assert_eq!(assess(&sight, &plan, true, 165), only("unanswered since 100"));
}

#[test]
fn a_visitor_is_asked_for_only_when_it_may_have_been_gone_for_long() {
    let mut rules = [rule(AlarmKind::VisitorLost, 60)];
    let mut sight = Sight::new(&seen(1, 5, "sales", 0, Phase::Waiting), at(100));
    assert_eq!(assess(&sight, &plan(&rules), true, 100), nothing(Some(160)));
    assert_eq!(assess(&sight, &plan(&rules), true, 160), only("look"));
    let look = |sight: &mut Sight, seen, now| {
        sight.facts.watch.visitor = seen;
        sight.looked_at = Some(at(now));
    };
    look(&mut sight, Some(VisitorSeen::Here), 160);
    assert_eq!(assess(&sight, &plan(&rules), true, 160), nothing(Some(220)));
    assert_eq!(assess(&sight, &plan(&rules), true, 220), only("look"));
    look(&mut sight, Some(VisitorSeen::Away { since: at(200) }), 220);
    assert_eq!(assess(&sight, &plan(&rules), true, 220), nothing(Some(260)));
    assert_eq!(assess(&sight, &plan(&rules), true, 260), only("look"), "it may have come back");
    look(&mut sight, Some(VisitorSeen::Away { since: at(200) }), 261);
    assert_eq!(assess(&sight, &plan(&rules), true, 261), only("visitor_lost since 200"));
    // An owner of an earlier version does not say.
    look(&mut sight, None, 261);
    assert_eq!(assess(&sight, &plan(&rules), true, 261), nothing(Some(321)));
    look(&mut sight, Some(VisitorSeen::Away { since: at(200) }), 261);
    rules[0].actions = vec![AlarmAction::Close];
    sight.facts.reachable = crate::conversation::Reachable::Left;
    assert_eq!(assess(&sight, &plan(&rules), true, 999), nothing(None), "may be written to");
}

#[test]
fn a_transfer_comes_back_when_its_agent_is_there() {
    let mut summary = seen(1, 5, "sales", 0, Phase::Waiting);
    let by = Participant::agent(ann(), "Ann");
    let handed_on = HandedOn { by, queue: queue("tax"), at: at(100) };
    summary.watch.handed_on = Some(Box::new(handed_on));
    let sight = Sight::new(&summary, at(100));
    assert_eq!(assess(&sight, &plan(&[]), true, 219), nothing(Some(220)));
    assert_eq!(assess(&sight, &plan(&[]), true, 220), only("return of 100"));
    assert_eq!(assess(&sight, &plan(&[]), false, 220), nothing(Some(235)), "stays for anyone");
    summary.phase = on_offer();
    let sight = Sight::new(&summary, at(100));
    assert_eq!(assess(&sight, &plan(&[]), true, 999), nothing(None));
}

fn due(vigil: &mut Vigil, rules: &[AlarmRule], now: u64) -> Vec<(ConversationId, Vec<Due>)> {
    vigil.due(at(now), 100, |_| Some(plan(rules)), |_| true)
}

#[test]
fn what_was_not_done_is_looked_at_and_tried_again() {
    let rules = [rule(AlarmKind::Late, 0)];
    let mut vigil = Vigil::default();
    let summary = seen(1, 1, "sales", 100, Phase::Waiting);
    vigil.observe(&summary, at(100));
    assert_eq!(due(&mut vigil, &rules, 100), []);
    assert_eq!(vigil.next(), Some(at(160)));
    assert!(matches!(&*due(&mut vigil, &rules, 160)[0].1, [Due::Raise(_)]));
    assert_eq!(due(&mut vigil, &rules, 161), []);
    assert_eq!(due(&mut vigil, &rules, 165), [(summary.id, vec![Due::Look])]);
    vigil.looked(&summary, at(165));
    assert!(matches!(&*due(&mut vigil, &rules, 165)[0].1, [Due::Raise(_)]));
    vigil.observe(&seen(1, 2, "sales", 100, assigned(166)), at(166));
    assert_eq!(due(&mut vigil, &rules, 999), []);
    vigil.observe(&summary, at(999));
    assert_eq!(due(&mut vigil, &rules, 999), [], "old news");
}

#[test]
fn an_abandoned_one_is_kept_until_that_was_told_or_for_a_while() {
    let rules = [rule(AlarmKind::Abandoned, 0)];
    let mut vigil = Vigil::default();
    let mut summary = seen(1, 2, "sales", 100, Phase::Closed { at: at(200) });
    summary.watch.abandoned_at = Some(at(200));
    vigil.observe(&summary, at(200));
    assert!(matches!(&*due(&mut vigil, &rules, 200)[0].1, [Due::Raise(_)]));
    assert!(vigil.next().is_some());
    assert_eq!(due(&mut vigil, &rules, 800).len(), 1);
    assert_eq!(vigil.next(), None, "given up");
    vigil.observe(&summary, at(900));
    assert_eq!(due(&mut vigil, &[], 900), []);
    assert_eq!(vigil.next(), None, "no rule asks for it");
}

#[test]
fn no_more_at_once_than_there_is_room_for() {
    let rules = [rule(AlarmKind::Late, 0)];
    let mut vigil = Vigil::default();
    for id in 1..=5 {
        vigil.observe(&seen(id, 1, "sales", 100, Phase::Waiting), at(100));
    }
    let mut told = |most| vigil.due(at(500), most, |_| Some(plan(&rules)), |_| true).len();
    assert_eq!([told(0), told(2), told(9), told(9)], [0, 2, 3, 0]);
    vigil.rethink(at(500));
    assert_eq!(vigil.next(), Some(at(500)));
}

/// What happens to one conversation, with times between.
#[derive(Debug, Clone)]
enum Event {
    Phase(Phase),
    Said(bool),
    Connected(bool),
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let event = prop_oneof![
        2 => prop_oneof![Just(Phase::Waiting), Just(assigned(0)), Just(on_offer())]
            .prop_map(Event::Phase),
        3 => any::<bool>().prop_map(Event::Said),
        3 => any::<bool>().prop_map(Event::Connected),
    ];
    prop::collection::vec((1..80u64, event), 1..12)
}

/// An owner that knows everything at once, told of only as the real one tells.
struct Owner {
    summary: Summary,
    connected: bool,
    away_since: Timestamp,
}

impl Owner {
    /// Gives news, as the owner would tell it: not of messages and connections.
    fn take(&mut self, event: &Event, now: Timestamp) -> bool {
        match event {
            Event::Phase(phase) => {
                self.summary.phase = match phase {
                    Phase::Assigned { agent, .. } => {
                        Phase::Assigned { agent: agent.clone(), since: now }
                    }
                    phase => phase.clone(),
                };
            }
            Event::Said(true) => {
                self.summary.watch.visitor_at = now;
                self.summary.watch.unanswered_since.get_or_insert(now);
            }
            Event::Said(false) => self.summary.watch.unanswered_since = None,
            Event::Connected(connected) => {
                if self.connected && !connected {
                    self.away_since = now;
                }
                self.connected = *connected;
                return false;
            }
        }
        self.summary.head = self.summary.head.next();
        self.summary.last_at = now;
        matches!(event, Event::Phase(_))
    }

    fn asked(&self) -> Summary {
        let visitor = match self.connected {
            true => VisitorSeen::Here,
            false => VisitorSeen::Away { since: self.away_since },
        };
        let watch = Watch { visitor: Some(visitor), ..self.summary.watch.clone() };
        Summary { watch, ..self.summary.clone() }
    }

    /// Alarms that are due by the whole truth.
    fn truly_due(&self, rules: &[AlarmRule], now: Timestamp) -> Vec<AlarmKind> {
        let facts = crate::conversation::Facts::of(&self.asked());
        let is_due = |rule: &&AlarmRule| {
            let after = rule.after.unwrap();
            facts.since(rule.on).is_some_and(|since| {
                now.since(since) >= after && !facts.was_raised(rule.on, after, since)
            })
        };
        rules.iter().filter(is_due).map(|rule| rule.on).collect()
    }
}

proptest! {
    /// Second by second: what the vigil has done is what was due, no later than a second
    /// after, never more, and it asks no more often than each rule's time.
    #[test]
    fn a_vigil_misses_nothing_and_does_nothing_that_is_not_due(story in events()) {
        let rules = [
            rule(AlarmKind::LongWait, 30),
            rule(AlarmKind::Unanswered, 20),
            rule(AlarmKind::VisitorLost, 40),
        ];
        let summary = seen(1, 1, "sales", 0, Phase::Waiting);
        let mut owner = Owner { summary, connected: true, away_since: at(0) };
        let mut vigil = Vigil::default();
        vigil.observe(&owner.summary, at(0));
        let (mut story, mut next_at) = (story.into_iter().peekable(), 0);
        let mut looks = 0;
        for now in 0..400u64 {
            while let Some((wait, event)) = story.peek().cloned() {
                if next_at + wait > now { break; }
                next_at = now;
                story.next();
                if owner.take(&event, at(now)) {
                    vigil.observe(&owner.summary, at(now));
                }
            }
            // As often as answers come within the second.
            for _ in 0..6 {
                for (id, due) in due(&mut vigil, &rules, now) {
                    prop_assert_eq!(id, conversation(1));
                    for due in due {
                        match due {
                            Due::Look => {
                                looks += 1;
                                vigil.looked(&owner.asked(), at(now));
                            }
                            Due::Raise(alarm) => {
                                prop_assert!(
                                    owner.truly_due(&rules, at(now)).contains(&alarm.kind),
                                    "{:?} at {now}", alarm
                                );
                                let (kind, queue) = (alarm.kind, alarm.queue);
                                let (after, since) = (alarm.after, alarm.since);
                                let alarm = RaisedAlarm { kind, queue, after, since, actions: vec![] };
                                let raised = Remembered { alarm, at: at(now) };
                                owner.summary.watch.raised.push(raised);
                                owner.summary.head = owner.summary.head.next();
                                vigil.observe(&owner.summary, at(now));
                            }
                            Due::Return { .. } => prop_assert!(false, "nothing was handed on"),
                        }
                    }
                }
            }
            prop_assert_eq!(owner.truly_due(&rules, at(now)), vec![], "missed at {}", now);
        }
        // Each rule asks when its time has passed: every 20 s and every 40 s at most,
        // and once more before it acts or after news.
        prop_assert!(looks <= 400 / 20 + 400 / 40 + 2 * 14, "{looks} looks");
        prop_assert!(owner.summary.head > Seq::ZERO);
    }
}
