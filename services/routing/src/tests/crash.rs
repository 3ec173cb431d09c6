//! Routing dies between any two steps, before or after the step took effect;
//! the next one finishes or undoes what it left.

use super::world::*;
use frontdesk_core::conversation::{Command, Phase, Summary, TransferTarget};
use frontdesk_core::party::Role;
use frontdesk_core::presence::{AgentStatus, Hold};
use frontdesk_proto::api::Routing;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const AGENTS: [u128; 2] = [10, 11];
const CAPACITY: u32 = 2;

/// Something from outside.
#[derive(Debug, Clone)]
enum Deed {
    Open(u128),
    Accept(u128),
    Decline(u128),
    VisitorCloses(u128),
    AgentCloses(u128),
    HandsOn(u128),
    /// By the agent as a supervisor.
    TakesOver(u128, usize),
    PutBack(u128),
    Leaves(usize),
    Returns(usize),
    Pass(u64),
    /// Routing may take this many half-steps more, then it dies.
    Fuse(usize),
    Restart,
}

fn deeds() -> impl Strategy<Value = Deed> {
    let which = || 1..5u128;
    prop_oneof![
        4 => which().prop_map(Deed::Open),
        5 => which().prop_map(Deed::Accept),
        1 => which().prop_map(Deed::Decline),
        1 => which().prop_map(Deed::VisitorCloses),
        1 => which().prop_map(Deed::AgentCloses),
        1 => which().prop_map(Deed::HandsOn),
        2 => (which(), 0..2usize).prop_map(|(id, by)| Deed::TakesOver(id, by)),
        1 => which().prop_map(Deed::PutBack),
        1 => (0..2usize).prop_map(Deed::Leaves),
        1 => (0..2usize).prop_map(Deed::Returns),
        2 => prop_oneof![Just(1), Just(7), Just(25), Just(40)].prop_map(Deed::Pass),
        2 => (0..12usize).prop_map(Deed::Fuse),
        2 => Just(Deed::Restart),
    ]
}

/// An agent answers, and waits no longer than a person would for a dead server.
async fn answer(world: &Arc<World>, id: u128, accepts: bool) {
    let Some(summary) = world.summaries().into_iter().find(|s| s.id == conversation_id(id)) else {
        return;
    };
    let Phase::Offered(offer) = &summary.phase else {
        return;
    };
    let who = principal(Role::Agent, offer.agent.id.as_u128());
    let routing = world.routing();
    let answered = async {
        if accepts {
            routing.accept(&who, summary.id, offer.id).await
        } else {
            routing.decline(&who, summary.id, offer.id, "").await
        }
    };
    let _ = timeout(Duration::from_secs(1), answered).await;
}

async fn takes_over(world: &Arc<World>, id: u128, by: u128) {
    let (routing, who) = (world.routing(), principal(Role::Supervisor, by));
    let taken = routing.take_over(&who, conversation_id(id));
    let _ = timeout(Duration::from_secs(1), taken).await;
}

async fn put_back(world: &World, id: u128) {
    let open = |s: &Summary| !matches!(s.phase, Phase::Closed { .. });
    if world.summaries().iter().any(|s| s.id == conversation_id(id) && open(s)) {
        let command = Command::ForceRelease { agent: None };
        world.client(Role::Supervisor, 12, id, command).await;
    }
}

async fn visitor_closes(world: &World, id: u128) {
    if world.summaries().iter().any(|s| s.id == conversation_id(id)) {
        world.client(Role::Visitor, id, id, Command::Close).await;
    }
}

/// The agent who has the conversation does something with it.
async fn its_agent_does(world: &World, id: u128, command: Command) {
    let found = world.summaries().into_iter().find(|s| s.id == conversation_id(id));
    if let Some(Phase::Assigned { agent, .. }) = found.map(|s| s.phase) {
        world.client(Role::Agent, agent.id.as_u128(), id, command).await;
    }
}

