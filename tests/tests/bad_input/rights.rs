//! Everybody does only what is theirs, and learns nothing of the rest.

use crate::refused;
use crate::tokens::Forge;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AcceptOffer, AddNote, AgentStatus, CloseConversation, Cursor, DeclineOffer, ErrorCode,
    ForceRelease, GetHistory, InviteAgent, JoinConversation, LeaveContact, LeaveConversation,
    ListAgentsRequest, ListTeam, MarkRead, RateConversation, ReopenConversation, SetPriority,
    SetStatus, SetTags, StartConversation, Subscribe, TakeOver, TransferConversation, WatchBoard,
    WhisperRequest,
};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message, texts};
use serde_json::json;
use tonic::{Code, Request as Call};

/// What a visitor may ask about a conversation of its own.
fn visitors_requests(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Send(message(id, "let me in")),
        Request::MarkRead(MarkRead { conversation_id: conversation_id.clone(), seq: 1 }),
        Request::Close(CloseConversation { conversation_id: conversation_id.clone() }),
        Request::Subscribe(Subscribe {
            cursor: Some(Cursor { conversation_id: conversation_id.clone(), seq: 0 }),
        }),
        Request::GetHistory(GetHistory {
            conversation_id: conversation_id.clone(),
            ..GetHistory::default()
        }),
    ]
}

fn only_visitors_requests(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Rate(RateConversation {
            conversation_id: conversation_id.clone(),
            score: 1,
            comment: String::new(),
        }),
        Request::LeaveContact(LeaveContact {
            conversation_id: conversation_id.clone(),
            email: "mallory@evil.example".into(),
            ..LeaveContact::default()
        }),
        Request::Reopen(ReopenConversation { conversation_id }),
    ]
}

/// What only the staff may ask about a conversation.
fn staffs_requests(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::AcceptOffer(AcceptOffer {
            conversation_id: conversation_id.clone(),
            offer_id: fresh_id(),
        }),
        Request::DeclineOffer(DeclineOffer {
            conversation_id: conversation_id.clone(),
            offer_id: fresh_id(),
            reason: String::new(),
        }),
        Request::AddNote(AddNote {
            conversation_id: conversation_id.clone(),
            client_msg_id: fresh_id(),
            text: "psst".into(),
            ..AddNote::default()
        }),
        Request::Transfer(TransferConversation {
            conversation_id: conversation_id.clone(),
            target: Some(Target::Queue("sales".into())),
            note: String::new(),
            warm: false,
        }),
        Request::Invite(InviteAgent {
            conversation_id: conversation_id.clone(),
            agent_id: fresh_id(),
            note: String::new(),
        }),
        Request::Join(JoinConversation { conversation_id: conversation_id.clone() }),
        Request::Leave(LeaveConversation {
            conversation_id: conversation_id.clone(),
            agent_id: String::new(),
        }),
        Request::SetTags(SetTags { conversation_id, tags: vec!["mine".into()] }),
    ]
}

