//! Whole connections over real sockets, among fakes of the other roles.

use crate::testing::{TestClient, World, agent_id};
use frontdesk_core::ids::{ConversationId, OfferId};
use frontdesk_core::party::Role;
use frontdesk_core::time::Millis;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{self, ErrorCode, client_frame::Request, server_frame::Frame};
use tokio_websockets::Message;
use uuid::Uuid;

pub(super) fn message(id: &str, msg: &str, text: &str) -> Request {
    Request::Send(v1::SendMessage {
        conversation_id: id.into(),
        client_msg_id: msg.into(),
        text: text.into(),
        attachment_ids: Vec::new(),
        after_client_msg_id: String::new(),
    })
}

pub(super) async fn start(client: &mut TestClient) -> String {
    match client.ask(Request::Start(v1::StartConversation::default())).await {
        Frame::Conversation(state) => {
            assert_eq!(state.queue_position.unwrap().position, 1);
            state.conversation_id
        }
        other => panic!("not started: {other:?}"),
    }
}

pub(super) fn error(frame: Frame) -> (ErrorCode, v1::Error) {
    match frame {
        Frame::Error(e) => (e.code(), e),
        other => panic!("no error but {other:?}"),
    }
}

fn cursor(id: &str, seq: u32) -> v1::Cursor {
    v1::Cursor { conversation_id: id.into(), seq }
}

/// Offers the conversation and lets the agent take it.
pub(super) async fn assign(world: &World, agent: &mut TestClient, id: &str) {
    let conversation: ConversationId = id.parse().unwrap();
    let offer: OfferId = world.sessions.offer(conversation, agent_id());
    let accept = v1::AcceptOffer { conversation_id: id.into(), offer_id: offer.to_string() };
    match agent.ask(Request::AcceptOffer(accept)).await {
        Frame::Conversation(state) => assert_eq!(state.phase(), v1::Phase::Assigned),
        other => panic!("not accepted: {other:?}"),
    }
}

#[tokio::test]
async fn a_visitor_and_an_agent_chat_over_both_formats() {
    let world = World::start().await;
    let (mut visitor, welcome) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    assert_eq!(welcome.max_batch_bytes, 65_536);
    let (mut agent, welcome) = TestClient::hello(&world, false, world.agent(), vec![]).await;
    assert_eq!(welcome.you.unwrap().name, "Ana");
    assert_eq!(welcome.agent_state.unwrap().status(), v1::AgentStatus::Away);

    let id = start(&mut visitor).await;
    assign(&world, &mut agent, &id).await;
    for n in 0..20 {
        let text = format!("grüße 你好 {n}");
        let (from, to) =
            if n % 2 == 0 { (&mut visitor, &mut agent) } else { (&mut agent, &mut visitor) };
        let Frame::Sent(sent) = from.ask(message(&id, &format!("m{n}"), &text)).await else {
            panic!("not sent")
        };
        let mut last = 0;
        loop {
            let (seq, prev, body) = to.event().await;
            assert!(last == 0 || prev == last, "{prev} {last}");
            last = seq;
            if let Body::Message(m) = body
                && m.text == text
            {
                assert_eq!(seq, sent.seq);
                break;
            }
        }
    }
    drop(visitor);
    drop(agent);
    world.gateway.stop().await;
}

