//! The saga from reservation to wrap-up, and what cuts it short.

use super::world::*;
use crate::service::Running;
use frontdesk_core::conversation::{Command, Phase, Summary, TransferTarget};
use frontdesk_core::ids::OfferId;
use frontdesk_core::party::{Participant, Role};
use frontdesk_core::presence::{AgentStatus, Hold};
use frontdesk_proto::api::{ApiError, Routing};
use frontdesk_proto::v1::{OfferOutcome, server_frame::Frame};
use std::sync::Arc;

const ANN: u128 = 10;
const BOB: u128 = 11;

fn offer_of(summary: &Summary, to: u128) -> OfferId {
    match &summary.phase {
        Phase::Offered(offer) if offer.agent.agent_id() == Some(agent_id(to)) => offer.id,
        other => panic!("not on offer to {to}: {other:?}"),
    }
}

fn is_assigned(summary: &Summary, to: u128) -> bool {
    matches!(&summary.phase, Phase::Assigned { agent, .. } if agent.agent_id() == Some(agent_id(to)))
}

async fn accept(world: &World, id: u128, by: u128) -> Result<(), ApiError> {
    let offer = offer_of(&world.summary_of(id), by);
    let who = principal(Role::Agent, by);
    world.routing().accept(&who, conversation_id(id), offer).await
}

async fn decline(world: &World, id: u128, by: u128) -> Result<(), ApiError> {
    let offer = offer_of(&world.summary_of(id), by);
    let who = principal(Role::Agent, by);
    world.routing().decline(&who, conversation_id(id), offer, "lunch").await
}

/// Ann, who has that much room, is alone and on offer the first conversation.
async fn ann_is_asked(room: u32) -> (Arc<World>, Running) {
    let world = World::new();
    let routing = world.start_routing();
    world.connect(ANN, room);
    world.open(1).await;
    world.calm().await;
    (world, routing)
}

#[tokio::test(start_paused = true)]
async fn more_than_may_be_under_way_at_once_are_offered_one_after_the_other() {
    let world = World::new();
    let _routing = world.start_routing();
    for n in 1..=700 {
        world.open(n).await;
    }
    for n in 0..20 {
        world.connect(1_000 + n, 40);
    }
    world.calm().await;
    let is_offered = |summary: &Summary| matches!(summary.phase, Phase::Offered(_));
    assert!(world.summaries().iter().all(is_offered));
    let load: u32 = world.views().iter().map(|view| view.load).sum();
    assert_eq!(load, 700);
}

