//! The HTTP side, route by route.

use super::{api, local, ops, provider, router};
use crate::peer::Peer;
use crate::settings::DemoSettings;
use crate::testing::{AGENT_EMAIL, PASSWORD, SITE_KEY, TestClient, World, agent_id};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use frontdesk_core::audit::Act;
use frontdesk_core::party::Role;
use frontdesk_core::time::Millis;
use frontdesk_proto::v1::{self, client_frame::Request as Ask, server_frame::Frame};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use tonic::codegen::Service as _;
use uuid::Uuid;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

async fn call(
    world: &World,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.extension(Peer::default()).body(body.into()).unwrap();
    let response = router(world.gateway.shared.clone()).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    call(world, Method::GET, path, headers, Body::empty()).await
}

/// What a call with this token comes to, about a conversation that does not exist.
pub(crate) async fn status_of_transcript(world: &World, token: &str) -> u16 {
    let path = format!("/v1/conversations/{}/transcript", Uuid::now_v7());
    let bearer = format!("Bearer {token}");
    get(world, &path, &[("authorization", &bearer)]).await.status.as_u16()
}

async fn visitor_token(world: &World, previous: &str, headers: &[(&str, &str)]) -> Answer {
    let body = serde_json::json!({ "siteKey": SITE_KEY, "previousToken": previous });
    call(world, Method::POST, "/v1/visitor/token", headers, body.to_string()).await
}

/// A visitor's token and the conversation it has opened.
async fn conversation(world: &World) -> (String, String) {
    let token = world.visitor();
    let (mut client, _) = TestClient::hello(world, true, token.clone(), vec![]).await;
    match client.ask(Ask::Start(v1::StartConversation::default())).await {
        Frame::Conversation(state) => (format!("Bearer {token}"), state.conversation_id),
        other => panic!("not started: {other:?}"),
    }
}

#[tokio::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let described: serde_json::Value = serde_json::from_str(ops::OPENAPI).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let served = api().list.into_iter().chain(provider().list).chain(local().list);
    let served: BTreeSet<_> =
        served.map(|(m, p)| (m.to_string(), p.replace("{*path}", "{path}"))).collect();
    assert_eq!(documented, served);
}

#[tokio::test]
async fn a_visitor_stays_the_same_with_an_earlier_token() {
    let world = World::start().await;
    let first = visitor_token(&world, "", &[]).await;
    assert_eq!(first.status, StatusCode::OK);
    let token = first.json()["token"].as_str().unwrap().to_owned();
    let again = visitor_token(&world, &token, &[]).await.json();
    assert_eq!(again["subject"]["id"], first.json()["subject"]["id"]);
    let other = visitor_token(&world, "garbage", &[]).await.json();
    assert_ne!(other["subject"]["id"], first.json()["subject"]["id"]);
    // An agent's token never makes a visitor.
    let agent = visitor_token(&world, &world.agent(), &[]).await.json();
    assert_eq!(agent["subject"]["party"], "PARTY_VISITOR");
    assert_ne!(agent["subject"]["id"], agent_id().to_string());
}

