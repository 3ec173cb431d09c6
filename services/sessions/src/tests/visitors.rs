//! What the owner knows of its visitors' connections, and what rests on it.

use crate::testing::{World, agent, conversation, gateway, settle, start, visitor};
use frontdesk_core::conversation::{Alarm, AlarmAction, AlarmKind, Command, Phase, VisitorSeen};
use frontdesk_core::ids::{ConversationId, NodeId, Seq};
use frontdesk_core::party::Origin;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Attach, Sessions as _};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// In seconds since the test began; `None` while the visitor is here.
async fn away_since(world: &World, id: ConversationId) -> Option<u64> {
    let summary = world.sessions.summary(id, None).await.unwrap();
    match summary.watch.visitor.expect("the owner knows") {
        VisitorSeen::Here => None,
        VisitorSeen::Away { since } => Some(since.as_millis() / 1_000 - 1_700_000_000),
    }
}

fn other() -> NodeId {
    "gateway-2".parse().unwrap()
}

async fn attach_at(world: &World, id: ConversationId, gateway: NodeId) {
    let who = visitor(1);
    let request = Attach { conversation: id, who, gateway, cursor: Seq::ZERO };
    world.sessions.attach(request).await.unwrap();
}

fn lost(since: u64) -> Command {
    Command::Alarm(Alarm {
        kind: AlarmKind::VisitorLost,
        queue: "sales".parse().unwrap(),
        after: Millis::from_secs(60),
        since: Timestamp::from_millis((1_700_000_000 + since) * 1_000),
        actions: vec![AlarmAction::Close],
    })
}

#[tokio::test(start_paused = true)]
async fn a_visitor_is_here_while_it_is_at_any_gateway() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    assert_eq!(away_since(&world, id).await, Some(0), "never seen");
    attach_at(&world, id, gateway()).await;
    attach_at(&world, id, other()).await;
    world.attach(id, &agent(7), 0).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    world.sessions.visitor_left(&gateway(), id).await;
    assert_eq!(away_since(&world, id).await, None, "on another device");
    sleep(Duration::from_secs(10)).await;
    world.sessions.detach(&other(), id).await;
    assert_eq!(away_since(&world, id).await, Some(20));
    // The agent there goes on hearing.
    world.say(id, &visitor(1), "m1").await;
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
    attach_at(&world, id, gateway()).await;
    assert_eq!(away_since(&world, id).await, None, "back again");
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_no_visitor_and_clients_are_not_told() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    world.attach(id, &agent(7), 0).await.unwrap();
    assert_eq!(away_since(&world, id).await, Some(0));
    let told = world.sessions.summary(id, Some(&visitor(1))).await.unwrap();
    assert_eq!(told.watch.visitor, None);
}

#[tokio::test(start_paused = true)]
async fn absence_goes_on_out_of_memory_and_begins_with_a_gateways_end() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    attach_at(&world, id, gateway()).await;
    sleep(Duration::from_secs(300)).await;
    assert_eq!(away_since(&world, id).await, None);
    sleep(Duration::from_secs(300)).await;
    world.sessions.detach(&gateway(), id).await;
    sleep(Duration::from_secs(300)).await;
    assert_eq!(away_since(&world, id).await, Some(600));
    attach_at(&world, id, gateway()).await;
    world.sessions.forget_gateways(BTreeSet::from([gateway()]));
    sleep(Duration::from_secs(2)).await;
    let since = away_since(&world, id).await.expect("its gateway is no more");
    assert!((900..=902).contains(&since), "{since}");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_counts_from_its_claim() {
    let before = World::new().await;
    let id = before.assigned(1).await;
    attach_at(&before, id, gateway()).await;
    before.sessions.stop().await;
    sleep(Duration::from_secs(100)).await;
    let world = World::on(before.journal.clone(), crate::Settings::default(), 2).await;
    // The clock of the second world begins anew.
    sleep(Duration::from_secs(30)).await;
    assert_eq!(away_since(&world, id).await, Some(0));
    attach_at(&world, id, gateway()).await;
    assert_eq!(away_since(&world, id).await, None);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_lost_who_is_here() {
    let world = World::new().await;
    let id = conversation(1);
    world.submit(id, &visitor(1), start()).await.unwrap();
    attach_at(&world, id, gateway()).await;
    sleep(Duration::from_secs(100)).await;
    let refused = world.submit(id, Origin::System, lost(20)).await;
    assert!(matches!(refused, Err(ApiError::State(_))), "{refused:?}");
    world.sessions.detach(&gateway(), id).await;
    sleep(Duration::from_secs(100)).await;
    world.submit(id, Origin::System, lost(100)).await.unwrap();
    let closed = world.sessions.summary(id, None).await.unwrap();
    assert!(matches!(closed.phase, Phase::Closed { .. }));
}