#[tokio::test(start_paused = true)]
async fn an_offer_is_made_taken_and_told() {
    let (world, _routing) = ann_is_asked(2).await;
    assert_eq!(world.view(ANN).load, 1);
    let told = world.told();
    assert!(matches!(&told[..], [(Some(Frame::Offer(_)), _)]), "{told:?}");

    accept(&world, 1, ANN).await.unwrap();
    world.calm().await;
    assert!(is_assigned(&world.summary_of(1), ANN));
    assert_eq!(world.view(ANN).reservations[0].hold, Hold::Active);
    let told = world.told();
    let [(Some(Frame::OfferClosed(closed)), _), (None, assigned)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(closed.outcome(), OfferOutcome::Unspecified);
    assert_eq!(assigned, conversation_id(1).as_bytes());
}

#[tokio::test(start_paused = true)]
async fn accepting_again_is_harmless_and_others_get_nothing() {
    let (world, _routing) = ann_is_asked(1).await;
    let offer = offer_of(&world.summary_of(1), ANN);
    let routing = world.routing();
    let answer = |role, id| {
        let (routing, who) = (routing.clone(), principal(role, id));
        async move { routing.accept(&who, conversation_id(1), offer).await }
    };
    assert!(matches!(answer(Role::Agent, BOB).await, Err(ApiError::NotFound(_))));
    assert!(matches!(answer(Role::Visitor, 1).await, Err(ApiError::Forbidden(_))));
    assert_eq!(answer(Role::Agent, ANN).await, Ok(()));
    assert_eq!(answer(Role::Agent, ANN).await, Ok(()));
    let mut elsewhere = principal(Role::Agent, ANN);
    elsewhere.site = "other".parse().unwrap();
    let refused = routing.accept(&elsewhere, conversation_id(1), offer).await;
    assert!(matches!(refused, Err(ApiError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn who_declines_makes_room_for_the_next() {
    let (world, _routing) = ann_is_asked(1).await;
    world.connect(BOB, 1);
    let offer = offer_of(&world.summary_of(1), ANN);
    world.told();
    decline(&world, 1, ANN).await.unwrap();
    world.calm().await;
    offer_of(&world.summary_of(1), BOB);
    assert_eq!(world.view(ANN).load, 0);
    let told = world.told();
    let Some((Some(Frame::OfferClosed(closed)), _)) = told.first() else { panic!("{told:?}") };
    assert_eq!(closed.outcome(), OfferOutcome::Declined);
    // A repetition of what was done is done.
    let who = principal(Role::Agent, ANN);
    let again = world.routing().decline(&who, conversation_id(1), offer, "").await;
    assert_eq!(again, Ok(()));
    let late = world.routing().accept(&who, conversation_id(1), offer).await;
    assert!(matches!(late, Err(ApiError::State(_))));
}

#[tokio::test(start_paused = true)]
async fn a_lone_agent_is_asked_again_but_not_at_once() {
    let (world, _routing) = ann_is_asked(1).await;
    decline(&world, 1, ANN).await.unwrap();
    world.calm().await;
    assert_eq!(world.summary_of(1).phase, Phase::Waiting);
    world.pass(4).await;
    assert_eq!(world.summary_of(1).phase, Phase::Waiting);
    world.pass(2).await;
    offer_of(&world.summary_of(1), ANN);
}

#[tokio::test(start_paused = true)]
async fn an_offer_nobody_answers_goes_to_the_next() {
    let (world, _routing) = ann_is_asked(1).await;
    let offer = offer_of(&world.summary_of(1), ANN);
    world.connect(BOB, 1);
    world.told();
    world.pass(OFFER_SECS + 1).await;
    offer_of(&world.summary_of(1), BOB);
    assert_eq!(world.view(ANN).load, 0);
    let told = world.told();
    let Some((Some(Frame::OfferClosed(closed)), _)) = told.first() else { panic!("{told:?}") };
    assert_eq!(closed.outcome(), OfferOutcome::Expired);
    let who = principal(Role::Agent, ANN);
    let late = world.routing().accept(&who, conversation_id(1), offer).await;
    assert!(matches!(late, Err(ApiError::State(_))));
}

#[tokio::test(start_paused = true)]
async fn closing_frees_the_agent_after_the_wrap_up_and_the_next_is_served() {
    let (world, _routing) = ann_is_asked(1).await;
    accept(&world, 1, ANN).await.unwrap();
    world.open(2).await;
    world.calm().await;
    assert_eq!(world.summary_of(2).phase, Phase::Waiting);
    world.client(Role::Agent, ANN, 1, Command::Close).await;
    world.calm().await;
    assert!(matches!(world.view(ANN).reservations[0].hold, Hold::WrapUp(_)));
    world.pass(WRAP_UP_SECS - 1).await;
    assert_eq!(world.summary_of(2).phase, Phase::Waiting);
    world.pass(2).await;
    offer_of(&world.summary_of(2), ANN);
}

#[tokio::test(start_paused = true)]
async fn a_visitor_who_leaves_while_on_offer_costs_no_wrap_up() {
    let (world, _routing) = ann_is_asked(1).await;
    world.told();
    world.client(Role::Visitor, 1, 1, Command::Close).await;
    world.calm().await;
    assert_eq!(world.view(ANN).load, 0);
    let told = world.told();
    let [(Some(Frame::OfferClosed(closed)), _)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(closed.outcome(), OfferOutcome::Withdrawn);
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_goes_for_good_gives_everything_back() {
    let world = World::new();
    let _routing = world.start_routing();
    world.connect(ANN, 2);
    world.open(1).await;
    world.open(2).await;
    world.calm().await;
    accept(&world, 1, ANN).await.unwrap();
    world.disconnect(ANN);
    world.pass(29).await;
    assert!(is_assigned(&world.summary_of(1), ANN));
    world.connect(BOB, 2);
    world.pass(2).await;
    world.calm().await;
    offer_of(&world.summary_of(1), BOB);
    offer_of(&world.summary_of(2), BOB);
    assert_eq!(world.view(ANN).load, 0);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_goes_to_the_agent_named() {
    let (world, _routing) = ann_is_asked(2).await;
    accept(&world, 1, ANN).await.unwrap();
    world.connect(BOB, 2);
    let target = TransferTarget::Agent(Participant::agent(agent_id(BOB), ""));
    let hand_on = Command::Transfer { target, note: Arc::from(""), warm: false };
    world.client(Role::Agent, ANN, 1, hand_on).await;
    world.calm().await;
    offer_of(&world.summary_of(1), BOB);
    assert_eq!(world.view(ANN).load, 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_more_than_there_is_room() {
    let world = World::new();
    let _routing = world.start_routing();
    for id in 1..=10 {
        world.open(id).await;
    }
    world.connect(ANN, 3);
    world.connect(BOB, 2);
    world.calm().await;
    assert_eq!((world.view(ANN).load, world.view(BOB).load), (3, 2));
    // The first five by arrival.
    for id in 1..=10 {
        let offered = matches!(world.summary_of(id).phase, Phase::Offered(_));
        assert_eq!(offered, id <= 5, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_heard_of_is_found() {
    let world = World::new();
    let _routing = world.start_routing();
    world.connect(ANN, 1);
    world.calm().await;
    world.set_deaf(true);
    world.open(1).await;
    world.calm().await;
    accept(&world, 1, ANN).await.unwrap();
    world.client(Role::Visitor, 1, 1, Command::Close).await;
    world.calm().await;
    assert_eq!(world.view(ANN).reservations[0].hold, Hold::Active);
    world.pass(11).await;
    assert!(matches!(world.view(ANN).reservations[0].hold, Hold::WrapUp(_)));
}

#[tokio::test(start_paused = true)]
async fn an_offer_outlives_a_restart_and_is_told_again() {
    let (world, routing) = ann_is_asked(1).await;
    routing.stop().await;
    world.told();
    let _routing = world.start_routing();
    world.pass(1).await;
    assert!(matches!(&world.told()[..], [(Some(Frame::Offer(_)), _)]));
    world.pass(OFFER_SECS).await;
    assert_eq!(world.summary_of(1).phase, Phase::Waiting);
    assert_eq!(world.view(ANN).load, 0);
}

#[tokio::test(start_paused = true)]
async fn a_busy_agent_keeps_what_it_has_and_gets_no_more() {
    let (world, _routing) = ann_is_asked(2).await;
    accept(&world, 1, ANN).await.unwrap();
    world.set_agent_status(ANN, AgentStatus::Busy);
    world.open(2).await;
    world.pass(60).await;
    assert!(is_assigned(&world.summary_of(1), ANN));
    assert_eq!(world.summary_of(2).phase, Phase::Waiting);
}

#[tokio::test(start_paused = true)]
async fn room_that_was_lost_is_taken_again() {
    let (world, _routing) = ann_is_asked(1).await;
    accept(&world, 1, ANN).await.unwrap();
    world.lose_room(ANN, 1);
    // Nobody else gets it meanwhile.
    world.open(2).await;
    world.pass(11).await;
    assert!(is_assigned(&world.summary_of(1), ANN));
    let view = world.view(ANN);
    assert_eq!((view.load, view.reservations[0].conversation), (1, conversation_id(1)));
    assert_eq!(view.reservations[0].hold, Hold::Active);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_for_which_there_is_no_room_left_waits_again() {
    let world = World::new();
    let _routing = world.start_routing();
    world.connect(ANN, 2);
    world.open(1).await;
    world.open(2).await;
    world.calm().await;
    accept(&world, 1, ANN).await.unwrap();
    accept(&world, 2, ANN).await.unwrap();
    world.connect(ANN, 1);
    world.lose_room(ANN, 1);
    world.pass(11).await;
    assert_eq!(world.summary_of(1).phase, Phase::Waiting);
    assert!(is_assigned(&world.summary_of(2), ANN));
}
