//! Traces as a collector gets them: one shows a message from its frame to the other
//! party's socket, and what is refused is traced though nothing else is.

use bytes::Bytes;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request as Ask;
use frontdesk_proto::v1::{AgentStatus, Attachment, SendMessage};
use frontdesk_tests::collector::{Collector, WAY, way_to};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message};
use http::Method;
use http::header::CONTENT_TYPE;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

async fn server(collector: &Collector, ratio: f64) -> Server {
    let settings = collector.settings(ratio);
    let plan = settings.iter().fold(Plan::default(), |plan, (name, value)| plan.set(name, value));
    plan.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_a_message_from_its_frame_to_the_other_party() {
    let collector = Collector::start();
    let mut server = server(&collector, 1.0).await;
    let carrier = Carrier::WebSocketProtobuf;
    let token = server.visitor_token().await.token;
    let mut visitor = Wire::open(&server, carrier, &token).await.0;
    let mut agent = Wire::staff(&server, carrier, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    agent.take(&id).await;
    agent.say(&id, "a traced word").await;
    visitor.hear("a traced word").await;
    // The only message with a file, and the visitor's only one.
    let path = format!("/v1/conversations/{id}/attachments");
    let call = server.http().call_as(&token, Method::POST, &path).header("x-file-name", "a.txt");
    let file = server.http().send(call.header(CONTENT_TYPE, "text/plain"), Bytes::from("a")).await;
    let file: Attachment = file.expect_ok().json();
    visitor.call(SendMessage { attachment_ids: vec![file.id], ..message(&id, "my file") }).await;
    agent.hear("my file").await;

    // What waits is sent at a stop, and nothing is left out.
    drop((visitor, agent));
    assert!(server.terminate().success());
    let sent = collector.sent();
    let way = |reader| {
        way_to(&sent, reader, "send").unwrap_or_else(|| panic!("no way to {reader} in {sent:#?}"))
    };
    for way in [way("visitor"), way("agent")] {
        for (before, after) in way.iter().zip(&way[1..]) {
            let (began, done_under) =
                (before.span.start_time_unix_nano, after.span.start_time_unix_nano);
            assert!(began <= done_under, "{} began before {}", after.span.name, before.span.name);
        }
        assert_eq!(way[2].text("conversation").as_deref(), Some(id.as_str()));
        let mut groups = sent.iter().filter(|sent| sent.span.name == "journal.group");
        assert!(groups.any(|group| group.is_under(&way[3])), "the group it was in is told");
    }
    let routes: Vec<_> = sent.iter().filter_map(|sent| sent.text("http.route")).collect();
    assert!(routes.iter().any(|route| route == "/v1/conversations/{id}/attachments"), "{routes:?}");
    let said = format!("{sent:?}");
    for word in ["a traced word", "my file", "a.txt", &token] {
        assert!(!said.contains(word), "spans hold ids, never what was said: {word}");
    }
    let first = &sent[0];
    assert_eq!(first.process("service.name").as_deref(), Some("frontdesk"));
    assert_eq!(first.process("frontdesk.role").as_deref(), Some("dev"));
    assert!(first.process("service.instance.id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_traced_though_nothing_else_is() {
    let collector = Collector::start();
    let mut server = server(&collector, 0.0).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    visitor.say(&id, "not recorded").await;
    // The caller's mistakes in calls are none of ours.
    let missing = server.http().get("/v1/attachments/none").await;
    assert!(missing.status.is_client_error(), "{missing:?}");
    let nowhere = SendMessage {
        conversation_id: fresh_id(),
        client_msg_id: fresh_id(),
        text: "to nobody".into(),
        ..SendMessage::default()
    };
    visitor.request(Ask::Send(nowhere)).await.expect_err("there is no such conversation");
    let failed = |sent: &[_]| (!sent.is_empty()).then(|| sent.to_vec());
    let failed = collector.shows("the refusal is traced", failed).await;
    drop(visitor);
    assert!(server.terminate().success());
    assert_eq!(failed, collector.sent(), "nothing else is traced");
    let [refused] = &failed[..] else { panic!("more than the refusal: {failed:#?}") };
    assert_eq!(refused.span.name, WAY[0]);
    let status = refused.span.status.clone().unwrap_or_default();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "not_found"));
}
