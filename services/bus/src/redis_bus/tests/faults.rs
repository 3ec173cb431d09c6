//! Servers that die, freeze, or come late.

use super::{Gateway, connect, node};
use crate::testing::RedisServer;
use crate::{Bus, Published, Received};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// It notices, hears that it has missed something, and then what comes.
async fn is_back(bus: &crate::RedisBus, gateway: &mut Gateway) {
    gateway.becomes(true).await;
    gateway.hears_lagged().await;
    gateway.is_sent_until(bus, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn a_server_that_dies_and_returns_is_noticed_and_used_again() {
    let mut server = RedisServer::start();
    let bus = connect(&server.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    server.kill();
    gateway.becomes(false).await;
    gateway.is_sent_until(&bus, "lost", Published::Away).await;
    server.start_again();
    is_back(&bus, &mut gateway).await;
}

#[tokio::test]
async fn a_server_that_freezes_is_noticed_though_its_connections_stay() {
    let server = RedisServer::start();
    let bus = connect(&server.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    server.pause();
    gateway.becomes(false).await;
    gateway.is_sent_until(&bus, "lost", Published::Away).await;
    server.resume();
    is_back(&bus, &mut gateway).await;
}

#[tokio::test]
async fn starts_while_redis_is_away() {
    let mut server = RedisServer::start();
    server.kill();
    let bus = connect(&server.settings());
    let mut gateway = Gateway { id: node("g1"), subscription: bus.subscribe(node("g1")) };
    assert_eq!(gateway.is_sent(&bus, "lost"), Published::Away);
    server.start_again();
    is_back(&bus, &mut gateway).await;
}

/// The gateway's own connection never fails: only the publisher can tell it.
#[tokio::test]
async fn a_publisher_that_was_away_says_lagged_before_the_next_batch() {
    let server = RedisServer::start();
    let (here, there) = (connect(&server.settings()), connect(&server.settings()));
    let mut gateway = Gateway::listening(&there, "g1").await;
    gateway.is_sent_until(&here, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
    cut_publishers(&server, &gateway, &here).await;
    gateway.is_sent_until(&here, "b", Published::Accepted).await;
    let mut heard = vec![gateway.hears().await];
    while heard.last() != Some(&Received::Batch(Bytes::from_static(b"b"))) {
        heard.push(gateway.hears().await);
    }
    assert!(heard.contains(&Received::Lagged), "{heard:?}");
}

/// Closes the connections that do not listen, until a publish was refused.
async fn cut_publishers(server: &RedisServer, gateway: &Gateway, bus: &crate::RedisBus) {
    let start = Instant::now();
    loop {
        let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal"]).to_owned();
        server.ask::<()>(kill).unwrap();
        for _ in 0..50 {
            if gateway.is_sent(bus, "lost") == Published::Away {
                return;
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(start.elapsed() < super::LIMIT, "no publish was refused");
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_read_hears_lagged_and_redis_does_not_cut_it() {
    let server = RedisServer::start();
    let bus = connect(&server.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    // 96 MiB: more than Redis holds for a subscriber, and than may wait here.
    let large = Bytes::from(vec![0; 512 * 1024]);
    for _ in 0..192 {
        while bus.publish(&gateway.id, large.clone()) != Published::Accepted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::task::yield_now().await;
    }
    gateway.hears_lagged().await;
    gateway.is_sent_until(&bus, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn what_strangers_publish_is_taken_for_a_loss() {
    let server = RedisServer::start();
    let bus = connect(&server.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    let stranger = redis::cmd("SPUBLISH").arg("frontdesk:g1").arg("hello").to_owned();
    server.ask::<u64>(stranger).unwrap();
    assert_eq!(gateway.hears().await, Received::Lagged);
    assert_eq!(gateway.is_sent(&bus, "a"), Published::Accepted);
    gateway.hears_batch("a").await;
}
