//! A supervisor takes over, puts back, and guests come and go.

use super::world::*;
use frontdesk_core::conversation::{Command, Phase, QueuedReason, Summary};
use frontdesk_core::party::{Participant, Role};
use frontdesk_core::presence::{AgentStatus, Hold};
use frontdesk_proto::api::{ApiError, Routing};
use frontdesk_proto::v1::{OfferOutcome, ServerFrame, server_frame::Frame};
use prost::Message as _;
use std::sync::Arc;

const ANN: u128 = 10;
const SUE: u128 = 12;

fn is_assigned(summary: &Summary, to: u128) -> bool {
    matches!(&summary.phase, Phase::Assigned { agent, .. } if agent.agent_id() == Some(agent_id(to)))
}

async fn take_over(world: &World, role: Role, id: u128) -> Result<(), ApiError> {
    let taken = world.routing().take_over(&principal(role, SUE), conversation_id(id)).await;
    world.calm().await;
    taken
}

/// Ann has conversation 1; Sue is there and wants no offers of her own.
async fn with_ann() -> (Arc<World>, crate::service::Running) {
    let world = World::new();
    let routing = world.start_routing();
    world.connect(ANN, 1);
    world.open(1).await;
    world.calm().await;
    let Phase::Offered(offer) = world.summary_of(1).phase else { panic!("nothing is offered") };
    let ann = principal(Role::Agent, ANN);
    world.routing().accept(&ann, conversation_id(1), offer.id).await.unwrap();
    world.connect(SUE, 1);
    world.calm().await;
    world.told();
    (world, routing)
}

