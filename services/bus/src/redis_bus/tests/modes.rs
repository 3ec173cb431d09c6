//! One server, a cluster, and sentinels: the contract, and what is particular to
//! each.

use super::{Gateway, connect, node, within_limit};
use crate::testing::{RedisCluster, RedisSentinels, RedisServer};
use crate::{Bus, Published, Received, RedisBus, conformance};
use redis::cmd;
use std::time::Duration;

#[tokio::test]
async fn one_server_keeps_the_contract() {
    let server = RedisServer::start();
    conformance::all(|| connect(&server.settings())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract_between_threads() {
    let server = RedisServer::start();
    conformance::all(|| connect(&server.settings())).await;
}

#[tokio::test]
async fn a_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start();
    conformance::all(|| connect(&cluster.settings())).await;
}

#[tokio::test]
async fn sentinels_lead_to_a_master_that_keeps_the_contract() {
    let sentinels = RedisSentinels::start();
    conformance::all(|| connect(&sentinels.settings())).await;
}

#[tokio::test]
async fn logs_in() {
    let server = RedisServer::start_with(&["--requirepass", "let me in"]);
    let mut settings = server.settings();
    settings.password = Some("let me in".to_owned());
    let bus = connect(&settings);
    let mut gateway = Gateway::listening(&bus, "g1").await;
    assert_eq!(gateway.is_sent(&bus, "a"), Published::Accepted);
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn a_refused_login_is_as_if_redis_were_away() {
    let server = RedisServer::start();
    let mut settings = server.settings();
    settings.username = Some("bus".to_owned());
    settings.password = Some("let me in".to_owned());
    let bus = connect(&settings);
    let mut gateway = Gateway { id: node("g1"), subscription: bus.subscribe(node("g1")) };
    let refused = async {
        let stats = || server.ask::<String>(cmd("INFO").arg("stats").to_owned()).unwrap();
        while stats().contains("acl_access_denied_auth:0") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within_limit("a login is refused", refused).await;
    assert!(!*gateway.subscription.live().borrow());
    assert_eq!(gateway.is_sent(&bus, "lost"), Published::Away);
    let user = ["SETUSER", "bus", "on", ">let me in", "&*", "+@all"];
    server.ask::<()>(cmd("ACL").arg(&user).to_owned()).unwrap();
    gateway.becomes(true).await;
    gateway.is_sent_until(&bus, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn one_process_reaches_another() {
    let server = RedisServer::start();
    let (here, there) = (connect(&server.settings()), connect(&server.settings()));
    let mut gateway = Gateway::listening(&there, "g1").await;
    gateway.is_sent_until(&here, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn installations_with_other_prefixes_do_not_hear_each_other() {
    let server = RedisServer::start();
    let mut settings = server.settings();
    let one = connect(&settings);
    settings.channel_prefix = "other".to_owned();
    let other = connect(&settings);
    let _gateway = Gateway::listening(&one, "g1").await;
    let stranger = Gateway { id: node("g1"), subscription: other.subscribe(node("g2")) };
    stranger.is_sent_until(&other, "a", Published::NoSubscriber).await;
}

#[tokio::test]
async fn ends_its_subscriptions_when_it_ends() {
    let server = RedisServer::start();
    let bus: RedisBus = connect(&server.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    drop(bus);
    gateway.becomes(false).await;
    assert_eq!(gateway.subscription.recv().await, None::<Received>);
}

#[tokio::test]
async fn follows_a_channel_to_another_node_of_the_cluster() {
    let mut cluster = RedisCluster::start();
    let bus = connect(&cluster.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    cluster.fail_over("frontdesk:g1");
    // The old master is gone for good: what arrives comes from the new one.
    cluster.master_of("frontdesk:g1").kill();
    gateway.hears_lagged().await;
    gateway.becomes(true).await;
    gateway.is_sent_until(&bus, "a", Published::Accepted).await;
    gateway.hears_batch("a").await;
}

#[tokio::test]
async fn one_node_of_a_cluster_may_be_away_while_the_others_serve() {
    let mut cluster = RedisCluster::start();
    // The cluster stays up for the slots that are served.
    cluster.allow_partial();
    let away = cluster.master_of("frontdesk:g1").port();
    let elsewhere = |n: &u32| cluster.master_of(&format!("frontdesk:g{n}")).port() != away;
    let other = (2..).find(elsewhere).expect("a third of all are elsewhere");
    let bus = connect(&cluster.settings());
    let mut first = Gateway::listening(&bus, "g1").await;
    let mut second = Gateway::listening(&bus, &format!("g{other}")).await;
    cluster.master_of("frontdesk:g1").kill();
    first.is_sent_until(&bus, "a", Published::Away).await;
    first.becomes(false).await;
    second.is_sent_until(&bus, "b", Published::Accepted).await;
    second.hears_batch("b").await;
    cluster.master_of("frontdesk:g1").start_again();
    first.becomes(true).await;
    first.is_sent_until(&bus, "c", Published::Accepted).await;
    first.hears_batch("c").await;
}

#[tokio::test]
async fn follows_the_master_that_the_sentinels_name() {
    let mut sentinels = RedisSentinels::start();
    let bus = connect(&sentinels.settings());
    let mut gateway = Gateway::listening(&bus, "g1").await;
    sentinels.first_master().kill();
    gateway.becomes(false).await;
    gateway.is_sent_until(&bus, "a", Published::Away).await;
    gateway.becomes(true).await;
    gateway.hears_lagged().await;
    gateway.is_sent_until(&bus, "b", Published::Accepted).await;
    gateway.hears_batch("b").await;
}
