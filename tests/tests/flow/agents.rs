//! Agents who are full, and agents who go away.

use crate::place;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{AgentStatus, QueuedReason};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::Wire;
use std::time::Duration;

/// An agent keeps its chats for 30 s without a connection; the rest is slack.
const GRACE_AND_MORE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_never_carries_more_than_its_capacity() {
    let server = Server::start().await;
    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    let capacity = agent.status(AgentStatus::Online).await.capacity;
    let mut visitors = Vec::new();
    for n in 0..capacity + 2 {
        let mut visitor = Wire::visitor(&server, Carrier::ALL[n as usize % 3]).await;
        let id = visitor.start(&format!("visitor {n}")).await.conversation_id;
        visitors.push((visitor, id));
    }
    let (served, waiting) = visitors.split_at_mut(capacity as usize);
    for (_, id) in served.iter() {
        agent.take(id).await;
    }
    for (position, (visitor, id)) in (1..).zip(waiting.iter_mut()) {
        place(visitor, id, position).await;
    }
    let offered: Vec<_> = agent.backlog().filter(|f| matches!(f, Frame::Offer(_))).collect();
    assert!(offered.is_empty(), "more than capacity was offered: {offered:?}");

    // A freed slot serves the next one, and only that one.
    agent.close(&served[0].1).await;
    agent.take(&waiting[0].1).await;
    let (last, id) = &mut waiting[1];
    place(last, id, 1).await;
    for state in agent.backlog() {
        if let Frame::AgentState(state) = state {
            assert!(state.load <= state.capacity, "overloaded: {state:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_agents_conversation_returns_to_its_old_place() {
    let server = Plan::default().extra_agents(1).start().await;
    let mut first = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let first_id = first.start("I came first").await.conversation_id;
    let mut alex = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;
    alex.take(&first_id).await;
    alex.status(AgentStatus::Busy).await;
    let mut second = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let second_id = second.start("I came second").await.conversation_id;
    place(&mut second, &second_id, 1).await;

    drop(alex);
    first.patience(GRACE_AND_MORE);
    let lost = first.event("the agent is given up", |e| match &e.body {
        Some(Body::Queued(queued)) => queued.reason() == QueuedReason::AgentLost,
        _ => false,
    });
    lost.await;
    place(&mut first, &first_id, 1).await;
    place(&mut second, &second_id, 2).await;

    let mut bea = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(1)).await;
    bea.status(AgentStatus::Online).await;
    bea.take(&first_id).await;
    bea.take(&second_id).await;
    bea.say(&first_id, "Sorry for the wait.").await;
    first.hear("Sorry for the wait.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_comes_back_in_time_keeps_its_conversations() {
    let server = Server::start().await;
    let token = server.sign_in(&server.agent(0)).await.token;
    let (mut alex, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    alex.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    alex.take(&id).await;
    alex.hear("Hello").await;
    let cursor = alex.cursor(&id);
    drop(alex);
    visitor.say(&id, "Are you there?").await;

    let (mut alex, welcome) = Wire::resume(&server, Carrier::Grpc, &token, vec![cursor]).await;
    let state = welcome.agent_state.expect("an agent is told its state");
    assert_eq!((state.status(), state.load), (AgentStatus::Online, 1));
    assert_eq!(welcome.resumed.len(), 1);
    alex.hear("Are you there?").await;
    alex.say(&id, "I am.").await;
    visitor.hear("I am.").await;
}
