//! Alarms from the settings to the conversation, under a paused clock.

use super::world::*;
use frontdesk_core::conversation::{
    AlarmAction, AlarmKind, Command, Phase, QueuedReason, Texts, VisitorSeen,
};
use frontdesk_core::queue::AlarmRule;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{Queueing, WorkObserver};
use std::time::Duration;
use tokio::time::sleep;

fn rule(on: AlarmKind, after: u64, actions: &[AlarmAction]) -> AlarmRule {
    AlarmRule { on, after: Some(Millis::from_secs(after)), actions: actions.to_vec() }
}

fn soon() -> AlarmAction {
    AlarmAction::Message(Texts::new([("en".into(), "Soon!".into())].into()).unwrap())
}

async fn secs(secs: u64) {
    sleep(Duration::from_secs(secs)).await;
}

/// Alarms that were raised on a conversation, in order.
fn raised(world: &World, n: u128) -> Vec<AlarmKind> {
    world.latest(n).watch.raised.iter().map(|raised| raised.alarm.kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_late_one_comes_first_and_a_long_wait_goes_elsewhere() {
    let world = World::new();
    world.alarms(
        vec![
            rule(AlarmKind::Late, 0, &[AlarmAction::Priority(10), AlarmAction::Notify]),
            rule(AlarmKind::LongWait, 90, &[soon(), AlarmAction::Queue(queue("night"))]),
        ],
        None,
    );
    let (queueing, _running) = world.start();
    secs(1).await;
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    secs(59).await;
    assert_eq!(raised(&world, 1), []);
    secs(2).await;
    assert_eq!((raised(&world, 1), world.latest(1).extra_minutes), (vec![AlarmKind::Late], 10));
    secs(28).await;
    assert_eq!(world.latest(1).queue, queue("sales"));
    secs(2).await;
    let latest = world.latest(1);
    assert_eq!((&latest.queue, latest.waiting_since), (&queue("night"), at(1)));
    assert_eq!(latest.arrival.map(|arrival| arrival.reason), Some(QueuedReason::Alarm));
    // Nobody has told the queues: what they try again is of no effect, and the
    // comparison finds the rest.
    let head = latest.head;
    secs(30).await;
    assert_eq!(world.latest(1).head, head, "each once");
    let night = queueing.waiting(&key("night"), 10).await.unwrap();
    assert_eq!(night[0].extra_minutes, 10);
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_message_is_found_though_nobody_tells_of_messages() {
    let world = World::new();
    world.alarms(vec![rule(AlarmKind::Unanswered, 60, &[AlarmAction::Notify])], None);
    let (queueing, _running) = world.start();
    secs(1).await;
    let all = [world.open(1, 1), world.offer(1, 2), world.accept(1, 3)];
    for seen in all {
        queueing.observe(vec![seen]).await.unwrap();
    }
    secs(29).await;
    world.say(1, true);
    secs(59).await;
    world.say(1, false);
    secs(60).await;
    assert_eq!(raised(&world, 1), [], "answered within a minute");
    world.say(1, true);
    let asked = world.looks();
    secs(58).await;
    assert_eq!(raised(&world, 1), []);
    secs(3).await;
    assert_eq!(raised(&world, 1), [AlarmKind::Unanswered]);
    assert!(world.looks() - asked <= 3, "asked only when it may matter");
    secs(600).await;
    assert_eq!(raised(&world, 1), [AlarmKind::Unanswered]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_visitor_ends_it_and_that_is_abandonment() {
    let world = World::new();
    world.alarms(
        vec![
            rule(AlarmKind::VisitorLost, 60, &[soon(), AlarmAction::Close]),
            AlarmRule { on: AlarmKind::Abandoned, after: None, actions: vec![AlarmAction::Notify] },
        ],
        None,
    );
    let (queueing, _running) = world.start();
    secs(1).await;
    world.visitor(VisitorSeen::Here);
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    secs(200).await;
    world.visitor(VisitorSeen::Away { since: at(201) });
    secs(59).await;
    assert_eq!(world.latest(1).phase, Phase::Waiting);
    secs(3).await;
    assert!(matches!(world.latest(1).phase, Phase::Closed { .. }));
    // The comparison finds it closed.
    secs(12).await;
    assert_eq!(raised(&world, 1), [AlarmKind::VisitorLost, AlarmKind::Abandoned]);
}

#[tokio::test(start_paused = true)]
async fn what_was_abandoned_while_nobody_kept_the_queues_is_raised() {
    let world = World::new();
    let notify = vec![AlarmAction::Notify];
    let rule = AlarmRule { on: AlarmKind::Abandoned, after: None, actions: notify };
    world.alarms(vec![rule], None);
    for n in 1..=5 {
        world.open(n, 0);
        world.give_up(n, 1);
    }
    let waiting = world.open(6, 0);
    secs(5).await;
    let (_queueing, running) = world.start();
    secs(5).await;
    for n in 1..=5 {
        assert_eq!(raised(&world, n), [AlarmKind::Abandoned], "{n}");
    }
    let head = world.latest(1).head;
    running.stop().await;
    let (_queueing, _running) = world.start();
    secs(30).await;
    assert_eq!(world.latest(1).head, head, "once");
    assert_eq!(world.latest(6).head, waiting.head, "it waits still");
}

#[tokio::test(start_paused = true)]
async fn who_is_back_in_time_is_not_lost() {
    let world = World::new();
    let close = [AlarmAction::Close];
    world.alarms(vec![rule(AlarmKind::VisitorLost, 60, &close)], None);
    let (queueing, _running) = world.start();
    secs(1).await;
    world.visitor(VisitorSeen::Away { since: at(1) });
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    secs(50).await;
    world.visitor(VisitorSeen::Here);
    secs(600).await;
    assert_eq!(world.latest(1).phase, Phase::Waiting);
    assert!(world.looks() <= 600 / 60 + 2, "{} looks", world.looks());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_said_is_said_later() {
    let world = World::new();
    world.alarms(vec![rule(AlarmKind::LongWait, 60, &[AlarmAction::Notify])], None);
    let (queueing, _running) = world.start();
    secs(1).await;
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    secs(30).await;
    world.set_away(true);
    secs(60).await;
    assert_eq!(raised(&world, 1), []);
    world.set_away(false);
    secs(12).await;
    assert_eq!(raised(&world, 1), [AlarmKind::LongWait]);
}

#[tokio::test(start_paused = true)]
async fn rules_that_come_later_count_for_those_who_wait() {
    let world = World::new();
    world.open(1, 1);
    let (_queueing, _running) = world.start();
    secs(100).await;
    world.alarms(vec![rule(AlarmKind::LongWait, 60, &[AlarmAction::Notify])], None);
    secs(11).await;
    assert_eq!(raised(&world, 1), [AlarmKind::LongWait]);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_nobody_takes_goes_back_when_its_agent_is_there() {
    let world = World::new();
    world.alarms(vec![], Some(Millis::from_secs(120)));
    let (queueing, _running) = world.start();
    secs(1).await;
    world.open(1, 1);
    world.offer(1, 2);
    world.accept(1, 3);
    let handed_on = world.transfer(1, "night", 10);
    queueing.observe(vec![handed_on]).await.unwrap();
    secs(200).await;
    assert_eq!(world.latest(1).queue, queue("night"), "its agent is away");
    world.agent_comes(1, 0, 1);
    secs(20).await;
    let back = world.latest(1);
    assert_eq!((&back.queue, back.waiting_since), (&queue("sales"), at(1)));
    assert!(back.target.is_some() && back.watch.handed_on.is_none());
    let reason = back.arrival.map(|arrival| arrival.reason);
    assert_eq!(reason, Some(QueuedReason::TransferReturned));
}

#[tokio::test(start_paused = true)]
async fn without_rules_nobody_is_asked_anything() {
    let world = World::new();
    let (queueing, _running) = world.start();
    secs(1).await;
    queueing.observe(vec![world.open(1, 1), world.open(2, 1)]).await.unwrap();
    queueing.observe(vec![world.step(2, &Command::Close, at(2))]).await.unwrap();
    secs(3_600).await;
    assert_eq!(world.looks(), 0);
}
