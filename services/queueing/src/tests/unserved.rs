//! Whom a queue does not serve, from the settings to the conversation and the visitor.

use super::world::*;
use frontdesk_core::conversation::{Phase, Reachable};
use frontdesk_core::hours::Hours;
use frontdesk_core::queue::{Answer, Limits};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{Queueing, WorkObserver};
use std::time::Duration;
use tokio::time::sleep;

fn is_closed(world: &World, n: u128) -> bool {
    matches!(world.latest(n).phase, Phase::Closed { .. })
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_too_long_goes_elsewhere_at_that_moment() {
    let world = World::new();
    let when_too_long = Answer::Queue(queue("night"));
    let max_wait = Some(Millis::from_secs(60));
    world.limit(Limits { max_wait, when_too_long, ..Limits::default() }, None);
    let (queueing, _running) = world.start();
    sleep(Duration::from_secs(1)).await;
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    sleep(Duration::from_millis(59_900)).await;
    assert_eq!(world.latest(1).queue, queue("sales"));
    sleep(Duration::from_millis(200)).await;
    assert_eq!(world.latest(1).queue, queue("night"));
    // Nobody has told the queues: the comparison finds it.
    sleep(Duration::from_secs(11)).await;
    let night = queueing.waiting(&key("night"), 10).await.unwrap();
    assert_eq!(night.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_it_is_full_is_asked_for_an_address() {
    let world = World::new();
    world.limit(Limits { max_waiting: Some(2), ..Limits::default() }, None);
    let (queueing, _running) = world.start();
    sleep(Duration::from_secs(1)).await;
    let all = vec![world.open(1, 1), world.open(2, 2), world.open(3, 3)];
    queueing.observe(all).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!([1, 2, 3].map(|n| is_closed(&world, n)), [false, false, true]);
    assert_eq!(world.latest(3).reachable, Reachable::Asked);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_said_is_said_later() {
    let world = World::new();
    world.limit(Limits { max_waiting: Some(1), ..Limits::default() }, None);
    let (queueing, _running) = world.start();
    sleep(Duration::from_secs(1)).await;
    let all = vec![world.open(1, 1), world.open(2, 2)];
    world.set_away(true);
    queueing.observe(all).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    assert!(!is_closed(&world, 2));
    world.set_away(false);
    sleep(Duration::from_secs(2)).await;
    assert_eq!([1, 2].map(|n| is_closed(&world, n)), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn out_of_hours_visitors_are_told_when_somebody_is_back() {
    let world = World::new();
    let mut hours = Hours::new("UTC").unwrap();
    hours.set_days("thu", &["01:00-02:00"]).unwrap();
    world.limit(Limits { when_closed: Answer::Wait, ..Limits::default() }, Some(hours));
    let (queueing, _running) = world.start();
    sleep(Duration::from_secs(1)).await;
    queueing.observe(vec![world.open(1, 1)]).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.told_of_opening(), [(id(1), Some(3_600))]);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(world.told_of_opening(), [(id(1), None)], "it has opened");
}
