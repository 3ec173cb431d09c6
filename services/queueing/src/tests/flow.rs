//! What the role does as conversations come, go and are moved.

use super::world::*;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{ApiError, Queueing, WorkObserver};
use std::time::Duration;
use tokio::time::sleep;

async fn calm() {
    sleep(Duration::from_millis(20)).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_rebuilt_from_the_conversations() {
    let world = World::new();
    world.open(2, 20);
    world.open(1, 10);
    world.offer(1, 30);
    let (queueing, _running) = world.start();
    calm().await;
    let waiting = queueing.waiting(&key("sales"), 10).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|e| e.conversation).collect();
    assert_eq!(waiting, [id(2)]);
    let place = queueing.position(&site(), id(2)).await.unwrap().unwrap();
    assert_eq!((place.position, place.agents_online), (2, false));
    assert_eq!(queueing.active().await.unwrap(), [key("sales")]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_it_is_rebuilt() {
    let world = World::new();
    world.set_away(true);
    world.open(1, 10);
    let (queueing, _running) = world.start();
    calm().await;
    let early = queueing.waiting(&key("sales"), 10).await;
    assert!(matches!(early, Err(ApiError::Unavailable { .. })));
    world.set_away(false);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(queueing.waiting(&key("sales"), 10).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn visitors_are_told_what_is_new_and_at_most_once_a_second() {
    let world = World::new();
    let (queueing, _running) = world.start();
    calm().await;
    queueing.observe(vec![world.open(1, 10), world.open(2, 20)]).await.unwrap();
    calm().await;
    assert_eq!(world.told(), [(id(1), 1, false), (id(2), 2, false)]);

    queueing.observe(vec![world.close(1, 30)]).await.unwrap();
    queueing.observe(vec![world.open(3, 40)]).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.told(), []);
    sleep(Duration::from_millis(600)).await;
    assert_eq!(world.told(), [(id(2), 1, false), (id(3), 2, false)]);

    world.agent_comes(1, 1, 1);
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.told(), [(id(2), 1, true), (id(3), 2, true)]);
    // The same again is no news, nor is an older view.
    world.agent_comes(1, 1, 2);
    world.agent_comes(0, 0, 1);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(world.told(), []);
}

#[tokio::test(start_paused = true)]
async fn changes_are_announced() {
    let world = World::new();
    let (queueing, _running) = world.start();
    calm().await;
    let mut changes = queueing.subscribe();
    let opened = world.open(1, 10);
    queueing.observe(vec![opened.clone()]).await.unwrap();
    assert_eq!(changes.recv().await.unwrap().queue, key("sales"));
    queueing.observe(vec![opened]).await.unwrap();
    calm().await;
    assert!(changes.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_estimate_is_none_until_a_chat_was_measured() {
    let world = World::new();
    world.agent_comes(2, 2, 1);
    let (queueing, _running) = world.start();
    calm().await;
    queueing.observe(vec![world.open(1, 0), world.open(2, 1)]).await.unwrap();
    let place = queueing.position(&site(), id(2)).await.unwrap().unwrap();
    assert_eq!((place.position, place.estimated_wait), (2, None));
    for seen in [world.offer(1, 5), world.accept(1, 10), world.close(1, 110)] {
        queueing.observe(vec![seen]).await.unwrap();
    }
    // 100 s of handling over two slots.
    let place = queueing.position(&site(), id(2)).await.unwrap().unwrap();
    assert_eq!((place.position, place.estimated_wait), (1, Some(Millis::from_secs(50))));
    assert!(place.estimated_wait_upper > place.estimated_wait, "little is known");
    let view = queueing.queues(&site()).await.unwrap().remove(0);
    assert_eq!((view.waiting, view.offered, view.agents_online), (1, 0, 1));
    assert_eq!(view.estimated_wait, Some(Millis::from_secs(100)));
    assert_eq!(view.oldest_since, Some(at(1)));
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_the_estimate_comes_from_what_is_recorded() {
    let world = World::new();
    sleep(Duration::from_secs(3 * 24 * 3_600)).await;
    world.agent_comes(2, 2, 1);
    world.remember(7, [100, 110, 210]);
    world.remember(8, [200_000, 200_010, 200_310]);
    // Not before it began: of that it hears as it happens.
    world.remember(9, [250_000, 250_010, 400_000]);
    world.open(1, 259_190);
    let (queueing, _running) = world.start();
    calm().await;
    let place = queueing.position(&site(), id(1)).await.unwrap().unwrap();
    // 100 s and 300 s of handling over two slots.
    assert_eq!(place.estimated_wait, Some(Millis::from_secs(100)));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_of_is_found() {
    let world = World::new();
    world.open(1, 10);
    world.open(2, 20);
    let (queueing, _running) = world.start();
    calm().await;
    world.close(1, 30);
    world.erase(2);
    world.open(3, 40);
    sleep(Duration::from_secs(11)).await;
    let waiting = queueing.waiting(&key("sales"), 10).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|e| e.conversation).collect();
    assert_eq!(waiting, [id(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_new_priority_counts_for_those_who_wait() {
    let world = World::new();
    world.open(1, 10);
    let (queueing, _running) = world.start();
    calm().await;
    world.set_head_start(7);
    sleep(Duration::from_secs(11)).await;
    let waiting = queueing.waiting(&key("sales"), 10).await.unwrap();
    assert_eq!(waiting[0].priority_minutes, 7);
}

#[tokio::test(start_paused = true)]
async fn after_the_stop_it_says_so() {
    let world = World::new();
    let (queueing, running) = world.start();
    calm().await;
    running.stop().await;
    let late = queueing.observe(vec![world.open(1, 10)]).await;
    assert!(matches!(late, Err(ApiError::Unavailable { .. })));
}
