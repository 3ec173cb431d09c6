//! Reading: pages, resuming from cursors, tokens that are renewed in band.

use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{
    AgentStatus, Cursor, ErrorCode, GetHistory, ListConversations, RefreshToken,
};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, text, texts};

const MESSAGES: u32 = 30;

/// A visitor's conversation with many messages.
async fn long_conversation(server: &Server, carrier: Carrier) -> (Wire, String, String) {
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(server, carrier, &token).await;
    let id = visitor.start("message 0").await.conversation_id;
    for n in 1..MESSAGES {
        visitor.say(&id, &format!("message {n}")).await;
    }
    (visitor, id, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_in_pages_in_both_directions() {
    let server = Plan::default().set("gateway.request_burst", 1_000).start().await;
    let (mut visitor, id, _) = long_conversation(&server, Carrier::WebSocketJson).await;
    let whole = visitor.history(&id).await;
    assert_eq!(texts(&whole), (0..MESSAGES).map(|n| format!("message {n}")).collect::<Vec<_>>());

    let mut forwards = Vec::new();
    let ask = |after_seq, backwards| GetHistory {
        conversation_id: id.clone(),
        after_seq,
        limit: 7,
        backwards,
    };
    let mut page = visitor.call(ask(0, false)).await;
    loop {
        assert!(page.events.len() <= 7);
        forwards.extend(page.events);
        if !page.more {
            break;
        }
        page = visitor.call(ask(last_seq(&forwards), false)).await;
    }
    assert_eq!(forwards, whole);

    let mut backwards = Vec::new();
    let mut before = 0;
    loop {
        let page = visitor.call(ask(before, true)).await;
        before = page.events.first().and_then(|p| p.event.as_ref()).map_or(0, |e| e.seq);
        backwards.splice(0..0, page.events);
        if !page.more {
            break;
        }
    }
    assert_eq!(backwards, whole);

    let too_many = GetHistory { limit: 201, ..ask(0, false) };
    let error = visitor.request(Request::GetHistory(too_many)).await;
    assert_eq!(error.map_err(|e| e.code()), Err(ErrorCode::InvalidArgument));
}

fn last_seq(events: &[frontdesk_proto::v1::EventPush]) -> u32 {
    events.last().and_then(|p| p.event.as_ref()).map_or(0, |e| e.seq)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cursor_can_be_resumed_from_over_every_carrier() {
    let server = Plan::default().set("gateway.request_burst", 1_000).start().await;
    let (visitor, id, token) = long_conversation(&server, Carrier::WebSocketProtobuf).await;
    drop(visitor);
    for carrier in Carrier::ALL {
        for after in [0, 1, MESSAGES / 2] {
            let cursor = Cursor { conversation_id: id.clone(), seq: after };
            let (mut visitor, welcome) = Wire::resume(&server, carrier, &token, vec![cursor]).await;
            assert_eq!(welcome.resumed.len(), 1);
            // The Watch checks that nothing is left out on the way.
            visitor.hear(&format!("message {}", MESSAGES - 1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_of_a_visitor_hears_everything() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut phone, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = phone.start("from my phone").await.conversation_id;
    let (mut laptop, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    let list = ListConversations { limit: 0, include_closed: false };
    let list = laptop.call(list).await;
    assert_eq!(list.conversations.len(), 1);
    assert_eq!(list.conversations[0].conversation_id, id);
    laptop.subscribe(&id).await;
    laptop.hear("from my phone").await;
    laptop.say(&id, "from my laptop").await;
    phone.hear("from my laptop").await;
    phone.say(&id, "and back").await;
    laptop.hear("and back").await;
    // The sender hears itself too: that is how its other devices agree.
    phone.event("its own words", |e| text(e) == Some("and back")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refreshed_in_band() {
    let server = Server::start().await;
    for carrier in Carrier::ALL {
        let old = server.visitor_token().await.token;
        let (mut visitor, _) = Wire::open(&server, carrier, &old).await;
        let id = visitor.start("before").await.conversation_id;
        let ask = |token: &str| RefreshToken { token: token.to_owned() };
        let new = visitor.call(ask("")).await;
        assert!(new.expires_at.is_some());
        let (mut again, welcome) = Wire::open(&server, carrier, &new.token).await;
        assert!(welcome.token_expires_at.is_some());
        again.subscribe(&id).await;
        again.hear("before").await;

        visitor.call(ask(&new.token)).await;
        let other = server.visitor_token().await.token;
        let refused =
            visitor.request(Request::RefreshToken(ask(&other))).await.map_err(|e| e.code());
        assert_eq!(refused, Err(ErrorCode::Unauthenticated), "somebody else's token");
        visitor.say(&id, "after").await;
        again.hear("after").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_an_orderly_restart() {
    let mut server = Server::start().await;
    let agent_token = server.sign_in(&server.agent(0)).await.token;
    let (mut agent, _) = Wire::open(&server, Carrier::Grpc, &agent_token).await;
    agent.status(AgentStatus::Online).await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("before").await.conversation_id;
    agent.take(&id).await;
    visitor.hear("before").await;
    let cursor = visitor.cursor(&id);
    agent.say(&id, "an answer").await;

    assert!(server.terminate().success());
    assert_eq!(visitor.end().await, 4000, "clients are told to come again");
    assert_eq!(agent.end().await, 4000);
    server.start_again().await;

    let (mut visitor, _) =
        Wire::resume(&server, Carrier::WebSocketJson, &token, vec![cursor]).await;
    visitor.hear("an answer").await;
    let (mut agent, _) = Wire::open(&server, Carrier::Grpc, &agent_token).await;
    agent.subscribe(&id).await;
    visitor.say(&id, "after").await;
    agent.hear("after").await;
    agent.say(&id, "still assigned").await;
    visitor.hear("still assigned").await;
}
