//! What is written down of whom, and what happens when it cannot be.

use crate::testing::{TestClient, World, agent_id, supervisor_id};
use frontdesk_core::audit::{Act, AuditEntry};
use frontdesk_core::party::Role;
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::{
    self, ErrorCode, ListAuditRequest, client_frame::Request, server_frame::Frame,
};
use std::sync::atomic::Ordering;
use tonic::transport::Channel;

async fn start(world: &World) -> (TestClient, String) {
    let (mut visitor, _) = TestClient::hello(world, false, world.visitor(), vec![]).await;
    match visitor.ask(Request::Start(v1::StartConversation::default())).await {
        Frame::Conversation(state) => (visitor, state.conversation_id),
        other => panic!("not started: {other:?}"),
    }
}

fn subscribe(id: &str) -> Request {
    let cursor = Some(v1::Cursor { conversation_id: id.into(), seq: 0 });
    Request::Subscribe(v1::Subscribe { cursor })
}

fn history(id: &str) -> Request {
    Request::GetHistory(v1::GetHistory { conversation_id: id.into(), ..v1::GetHistory::default() })
}

fn acts(log: &[AuditEntry]) -> Vec<(Act, &str)> {
    log.iter().map(|entry| (entry.act.clone(), entry.subject.as_str())).collect()
}

async fn admin(world: &World) -> AdminServiceClient<Channel> {
    let address = format!("http://{}", world.gateway.local_addr());
    AdminServiceClient::connect(address).await.unwrap()
}

fn by<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn a_supervisor_who_watches_is_written_down_once() {
    let world = World::start().await;
    let (_visitor, id) = start(&world).await;
    let (mut supervisor, _) = TestClient::hello(&world, false, world.supervisor(), vec![]).await;
    for request in [subscribe(&id), subscribe(&id), history(&id), history(&id)] {
        let answer = supervisor.ask(request).await;
        assert!(matches!(answer, Frame::Conversation(_) | Frame::History(_)), "{answer:?}");
    }
    let log = world.desk.log();
    assert_eq!(acts(&log), [(Act::WATCH, &*id), (Act::READ, &*id)]);
    let entry = &log[0];
    assert_eq!((entry.by.id, entry.by.role), (supervisor_id(), Role::Supervisor));
    assert_eq!(&*entry.by.origin, "127.0.0.1");
    assert_eq!(entry.details, r#"{"agent":null,"queue":"sales"}"#);

    // Another connection, which goes on where this one was, is another look.
    let resume = vec![v1::Cursor { conversation_id: id.clone(), seq: 0 }];
    let (_again, welcome) = TestClient::hello(&world, true, world.supervisor(), resume).await;
    assert_eq!(welcome.resumed.len(), 1);
    assert_eq!(world.desk.log().len(), 3);
}

#[tokio::test]
async fn of_agents_and_visitors_nothing_is_written_down() {
    let world = World::start().await;
    let (mut visitor, id) = start(&world).await;
    let (mut agent, _) = TestClient::hello(&world, false, world.agent(), vec![]).await;
    world.sessions.offer(id.parse().unwrap(), agent_id());
    for client in [&mut visitor, &mut agent] {
        assert!(matches!(client.ask(subscribe(&id)).await, Frame::Conversation(_)));
        assert!(matches!(client.ask(history(&id)).await, Frame::History(_)));
    }
    assert_eq!(world.desk.log(), []);
}

#[tokio::test]
async fn a_conversation_of_ones_own_is_nobody_elses_business() {
    let world = World::start().await;
    let (_visitor, id) = start(&world).await;
    world.sessions.offer(id.parse().unwrap(), supervisor_id());
    let (mut supervisor, _) = TestClient::hello(&world, false, world.supervisor(), vec![]).await;
    assert!(matches!(supervisor.ask(subscribe(&id)).await, Frame::Conversation(_)));
    assert_eq!(world.desk.log(), []);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let world = World::start().await;
    let (_visitor, id) = start(&world).await;
    let (mut supervisor, _) = TestClient::hello(&world, false, world.supervisor(), vec![]).await;
    world.desk.log_is_away.store(true, Ordering::SeqCst);
    for request in [subscribe(&id), history(&id)] {
        match supervisor.ask(request).await {
            Frame::Error(e) => assert_eq!(e.code(), ErrorCode::Unavailable),
            other => panic!("it was done: {other:?}"),
        }
    }
    assert_eq!(world.sessions.attached(id.parse().unwrap()), 1, "only the visitor's gateway");
    let token = world.supervisor();
    let ask = v1::GetConversationRequest { conversation_id: id.clone() };
    let refused = admin(&world).await.get_conversation(by(&token, ask)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);

    world.desk.log_is_away.store(false, Ordering::SeqCst);
    assert!(matches!(supervisor.ask(subscribe(&id)).await, Frame::Conversation(_)));
}

#[tokio::test]
async fn the_log_is_read_page_by_page_by_supervisors_alone() {
    let world = World::start().await;
    let (_visitor, id) = start(&world).await;
    let (token, mut admin) = (world.supervisor(), admin(&world).await);
    for _ in 0..3 {
        let ask = v1::GetConversationRequest { conversation_id: id.clone() };
        admin.get_conversation(by(&token, ask)).await.unwrap();
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let ask = ListAuditRequest { limit: 2, page_token, ..ListAuditRequest::default() };
        let page = admin.list_audit(by(&token, ask)).await.unwrap().into_inner();
        found.extend(page.records);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ids: Vec<_> = world.desk.log().iter().rev().map(|entry| entry.id.to_string()).collect();
    assert_eq!(found.iter().map(|record| record.id.clone()).collect::<Vec<_>>(), ids);
    let first = &found[0];
    assert_eq!((first.act.as_str(), first.subject.as_str()), ("read", &*id));
    assert_eq!(first.actor.as_ref().unwrap().party(), v1::Party::Supervisor);

    for bad in [
        ListAuditRequest { act: "Watch!".into(), ..ListAuditRequest::default() },
        ListAuditRequest { page_token: "1.x".into(), ..ListAuditRequest::default() },
        ListAuditRequest { limit: 101, ..ListAuditRequest::default() },
    ] {
        let refused = admin.list_audit(by(&token, bad)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    }
    let refused = admin.list_audit(by(&world.agent(), ListAuditRequest::default())).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
}
