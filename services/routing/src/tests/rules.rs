//! What a queue's rules make of offers: accepted in the agent's name, counted, limited.

use super::world::*;
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::OfferId;
use frontdesk_core::matching::{Acceptance, LanguageRule, Rules};
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::presence::{AgentProfile, AgentStatus, Hold};
use frontdesk_proto::api::{Routing, SiteConfig};
use std::sync::Arc;

const ANN: u128 = 10;
const BOB: u128 = 11;

fn rules(rules: Rules) -> impl FnOnce(&mut SiteConfig) {
    move |config| config.queues[0].rules = Arc::new(rules)
}

fn agent(id: u128) -> Principal {
    principal(Role::Agent, id)
}

fn offered(summary: &Summary) -> Option<OfferId> {
    match &summary.phase {
        Phase::Offered(offer) => Some(offer.id),
        _ => None,
    }
}

fn has(summary: &Summary, id: u128) -> bool {
    matches!(&summary.phase, Phase::Assigned { agent, .. } if agent.agent_id() == Some(agent_id(id)))
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_by_itself_is_the_agents_at_once() {
    let auto = Rules { acceptance: Acceptance::Auto, ..Rules::default() };
    let world = World::with(rules(auto));
    let _routing = world.start_routing();
    world.connect(ANN, 1);
    world.open(1).await;
    world.open(2).await;
    world.calm().await;
    assert!(has(&world.summary_of(1), ANN));
    assert_eq!(world.view(ANN).reservations[0].hold, Hold::Active);
    assert_eq!(world.summary_of(2).phase, Phase::Waiting, "no more than there is room for");
    let told = world.told();
    let assigned = |told: &(_, Vec<u8>)| told.1 == conversation_id(1).as_bytes();
    assert!(told.iter().any(assigned), "its connections follow it: {told:?}");
}

/// Routing looks at no more of a queue than there is room for, unless that is not enough.
#[tokio::test(start_paused = true)]
async fn many_whom_nobody_can_take_now_hide_nobody_behind_them() {
    let language = Some(LanguageRule { relax_after: None });
    let world = World::with(rules(Rules { language, ..Rules::default() }));
    let _routing = world.start_routing();
    let languages = vec!["de".parse().unwrap()];
    let german = AgentProfile { languages, capacity: 1, ..AgentProfile::default() };
    world.connect_as(BOB, german);
    world.set_agent_status(BOB, AgentStatus::Busy);
    for n in 1..=100 {
        world.open_in(n, "de").await;
    }
    world.open(101).await;
    world.connect(ANN, 1);
    world.calm().await;
    let asked: Vec<u128> = (1..=101).filter(|n| offered(&world.summary_of(*n)).is_some()).collect();
    assert_eq!(asked, [101]);
    world.set_agent_status(BOB, AgentStatus::Online);
    world.calm().await;
    assert!(offered(&world.summary_of(1)).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_misses_offers_in_a_row_is_away_and_the_others_get_them() {
    let world = World::with(|config| config.away_after_missed = Some(2));
    let _routing = world.start_routing();
    world.connect(ANN, 1);
    world.open(1).await;
    world.calm().await;
    world.pass(OFFER_SECS + 1).await;
    assert_eq!((world.view(ANN).missed, world.view(ANN).load), (1, 0));
    // Asked once more, as the only one there is.
    world.pass(6).await;
    assert!(offered(&world.summary_of(1)).is_some());
    world.pass(OFFER_SECS + 1).await;
    let view = world.view(ANN);
    assert_eq!((view.status, &*view.reason), (AgentStatus::Away, "missed 2 offers in a row"));
    world.pass(60).await;
    assert_eq!(world.summary_of(1).phase, Phase::Waiting, "nobody is there to be asked");
    world.connect(BOB, 1);
    world.calm().await;
    let offer = offered(&world.summary_of(1)).unwrap();
    world.routing().accept(&agent(BOB), conversation_id(1), offer).await.unwrap();
    // Back at the desk it starts anew.
    world.set_agent_status(ANN, AgentStatus::Online);
    assert_eq!(world.view(ANN).missed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_any_kind_is_no_missed_offer() {
    let world = World::with(|config| config.away_after_missed = Some(1));
    let _routing = world.start_routing();
    world.connect(ANN, 2);
    world.open(1).await;
    world.calm().await;
    let offer = offered(&world.summary_of(1)).unwrap();
    world.routing().decline(&agent(ANN), conversation_id(1), offer, "lunch").await.unwrap();
    world.calm().await;
    assert_eq!((world.view(ANN).missed, world.view(ANN).status), (0, AgentStatus::Online));
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_asked_for_no_more_of_a_queue_than_it_may_have() {
    let world = World::with(rules(Rules { max_per_agent: Some(1), ..Rules::default() }));
    let _routing = world.start_routing();
    world.connect(ANN, 5);
    for id in 1..=3 {
        world.open(id).await;
    }
    world.calm().await;
    world.pass(5).await;
    assert_eq!(world.view(ANN).load, 1);
    assert!(world.view(ANN).reservations[0].claim.is_some());
    world.connect(BOB, 5);
    world.calm().await;
    assert_eq!((world.view(ANN).load, world.view(BOB).load), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_queue_gives_agents_no_more_than_it_may() {
    let world = World::with(rules(Rules { max_active: Some(2), ..Rules::default() }));
    let _routing = world.start_routing();
    world.connect(ANN, 5);
    world.connect(BOB, 5);
    for id in 1..=4 {
        world.open(id).await;
    }
    world.calm().await;
    world.pass(5).await;
    let asked = (1..=4).filter(|id| offered(&world.summary_of(*id)).is_some()).count();
    assert_eq!(asked, 2);
}

/// A round ends after so many; what is left is decided in the next, at once.
#[tokio::test(start_paused = true)]
async fn more_than_one_round_can_take_are_all_asked() {
    let world = World::new();
    let _routing = world.start_routing();
    for id in 1..=300 {
        world.open(id).await;
    }
    for id in 0..4 {
        world.connect(1_000 + id, 80);
    }
    world.calm().await;
    world.pass(1).await;
    let asked = (1..=300).filter(|id| offered(&world.summary_of(*id)).is_some()).count();
    // Of one queue the first 256 are looked at; those who have been asked make room.
    assert_eq!(asked, 300);
}