#[tokio::test]
async fn an_internal_note_is_invisible_to_the_visitor() {
    let world = World::start().await;
    let (mut visitor, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let (mut agent, _) = TestClient::hello(&world, false, world.agent(), vec![]).await;
    let id = start(&mut visitor).await;
    assign(&world, &mut agent, &id).await;
    let note = v1::AddNote {
        conversation_id: id.clone(),
        client_msg_id: "n".into(),
        text: "secret".into(),
        ..Default::default()
    };
    assert!(matches!(agent.ask(Request::AddNote(note.clone())).await, Frame::Sent(_)));
    assert!(matches!(agent.ask(message(&id, "a", "hello")).await, Frame::Sent(_)));
    let mut seqs = Vec::new();
    loop {
        let (seq, prev, body) = visitor.event().await;
        assert!(!matches!(body, Body::Note(_) | Body::Offered(_)));
        assert_eq!(prev, seqs.last().copied().unwrap_or(0));
        seqs.push(seq);
        if matches!(body, Body::Message(_)) {
            break;
        }
    }
    let (code, _) = error(visitor.ask(Request::AddNote(note)).await);
    assert_eq!(code, ErrorCode::PermissionDenied);
}

#[tokio::test]
async fn a_client_that_was_cut_off_resumes_without_loss_or_repeat() {
    let world = World::start().await;
    let token = world.visitor();
    let (mut visitor, _) = TestClient::hello(&world, true, token.clone(), vec![]).await;
    let id = start(&mut visitor).await;
    let (mut last, _, _) = visitor.event().await;
    drop(visitor);
    let (mut other, _) = TestClient::hello(&world, false, token.clone(), vec![]).await;
    for n in 0..30 {
        other.ask(message(&id, &format!("m{n}"), "x")).await;
    }
    let (mut back, welcome) = TestClient::hello(&world, true, token, vec![cursor(&id, last)]).await;
    let head = welcome.resumed[0].head_seq;
    while last < head {
        let (seq, prev, _) = back.event().await;
        assert_eq!(prev, last);
        last = seq;
    }
    other.ask(message(&id, "live", "x")).await;
    let (seq, prev, _) = back.event().await;
    assert_eq!((seq, prev), (head + 1, head));
}

#[tokio::test]
async fn a_cursor_from_the_future_or_a_stranger_is_named_in_an_error() {
    let world = World::start().await;
    let (mut visitor, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let id = start(&mut visitor).await;
    let subscribe = |seq| Request::Subscribe(v1::Subscribe { cursor: Some(cursor(&id, seq)) });
    let (code, e) = error(visitor.ask(subscribe(99)).await);
    assert_eq!((code, e.conversation_id.as_str()), (ErrorCode::InvalidArgument, id.as_str()));

    let resume = vec![cursor(&id, 0)];
    let (mut thief, welcome) = TestClient::hello(&world, true, world.visitor(), resume).await;
    assert!(welcome.resumed.is_empty());
    let (code, e) = error(thief.answer(0).await);
    assert_eq!((code, e.conversation_id.as_str()), (ErrorCode::NotFound, id.as_str()));
    assert_eq!(error(thief.ask(subscribe(0)).await).0, ErrorCode::NotFound);
    assert_eq!(error(thief.ask(message(&id, "m", "x")).await).0, ErrorCode::NotFound);
}

#[tokio::test]
async fn bad_hellos_end_with_their_codes() {
    let world = World::start().await;
    let expired = world.token_until(Role::Visitor, Uuid::now_v7(), Millis::ZERO);
    for (token, code) in [
        ("garbage".to_owned(), 4200),
        (String::new(), 4200),
        (expired, 4201),
        (world.token(Role::Agent, Uuid::now_v7()), 4200),
        (world.token(Role::Supervisor, agent_id().as_uuid()), 4200),
    ] {
        let mut client = TestClient::connect(&world, true).await;
        let hello = v1::Hello { token, ..Default::default() };
        let (found, _) = error(client.ask(Request::Hello(hello)).await);
        assert_eq!(found, ErrorCode::Unauthenticated);
        assert_eq!(client.close_code().await, Some(code));
    }
    let mut client = TestClient::connect(&world, false).await;
    client.send(1, Request::ListTeam(v1::ListTeam {})).await;
    assert_eq!(client.close_code().await, Some(4202));
}

#[tokio::test]
async fn pages_of_strangers_may_not_connect() {
    let world = World::start().await;
    let own = format!("http://{}", world.gateway.local_addr());
    for (origin, good) in
        [("https://shop.example", true), (own.as_str(), true), ("https://evil.example", false)]
    {
        let mut client = TestClient::connect_with(&world, true, &[("origin", origin)]).await;
        let hello = v1::Hello { token: world.visitor(), ..Default::default() };
        let frame = client.ask(Request::Hello(hello)).await;
        assert_eq!(matches!(frame, Frame::Welcome(_)), good, "{origin}");
        if !good {
            assert_eq!(client.close_code().await, Some(4200));
        }
    }
}

#[tokio::test]
async fn broken_batches_end_the_connection_and_unknown_requests_do_not() {
    let world = World::start().await;
    for (json, raw, code) in [
        (true, Message::text("{\"frames\":["), 4202),
        (true, Message::binary(vec![1, 2]), 4202),
        (false, Message::binary(vec![0xFF; 8]), 4202),
        (false, Message::text("{}"), 4202),
        (true, Message::text(" ".repeat(65_537)), 4203),
    ] {
        let (mut client, _) = TestClient::hello(&world, json, world.visitor(), vec![]).await;
        client.send_raw(raw).await;
        assert_eq!(client.close_code().await, Some(code));
    }
    let (mut client, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    client.send_raw(Message::text("{\"frames\":[{\"id\":77,\"dance\":{}}]}")).await;
    assert_eq!(error(client.answer(77).await).0, ErrorCode::Unimplemented);
    client.send_raw(Message::text("{}")).await;
    let list = Request::ListConversations(v1::ListConversations::default());
    assert!(matches!(client.ask(list).await, Frame::ConversationList(_)));
}

#[tokio::test]
async fn a_token_is_refreshed_in_band_and_only_for_the_same_person() {
    let world = World::start().await;
    let me = Uuid::now_v7();
    let token = world.token(Role::Visitor, me);
    let (mut client, _) = TestClient::hello(&world, true, token, vec![]).await;
    let refresh = |token: String| Request::RefreshToken(v1::RefreshToken { token });
    let Frame::TokenRefreshed(new) = client.ask(refresh(String::new())).await else {
        panic!("not refreshed")
    };
    let own = world.token(Role::Visitor, me);
    assert!(matches!(client.ask(refresh(own)).await, Frame::TokenRefreshed(_)));
    let (code, _) = error(client.ask(refresh(world.visitor())).await);
    assert_eq!(code, ErrorCode::Unauthenticated);
    TestClient::hello(&world, true, new.token, vec![]).await;
}

#[tokio::test]
async fn an_agent_is_signed_off_and_the_conversation_detached_when_it_leaves() {
    let world = World::start().await;
    let (mut visitor, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let (agent, _) = TestClient::hello(&world, false, world.agent(), vec![]).await;
    assert_eq!(world.presence.connections(), 1);
    let id: ConversationId = start(&mut visitor).await.parse().unwrap();
    assert_eq!(world.sessions.attached(id), 1);
    drop(agent);
    drop(visitor);
    let (sessions, presence) = (world.sessions.clone(), world.presence.clone());
    // Stopping waits for every task, farewells included.
    world.gateway.stop().await;
    assert_eq!(presence.connections(), 0);
    assert_eq!(sessions.attached(id), 0);
}

#[tokio::test]
async fn stopping_says_bye_with_a_code_to_reconnect() {
    let world = World::start().await;
    let (mut client, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let (code, ()) = tokio::join!(client.close_code(), world.gateway.stop());
    assert_eq!(code, Some(4000));
}

#[tokio::test]
async fn a_disabled_account_is_refused() {
    let world = World::start().await;
    world.desk.disabled.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut client = TestClient::connect(&world, true).await;
    let hello = v1::Hello { token: world.agent(), ..Default::default() };
    client.ask(Request::Hello(hello)).await;
    assert_eq!(client.close_code().await, Some(4200));
}
