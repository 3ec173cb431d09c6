//! Files, transcripts, and what the gateway serves over HTTP.

use bytes::Bytes;
use frontdesk_client::{Carrier, UploadError};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{AgentStatus, Attachment};
use frontdesk_tests::http::{Answer, Http};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, message};
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::Value;

/// The smallest picture that is one: a PNG of a single pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0,
    0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T',
    0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xae, 0x42, 0x60, 0x82,
];

/// Uploads a file to a conversation.
async fn upload(http: Http, token: &str, id: &str, name: &str, bytes: &'static [u8]) -> Answer {
    let path = format!("/v1/conversations/{id}/attachments");
    let call = http.call_as(token, Method::POST, &path).header("x-file-name", name);
    http.send(call.header(CONTENT_TYPE, "image/png"), Bytes::from_static(bytes)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_uploads_what_it_was_given() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    let id = visitor.start("I have a file").await.conversation_id;
    let source = "127.0.7.1".parse().expect("an address");
    let gateway = server.gateway().from_source(source);
    let file = frontdesk_client::upload(&gateway, &token, &id, "wörds.txt", b"in plain").await;
    let file = file.expect("uploaded");
    assert_eq!((file.name.as_str(), file.media_type.as_str()), ("wörds.txt", "text/plain"));
    let path = format!("/v1/attachments/{}", file.id);
    assert_eq!(server.http().get_as(&token, &path).await.expect_ok().body, &b"in plain"[..]);

    let stranger = server.visitor_token().await.token;
    let refused = frontdesk_client::upload(&gateway, &stranger, &id, "x", b"in plain").await;
    assert!(matches!(refused, Err(UploadError::Refused(status)) if status == 404), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_travels_from_the_visitor_to_the_agent() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("I have a picture").await.conversation_id;
    let agent_token = server.sign_in(&server.agent(0)).await.token;
    let (mut agent, _) = Wire::open(&server, Carrier::Grpc, &agent_token).await;
    agent.status(AgentStatus::Online).await;
    agent.take(&id).await;

    let answer = upload(server.http(), &token, &id, "pixel%20%C3%A9.png", PIXEL).await;
    let file: Attachment = answer.expect_ok().json();
    assert_eq!(file.name, "pixel é.png");
    assert_eq!((file.media_type.as_str(), file.size as usize), ("image/png", PIXEL.len()));

    let mut picture = message(&id, "");
    picture.attachment_ids = vec![file.id.clone()];
    visitor.call(picture).await;
    let push = agent.event("the picture", |e| match &e.body {
        Some(Body::Message(m)) => !m.attachments.is_empty(),
        _ => false,
    });
    let Some(Body::Message(heard)) = push.await.event.and_then(|e| e.body) else {
        return;
    };
    assert_eq!(heard.attachments, std::slice::from_ref(&file));

    let path = format!("/v1/attachments/{}", file.id);
    let down = server.http().get_as(&agent_token, &path).await.expect_ok();
    assert_eq!(down.body, PIXEL);
    assert_eq!(down.header("content-type"), "image/png");
    assert_eq!(down.header("x-content-type-options"), "nosniff");

    let stranger = server.visitor_token().await.token;
    assert_eq!(server.http().get_as(&stranger, &path).await.status, 404);
    assert_eq!(server.http().get(&path).await.status, 401);
    let into_foreign = upload(server.http(), &stranger, &id, "x.png", PIXEL).await;
    assert_eq!(into_foreign.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_read_as_json_and_as_text() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("Ein erstes Wort — 你好").await.conversation_id;
    visitor.say(&id, "line one\nline two").await;
    let path = |format| format!("/v1/conversations/{id}/transcript?format={format}");
    let json = server.http().get_as(&token, &path("json")).await.expect_ok();
    assert!(json.header("content-type").starts_with("application/json"));
    let json: Value = json.json();
    assert!(json.to_string().contains("Ein erstes Wort — 你好"));
    let text = server.http().get_as(&token, &path("text")).await.expect_ok();
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(text.text().contains("Ein erstes Wort — 你好"));
    let stranger = server.visitor_token().await.token;
    assert_eq!(server.http().get_as(&stranger, &path("json")).await.status, 404);
    assert_eq!(server.http().get_as(&token, &path("pdf")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_serves_its_state_its_description_and_its_pages() {
    let server = Server::start().await;
    let http = server.http();
    assert_eq!(http.get("/livez").await.status, 200);
    assert_eq!(http.get("/readyz").await.status, 200);
    let visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let metrics = http.get("/metrics").await.expect_ok().text();
    assert!(metrics.lines().any(|l| l.starts_with("frontdesk_")), "{metrics}");
    drop(visitor);
    let described: Value = http.get("/openapi.json").await.expect_ok().json();
    for path in ["/v1/visitor/token", "/v1/agent/sign-in", "/livez"] {
        assert!(described["paths"].get(path).is_some(), "{path} is not described");
    }
    for page in [&server.ready().demo, &server.ready().console] {
        let path = page.strip_prefix(server.url()).expect("pages are on the same host");
        let page = http.get(path).await.expect_ok();
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(!page.header("content-security-policy").is_empty(), "{path} has no policy");
    }
    assert_eq!(http.get("/no/such/page").await.status, 404);
}