#[tokio::test(start_paused = true)]
async fn the_room_changes_hands_with_the_conversation() {
    let (world, _routing) = with_ann().await;
    take_over(&world, Role::Supervisor, 1).await.unwrap();
    assert!(is_assigned(&world.summary_of(1), SUE));
    assert_eq!(world.view(SUE).reservations[0].hold, Hold::Active);
    assert!(matches!(world.view(ANN).reservations[0].hold, Hold::WrapUp(_)), "she writes it up");
    let told = world.told();
    let [(None, assigned)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(assigned, conversation_id(1).as_bytes(), "her connections follow it");
    assert_eq!(take_over(&world, Role::Supervisor, 1).await, Ok(()));
    world.pass(WRAP_UP_SECS + 15).await;
    assert_eq!((world.view(ANN).load, world.view(SUE).load), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_to_the_supervisor_itself_is_taken_as_well() {
    let world = World::new();
    let _routing = world.start_routing();
    world.connect(SUE, 1);
    world.open(1).await;
    world.calm().await;
    assert_eq!(world.view(SUE).load, 1);
    take_over(&world, Role::Supervisor, 1).await.unwrap();
    assert!(is_assigned(&world.summary_of(1), SUE));
    world.pass(40).await;
    assert_eq!(world.view(SUE).reservations[0].hold, Hold::Active, "and the room stays hers");
}

#[tokio::test(start_paused = true)]
async fn what_is_on_offer_is_withdrawn_and_what_waits_is_taken() {
    let world = World::new();
    let _routing = world.start_routing();
    world.connect(ANN, 1);
    world.open(1).await;
    world.open(2).await;
    world.calm().await;
    world.told();
    let offered = (1..=2).find(|id| matches!(world.summary_of(*id).phase, Phase::Offered(_)));
    let (offered, waiting) = if offered == Some(1) { (1, 2) } else { (2, 1) };
    world.connect(SUE, 2);
    world.set_agent_status(ANN, AgentStatus::Busy);
    take_over(&world, Role::Supervisor, offered).await.unwrap();
    assert!(is_assigned(&world.summary_of(offered), SUE));
    let closed = world.told().into_iter().find_map(|(frame, _)| match frame {
        Some(Frame::OfferClosed(closed)) => Some(closed.outcome()),
        _ => None,
    });
    assert_eq!(closed, Some(OfferOutcome::Withdrawn));
    assert_eq!(world.view(ANN).load, 0, "who was only asked is free at once");
    take_over(&world, Role::Supervisor, waiting).await.unwrap();
    assert!(is_assigned(&world.summary_of(waiting), SUE));
    assert_eq!(world.view(SUE).load, 2);
}

#[tokio::test(start_paused = true)]
async fn without_room_or_right_nothing_changes() {
    let (world, _routing) = with_ann().await;
    let by_agent = take_over(&world, Role::Agent, 1).await;
    assert!(matches!(by_agent, Err(ApiError::Forbidden(_))));
    let mut elsewhere = principal(Role::Supervisor, SUE);
    elsewhere.site = "other".parse().unwrap();
    let refused = world.routing().take_over(&elsewhere, conversation_id(1)).await;
    assert!(matches!(refused, Err(ApiError::NotFound(_))));
    world.set_agent_status(SUE, AgentStatus::Away);
    let away = take_over(&world, Role::Supervisor, 1).await.unwrap_err();
    assert!(matches!(&away, ApiError::State(why) if why.contains("online")), "{away:?}");
    world.set_agent_status(SUE, AgentStatus::Online);
    world.open(2).await;
    world.calm().await;
    assert_eq!(world.view(SUE).load, 1, "she is asked herself");
    let full = take_over(&world, Role::Supervisor, 1).await.unwrap_err();
    assert!(matches!(&full, ApiError::State(why) if why.contains("room")), "{full:?}");
    assert!(is_assigned(&world.summary_of(1), ANN));
    assert_eq!(world.view(ANN).reservations[0].hold, Hold::Active);
    world.client(Role::Visitor, 1, 1, Command::Close).await;
    let closed = take_over(&world, Role::Supervisor, 1).await;
    assert!(matches!(closed, Err(ApiError::State(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_back_frees_the_room_and_is_offered_to_another() {
    let (world, _routing) = with_ann().await;
    world.client(Role::Supervisor, SUE, 1, Command::ForceRelease { agent: None }).await;
    world.calm().await;
    let summary = world.summary_of(1);
    assert_eq!(summary.arrival.map(|a| a.reason), Some(QueuedReason::Released));
    assert_eq!(summary.holder(), Some(agent_id(SUE)), "not Ann, who had it");
    assert_eq!(world.view(ANN).load, 0);
}

#[tokio::test(start_paused = true)]
async fn a_guest_takes_no_room_and_leaves_when_it_is_gone() {
    let (world, _routing) = with_ann().await;
    let whom = Participant::agent(agent_id(SUE), "");
    let invite = Command::Invite { agent: whom, note: "".into() };
    world.client(Role::Agent, ANN, 1, invite).await;
    world.calm().await;
    let asked = world.routing().asked_in(&site(), agent_id(SUE)).await;
    assert_eq!(asked, Ok(vec![conversation_id(1)]));
    world.client(Role::Agent, SUE, 1, Command::Join).await;
    world.calm().await;
    assert_eq!(world.routing().asked_in(&site(), agent_id(SUE)).await, Ok(vec![]));
    assert_eq!(world.summary_of(1).guests.len(), 1);
    assert_eq!(world.view(SUE).load, 0);
    let routing = world.routing();
    let guest_in = |site, agent| {
        let routing = routing.clone();
        async move { routing.guest_in(&site, agent_id(agent)).await }
    };
    assert_eq!(guest_in(site(), SUE).await, Ok(vec![conversation_id(1)]));
    assert_eq!(guest_in(site(), ANN).await, Ok(vec![]));
    assert_eq!(guest_in("other".parse().unwrap(), SUE).await, Ok(vec![]));
    world.disconnect(SUE);
    world.pass(40).await;
    assert!(world.summary_of(1).guests.is_empty(), "nobody waits for an answer of hers");
    assert_eq!(guest_in(site(), SUE).await, Ok(vec![]));
    assert!(is_assigned(&world.summary_of(1), ANN));
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_went_while_nobody_looked_leaves_at_the_next_comparison() {
    let (world, running) = with_ann().await;
    let whom = Participant::agent(agent_id(SUE), "");
    let invite = Command::Invite { agent: whom, note: "".into() };
    world.client(Role::Agent, ANN, 1, invite).await;
    world.client(Role::Agent, SUE, 1, Command::Join).await;
    world.calm().await;
    // As when it dies: dropped, its task is cut off wherever it is.
    drop(running);
    world.disconnect(SUE);
    world.pass(40).await;
    assert_eq!(world.summary_of(1).guests.len(), 1, "nobody is there to notice");
    let _running = world.start_routing();
    world.calm().await;
    assert!(world.summary_of(1).guests.is_empty());
    assert!(is_assigned(&world.summary_of(1), ANN));
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_told_what_a_gateway_asks_for() {
    let (world, _routing) = with_ann().await;
    let frame = Frame::Mention(frontdesk_proto::v1::MentionPush { seq: 7, ..Default::default() });
    let encoded = ServerFrame { id: 0, frame: Some(frame) }.encode_to_vec();
    world.routing().tell(&site(), agent_id(ANN), encoded).await.unwrap();
    world.calm().await;
    let told = world.told();
    assert!(matches!(&told[..], [(Some(Frame::Mention(m)), _)] if m.seq == 7), "{told:?}");
}