/// What only a supervisor may ask about it.
fn supervisors_requests(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Whisper(WhisperRequest {
            conversation_id: conversation_id.clone(),
            client_msg_id: fresh_id(),
            text: "psst".into(),
        }),
        Request::TakeOver(TakeOver { conversation_id: conversation_id.clone() }),
        Request::ForceRelease(ForceRelease {
            conversation_id: conversation_id.clone(),
            ..ForceRelease::default()
        }),
        Request::SetPriority(SetPriority { conversation_id, extra_minutes: 60 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_cannot_touch_anothers_conversation() {
    let server = Server::start().await;
    let mut owner = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = owner.start("private").await.conversation_id;
    for carrier in Carrier::ALL {
        let mut stranger = Wire::visitor(&server, carrier).await;
        let own = [visitors_requests(&id), only_visitors_requests(&id)].concat();
        for request in own {
            refused(&mut stranger, request, ErrorCode::NotFound).await;
        }
        // Exactly as if it did not exist.
        for request in visitors_requests(&fresh_id()) {
            refused(&mut stranger, request, ErrorCode::NotFound).await;
        }
        let start = StartConversation { conversation_id: id.clone(), ..Default::default() };
        refused(&mut stranger, Request::Start(start), ErrorCode::NotFound).await;
    }
    assert_eq!(texts(&owner.history(&id).await), ["private"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_visitor_finds_nothing() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    // The very same person, but a token of another site.
    let here = forge.with(json!({}));
    let (mut owner, _) = Wire::open(&server, Carrier::WebSocketJson, &here).await;
    let id = owner.start("private").await.conversation_id;
    let there = forge.with(json!({ "site": "another" }));
    let (mut stranger, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &there).await;
    for request in [visitors_requests(&id), only_visitors_requests(&id)].concat() {
        refused(&mut stranger, request, ErrorCode::NotFound).await;
    }
    let path = format!("/v1/conversations/{id}/transcript?format=json");
    assert_eq!(server.http().get_as(&there, &path).await.status, 404);
    assert_eq!(server.http().get_as(&here, &path).await.status, 200);
    assert_eq!(texts(&owner.history(&id).await), ["private"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_may_do_nothing_of_the_staffs() {
    let server = Server::start().await;
    for carrier in Carrier::ALL {
        let mut visitor = Wire::visitor(&server, carrier).await;
        let id = visitor.start("mine").await.conversation_id;
        let mut requests = [staffs_requests(&id), supervisors_requests(&id)].concat();
        requests.push(Request::ListTeam(ListTeam {}));
        requests.push(Request::WatchBoard(WatchBoard { on: true }));
        let status = AgentStatus::Online.into();
        requests.push(Request::SetStatus(SetStatus { status, reason: String::new() }));
        for request in requests {
            refused(&mut visitor, request, ErrorCode::PermissionDenied).await;
        }
        visitor.say(&id, "I only talk").await;
        assert_eq!(texts(&visitor.history(&id).await), ["mine", "I only talk"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_may_do_nothing_of_a_visitors_or_another_agents() {
    let server = Plan::default().extra_agents(1).start().await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("Hello").await.conversation_id;
    let mut alex = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;
    alex.take(&id).await;
    for request in only_visitors_requests(&id) {
        refused(&mut alex, request, ErrorCode::PermissionDenied).await;
    }
    for request in supervisors_requests(&id) {
        refused(&mut alex, request, ErrorCode::PermissionDenied).await;
    }
    let start = Request::Start(StartConversation::default());
    refused(&mut alex, start, ErrorCode::PermissionDenied).await;

    let mut bea = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.agent(1)).await;
    bea.status(AgentStatus::Online).await;
    for request in visitors_requests(&id) {
        refused(&mut bea, request, ErrorCode::NotFound).await;
    }
    for request in staffs_requests(&id) {
        let error = bea.request(request).await.expect_err("it is not hers");
        let code = error.code();
        assert!(matches!(code, ErrorCode::NotFound | ErrorCode::FailedPrecondition), "{error:?}");
    }
    assert_eq!(texts(&alex.history(&id).await), ["Hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_supervisors_look_into_the_system() {
    let server = Server::start().await;
    let mut admin = AdminServiceClient::connect(server.url().to_owned()).await.expect("connects");
    let visitor = server.visitor_token().await.token;
    let agent = server.sign_in(&server.agent(0)).await.token;
    let supervisor = server.sign_in(&server.supervisor()).await.token;
    for (token, code) in [
        ("", Code::Unauthenticated),
        ("nonsense", Code::Unauthenticated),
        (visitor.as_str(), Code::PermissionDenied),
        (agent.as_str(), Code::PermissionDenied),
        (supervisor.as_str(), Code::Ok),
    ] {
        let mut call = Call::new(ListAgentsRequest {});
        if !token.is_empty() {
            let bearer = format!("Bearer {token}").parse().expect("a header");
            call.metadata_mut().insert("authorization", bearer);
        }
        let answer = admin.list_agents(call).await;
        assert_eq!(answer.map_or_else(|s| s.code(), |_| Code::Ok), code, "{token}");
    }
}