async fn play(story: &[Deed]) {
    let world = World::new();
    let mut routing = world.start_routing();
    AGENTS.iter().for_each(|id| world.connect(*id, CAPACITY));
    let mut opened = Vec::new();
    for deed in story {
        match deed {
            Deed::Open(id) if !opened.contains(id) => {
                opened.push(*id);
                world.open(*id).await;
            }
            Deed::Open(_) => {}
            Deed::Accept(id) => answer(&world, *id, true).await,
            Deed::Decline(id) => answer(&world, *id, false).await,
            Deed::VisitorCloses(id) => visitor_closes(&world, *id).await,
            Deed::AgentCloses(id) => its_agent_does(&world, *id, Command::Close).await,
            Deed::HandsOn(id) => {
                let target = TransferTarget::Queue(sales());
                let hand_on = Command::Transfer { target, note: "".into(), warm: false };
                its_agent_does(&world, *id, hand_on).await;
            }
            Deed::TakesOver(id, by) => takes_over(&world, *id, AGENTS[*by]).await,
            Deed::PutBack(id) => put_back(&world, *id).await,
            Deed::Leaves(which) => world.disconnect(AGENTS[*which]),
            Deed::Returns(which) => world.connect(AGENTS[*which], CAPACITY),
            Deed::Pass(secs) => world.pass(*secs).await,
            Deed::Fuse(left) => world.set_fuse(Some(*left)),
            Deed::Restart => {
                drop(routing);
                world.set_fuse(None);
                routing = world.start_routing();
            }
        }
        world.calm().await;
        nobody_carries_too_much(&world);
    }
    // Everything heals: the agents are there, routing lives, time passes.
    drop(routing);
    world.set_fuse(None);
    AGENTS.iter().for_each(|id| world.connect(*id, CAPACITY));
    let _routing = world.start_routing();
    world.pass(120).await;
    nobody_carries_too_much(&world);
    both_sides_agree(&world);
    nobody_is_forgotten(&world);
}

/// P6, at any moment: not more conversations than the capacity, nor more room
/// taken. That a conversation has one agent is its own machine's law.
fn nobody_carries_too_much(world: &World) {
    let mut has: HashMap<_, u32> = HashMap::new();
    for summary in world.summaries() {
        if let Phase::Assigned { agent, .. } = &summary.phase {
            *has.entry(agent.agent_id()).or_default() += 1;
        }
    }
    assert!(has.values().all(|n| *n <= CAPACITY), "{has:?}");
    assert!(world.views().iter().all(|view| view.load <= CAPACITY));
}

/// Room is held for exactly the conversations that name the agent.
fn both_sides_agree(world: &World) {
    let summaries = world.summaries();
    for view in world.views() {
        for reservation in view.reservations.iter() {
            if matches!(reservation.hold, Hold::WrapUp(_)) {
                continue;
            }
            let summary = summaries.iter().find(|s| s.id == reservation.conversation).unwrap();
            assert_eq!(summary.holder(), Some(view.id), "{reservation:?}");
        }
        for summary in &summaries {
            if matches!(summary.phase, Phase::Assigned { .. }) && summary.holder() == Some(view.id)
            {
                let mut held = view.reservations.iter();
                assert!(held.any(|r| r.conversation == summary.id && r.hold == Hold::Active));
            }
        }
    }
}

/// While an agent has room, nobody waits longer than an offer, its margin and
/// the pause take.
fn nobody_is_forgotten(world: &World) {
    let room = world.views().iter().any(|v| v.status == AgentStatus::Online && v.free() > 0);
    for summary in world.summaries() {
        let refused = !summary.excluded.is_empty();
        assert!(
            !room || refused || summary.phase != Phase::Waiting,
            "waits though there is room: {summary:?}"
        );
    }
}

fn run(story: &[Deed]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(play(story));
}

/// The way through every saga, dying after each number of half-steps.
#[test]
fn it_may_die_at_every_point_of_the_flow() {
    for fuse in 0..24 {
        for rest in [
            vec![Deed::Accept(1), Deed::AgentCloses(1)],
            vec![Deed::Accept(1), Deed::VisitorCloses(1)],
            vec![Deed::Decline(1), Deed::Accept(1)],
            vec![Deed::Pass(25), Deed::Accept(1)],
            vec![Deed::Accept(1), Deed::TakesOver(1, 0), Deed::TakesOver(1, 1)],
            vec![Deed::TakesOver(1, 1), Deed::PutBack(1)],
            vec![Deed::Accept(1), Deed::Leaves(0), Deed::Leaves(1), Deed::Pass(40)],
        ] {
            let mut story = vec![Deed::Fuse(fuse), Deed::Open(1)];
            story.extend(rest);
            story.extend([Deed::Restart, Deed::Pass(12), Deed::Accept(1)]);
            run(&story);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_happens_both_sides_agree_in_the_end(story in prop::collection::vec(deeds(), 1..40)) {
        run(&story);
    }
}
