//! Everybody does only what is theirs, over every carrier, and nothing is changed by trying:
//! what the table of verbs refuses, once more, with its words.

use crate::refused;
use crate::scopes::{Cell, Place, Who, those};
use crate::tokens::Forge;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{AgentStatus, ErrorCode};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, texts};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_cannot_touch_anothers_conversation() {
    let server = Server::start().await;
    let mut owner = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = owner.start("private").await.conversation_id;
    for carrier in Carrier::ALL {
        let mut stranger = Wire::visitor(&server, carrier).await;
        for request in those(Cell::Absent, Who::Visitor, Place::Other, &id) {
            refused(&mut stranger, request, ErrorCode::NotFound).await;
        }
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
    for request in those(Cell::Absent, Who::Visitor, Place::Elsewhere, &id) {
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
        for request in those(Cell::Denied, Who::Visitor, Place::Own, &id) {
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
    for request in those(Cell::Denied, Who::Agent, Place::Own, &id) {
        refused(&mut alex, request, ErrorCode::PermissionDenied).await;
    }

    let mut bea = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.agent(1)).await;
    bea.status(AgentStatus::Online).await;
    for request in those(Cell::Absent, Who::Agent, Place::Other, &id) {
        refused(&mut bea, request, ErrorCode::NotFound).await;
    }
    assert_eq!(texts(&alex.history(&id).await), ["Hello"]);
}
