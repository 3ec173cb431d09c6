//! What a cluster asks of the role: shards that come and go, gateways that are no
//! more, and heads told to those who may have missed an event.

use crate::Settings;
use crate::testing::{World, conversation, gateway, message, settle, start, visitor};
use frontdesk_actor::ShardHost as _;
use frontdesk_core::ids::Epoch;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, Sessions as _};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_released_shard_answers_that_it_has_moved_and_may_come_back() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    let shard = ShardId::of(id);
    assert_eq!(world.sessions.epoch_of(shard), Some(Epoch::new(1)));
    let under_way = world.submit(id, &vi, message("m1"));
    world.sessions.release(&[shard]).await;
    assert_eq!(world.sessions.epoch_of(shard), None, "nobody may attach to what is going");
    assert!(under_way.await.is_ok(), "what was under way is finished");
    let after = world.submit(id, &vi, message("m2")).await;
    assert_eq!(after, Err(ApiError::Moved));
    assert_eq!(world.attach(id, &vi, 0).await.err(), Some(ApiError::Moved));
    world.sessions.acquire(&[(shard, Epoch::new(2))]).await.unwrap();
    assert_eq!(world.sessions.epoch_of(shard), Some(Epoch::new(2)));
    assert_eq!(world.say(id, &vi, "m2").await, 6);
}

#[tokio::test(start_paused = true)]
async fn a_shard_is_not_taken_over_under_an_epoch_that_has_passed() {
    let world = World::new().await;
    let shard = ShardId::of(conversation(1));
    world.sessions.release(&[shard]).await;
    assert!(world.sessions.acquire(&[(shard, Epoch::new(0))]).await.is_err());
    let refused = world.submit(conversation(1), &visitor(1), start()).await;
    assert_eq!(refused, Err(ApiError::Moved));
}

#[tokio::test(start_paused = true)]
async fn a_fenced_shard_says_that_it_has_moved() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    // Another node has taken over, and this one has not heard of it.
    let elsewhere = World::on(world.journal.clone(), Settings::default(), 2).await;
    assert_eq!(world.submit(id, &vi, message("m1")).await, Err(ApiError::Moved));
    assert_eq!(elsewhere.say(id, &vi, "m1").await, 5);
}

#[tokio::test(start_paused = true)]
async fn heads_are_told_a_few_times_after_the_last_event() {
    let world = World::with(Settings { beacons: true, ..Settings::default() }).await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.say(id, &vi, "m1").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let beacons = world.bus.beacons(&gateway());
    assert_eq!(beacons, [(5, 5), (5, 5), (5, 5)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_published_to_a_gateway_that_is_no_more() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.sessions.forget_gateways(BTreeSet::from([gateway()]));
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.say(id, &vi, "m1").await;
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [] as [u32; 0]);
}