#[tokio::test]
async fn visitor_tokens_are_for_known_keys_and_allowed_pages() {
    let world = World::start().await;
    let good = [("origin", "https://shop.example")];
    let answer = visitor_token(&world, "", &good).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");

    let answer = visitor_token(&world, "", &[("origin", "https://evil.example")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let body = r#"{"siteKey":"pk_unknown"}"#;
    let answer = call(&world, Method::POST, "/v1/visitor/token", &[], body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = call(&world, Method::POST, "/v1/visitor/token", &[], "{").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["code"], "ERROR_CODE_INVALID_ARGUMENT");
}

#[tokio::test]
async fn browsers_are_told_before_they_call() {
    let world = World::start().await;
    let path = "/v1/visitor/token";
    let ask = |origin| call_options(&world, path, origin);
    let answer = ask("https://shop.example").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(ask("https://evil.example").await.status, StatusCode::FORBIDDEN);
}

async fn call_options(world: &World, path: &str, origin: &str) -> Answer {
    call(world, Method::OPTIONS, path, &[("origin", origin)], Body::empty()).await
}

#[tokio::test]
async fn agents_sign_in_and_guessing_is_slowed_down() {
    let world = World::with(|s| s.sign_in_attempts_per_minute = 3).await;
    let sign_in = async |password: &str| {
        let body = serde_json::json!({
            "site": "demo", "email": AGENT_EMAIL, "password": password,
        });
        call(&world, Method::POST, "/v1/agent/sign-in", &[], body.to_string()).await
    };
    let answer = sign_in(PASSWORD).await;
    assert_eq!(answer.json()["subject"]["party"], "PARTY_AGENT");
    assert_eq!(sign_in("wrong").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in("wrong").await.status, StatusCode::UNAUTHORIZED);
    let limited = sign_in(PASSWORD).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_as_a_download() {
    let world = World::start().await;
    let (token, id) = conversation(&world).await;
    let path = format!("/v1/conversations/{id}/attachments");
    let headers = [("authorization", token.as_str()), ("x-file-name", "n%C3%B6te.txt")];
    let up = call(&world, Method::POST, &path, &headers, "grüße").await;
    assert_eq!(up.status, StatusCode::CREATED);
    assert_eq!(up.json()["name"], "nöte.txt");
    assert_eq!(up.json()["mediaType"], "text/plain");

    let file = format!("/v1/attachments/{}", up.json()["id"].as_str().unwrap());
    let down = get(&world, &file, &headers).await;
    assert_eq!(down.body, "grüße".as_bytes());
    assert!(down.header("content-disposition").starts_with("attachment; "));
    assert_eq!(down.header("x-content-type-options"), "nosniff");
    assert!(down.header("content-security-policy").contains("sandbox"));

    let supervisor = format!("Bearer {}", world.supervisor());
    assert!(world.desk.log().is_empty(), "of whose it is no log is kept");
    let seen = get(&world, &file, &[("authorization", &supervisor)]).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert_eq!(world.desk.log()[0].act, Act::READ);
    world.desk.log_is_away.store(true, Ordering::SeqCst);
    let refused = get(&world, &file, &[("authorization", &supervisor)]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);

    let stranger = format!("Bearer {}", world.visitor());
    let answer = get(&world, &file, &[("authorization", &stranger)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&world, &file, &[]).await.status, StatusCode::UNAUTHORIZED);
    let evil = [("authorization", token.as_str()), ("origin", "https://evil.example")];
    assert_eq!(get(&world, &file, &evil).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn files_that_are_too_large_or_active_are_refused() {
    let world = World::with(|s| s.attachment_max_bytes = 1_000).await;
    let (token, id) = conversation(&world).await;
    let path = format!("/v1/conversations/{id}/attachments");
    let headers = [("authorization", token.as_str())];
    let upload =
        async |body: String| call(&world, Method::POST, &path, &headers, body).await.status;
    assert_eq!(upload("x".repeat(1_000)).await, StatusCode::CREATED);
    assert_eq!(upload("x".repeat(1_001)).await, StatusCode::PAYLOAD_TOO_LARGE);
    let html = "<html><script>alert(1)</script>".to_owned();
    assert_eq!(upload(html).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let elsewhere = format!("/v1/conversations/{}/attachments", Uuid::now_v7());
    let answer = call(&world, Method::POST, &elsewhere, &headers, "x").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_transcript_is_whole_and_only_for_those_who_may_read_it() {
    let world = World::start().await;
    let token = world.visitor();
    let (mut client, _) = TestClient::hello(&world, false, token.clone(), vec![]).await;
    let Frame::Conversation(state) = client.ask(Ask::Start(v1::StartConversation::default())).await
    else {
        panic!("not started")
    };
    let id = state.conversation_id;
    let send = v1::SendMessage {
        conversation_id: id.clone(),
        client_msg_id: "m".into(),
        text: "grüße 你好".into(),
        attachment_ids: Vec::new(),
        after_client_msg_id: String::new(),
    };
    client.ask(Ask::Send(send)).await;
    let path = format!("/v1/conversations/{id}/transcript");
    let bearer = format!("Bearer {token}");
    let answer = get(&world, &path, &[("authorization", &bearer)]).await;
    let whole: v1::GetConversationResponse = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(whole.conversation.unwrap().conversation_id, id);
    assert_eq!(whole.events.len(), 3);
    let text = get(&world, &format!("{path}?format=text"), &[("authorization", &bearer)]).await;
    assert!(String::from_utf8(text.body).unwrap().contains("Visitor: grüße 你好"));
    let stranger = format!("Bearer {}", world.visitor());
    let answer = get(&world, &path, &[("authorization", &stranger)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let expired = world.token_until(Role::Visitor, Uuid::now_v7(), Millis::ZERO);
    let expired = format!("Bearer {expired}");
    let answer = get(&world, &path, &[("authorization", &expired)]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn health_metrics_and_the_root() {
    let world = World::start().await;
    for path in ["/livez", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(get(&world, path, &[]).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(get(&world, "/", &[]).await.header("location"), "/console/");
    assert_eq!(get(&world, "/demo/config.json", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&world, "/nothing", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&world, "/v1/ws", &[]).await.status, StatusCode::UPGRADE_REQUIRED);

    let demo = Some(DemoSettings { site_key: SITE_KEY.into() });
    let world = World::with(|s| s.demo = demo).await;
    assert_eq!(get(&world, "/", &[]).await.header("location"), "/demo/");
    let config = get(&world, "/demo/config.json", &[]).await;
    assert_eq!(config.json()["siteKey"], SITE_KEY);
}

#[tokio::test]
async fn pages_come_with_a_strict_policy_and_are_revalidated() {
    let world = World::with(|s| s.demo = Some(DemoSettings { site_key: SITE_KEY.into() })).await;
    for path in frontdesk_web::paths().map(|p| format!("/{p}")).collect::<Vec<_>>() {
        let page = get(&world, &path, &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        let etag = page.header("etag").to_owned();
        let again = get(&world, &path, &[(header::IF_NONE_MATCH.as_str(), &etag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert!(again.body.is_empty());
    }
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let demo = Some(DemoSettings { site_key: SITE_KEY.into() });
    let world = World::with(|s| s.demo = demo).await;
    let routes = api()
        .list
        .into_iter()
        .chain(provider().list)
        .chain(local().list)
        .chain([(Method::GET, "/nothing")]);
    for (method, path) in routes {
        let path = path.replace("{*path}", "none").replace("{id}", "none");
        let answer = call(&world, method.clone(), &path, &[], Body::empty()).await;
        let what = format!("{method} {path}: {:?}", answer.headers);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{what}");
        assert!(policy.contains("frame-ancestors 'none'") || path.starts_with("/demo"), "{what}");
        assert!(["no-store", "no-cache"].contains(&answer.header("cache-control")), "{what}");
        assert!(!answer.header("cross-origin-resource-policy").is_empty(), "{what}");
        assert_eq!(answer.header("strict-transport-security"), "", "{what}");
    }
    // Tokens are kept by nobody.
    assert_eq!(visitor_token(&world, "", &[]).await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn only_allowed_pages_may_call_and_only_what_is_for_pages() {
    let world = World::start().await;
    for (method, path) in api().list {
        let path = path.replace("{id}", "none");
        let allowed = call_options(&world, &path, "https://shop.example").await;
        assert_eq!(allowed.status, StatusCode::NO_CONTENT, "{method} {path}");
        assert!(allowed.header("access-control-allow-methods").contains(method.as_str()), "{path}");
        assert_eq!(allowed.header("access-control-allow-origin"), "https://shop.example");
        assert_eq!(allowed.header("access-control-allow-credentials"), "", "{path}");
        let others = ["https://evil.example", "null", "https://shop.example.evil.example", ""];
        for origin in others.into_iter().chain(["http://shop.example"]) {
            let refused = call_options(&world, &path, origin).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {origin}");
            assert_eq!(refused.header("access-control-allow-origin"), "", "{path} {origin}");
        }
    }
    for (_, path) in provider()
        .list
        .into_iter()
        .chain(local().list)
        .filter(|(_, path)| !path.starts_with("/widget"))
    {
        let path = path.replace("{*path}", "none");
        let answer = get(&world, &path, &[("origin", "https://shop.example")]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
