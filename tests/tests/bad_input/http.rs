//! Calls over HTTP that are wrong, too large, or out to trick a browser.

use bytes::Bytes;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::Attachment;
use frontdesk_tests::http::{Answer, Http};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use http::Method;
use serde_json::{Value, json};

async fn upload(http: Http, token: &str, id: &str, name: &str, bytes: Vec<u8>) -> Answer {
    let path = format!("/v1/conversations/{id}/attachments");
    let call = http.call_as(token, Method::POST, &path);
    let call = call.header("content-type", "image/png").header("x-file-name", name);
    http.send(call, Bytes::from(bytes)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_too_large_or_active_are_refused() {
    let server = Plan::default().set("gateway.attachment_max_bytes", 1_000).start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("Look at this").await.conversation_id;
    let http = server.http();
    upload(http, &token, &id, "fits.txt", vec![b'x'; 1_000]).await.expect_ok();
    let too_large = upload(http, &token, &id, "large.txt", vec![b'x'; 1_001]).await;
    assert_eq!(too_large.status, 413);

    let active: [&[u8]; 5] = [
        b"<!doctype html><script>alert(1)</script>",
        b"  <html><body onload=alert(1)>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"",
    ];
    for bytes in active {
        let answer = upload(http, &token, &id, "picture.png", bytes.to_vec()).await;
        assert_eq!(answer.status, 415, "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(answer.json::<Value>()["code"], "ERROR_CODE_INVALID_ARGUMENT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_never_served_as_a_page_and_its_name_is_only_a_name() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("Look at this").await.conversation_id;
    let http = server.http();
    for (sent, kept) in [
        ("page.html", "page.html"),
        ("..%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("..%5C..%5Cboot.ini", "boot.ini"),
        ("a%22%3B%20filename%3D%22b.html", "a\"; filename=\"b.html"),
        ("%0D%0ASet-Cookie%3A%20a%3Db", "Set-Cookie: a=b"),
        ("..", "file"),
    ] {
        let answer = upload(http, &token, &id, sent, b"just words".to_vec()).await.expect_ok();
        let file: Attachment = answer.json();
        assert_eq!(file.name, kept);
        assert_eq!(file.media_type, "text/plain");
        let down = http.get_as(&token, &format!("/v1/attachments/{}", file.id)).await.expect_ok();
        assert_eq!(down.body, "just words");
        assert!(down.header("content-type").starts_with("text/plain"));
        assert!(down.header("content-disposition").starts_with("attachment; "));
        assert_eq!(down.header("x-content-type-options"), "nosniff");
        assert!(down.header("content-security-policy").contains("sandbox"));
        assert_eq!(down.header("set-cookie"), "");
    }
    for bad in ["%FF%FE", "%C3"] {
        assert_eq!(upload(http, &token, &id, bad, b"words".to_vec()).await.status, 400, "{bad}");
    }
    let nowhere = upload(http, &token, &fresh_id(), "x.txt", b"words".to_vec()).await;
    assert_eq!(nowhere.status, 404);
    visitor.close(&id).await;
    let closed = upload(http, &token, &id, "x.txt", b"words".to_vec()).await;
    assert_eq!(closed.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_pages_or_files() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let secret = std::fs::read(server.data().join("token-key")).expect("the key file");
    for path in [
        "/console/../../token-key",
        "/console/..%2f..%2ftoken-key",
        "/demo/%2e%2e/%2e%2e/token-key",
        "/widget//etc/passwd",
        "/widget/..\\..\\token-key",
        "/v1/attachments/..%2F..%2Ftoken-key",
        "/v1/attachments/%2Fetc%2Fpasswd",
        "/v1/conversations/..%2f..%2f/transcript",
        "/..%c0%af..%c0%afetc/passwd",
    ] {
        let answer = server.http().get_as(&token, path).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.windows(secret.len()).any(|w| w == secret), "{path}");
        assert!(!answer.text().contains("root:"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_sense_get_their_status() {
    let server = Server::start().await;
    let http = server.http();
    let post = |path: &'static str, body: &'static str| async move {
        http.send(http.call(Method::POST, path), Bytes::from_static(body.as_bytes())).await
    };
    assert_eq!(post("/v1/visitor/token", "{").await.status, 400);
    assert_eq!(post("/v1/visitor/token", "[]").await.status, 400);
    assert_eq!(post("/v1/visitor/token", "{}").await.status, 400);
    assert_eq!(post("/v1/visitor/token", "{\"siteKey\":\"pk_wrong\"}").await.status, 401);
    assert_eq!(post("/v1/agent/sign-in", "{}").await.status, 400);
    let large = vec![b' '; 40_000];
    let call = http.call(Method::POST, "/v1/visitor/token");
    assert_eq!(http.send(call, large.into()).await.status, 413);
    assert_eq!(http.get("/v1/visitor/token").await.status, 405);
    let token = server.visitor_token().await.token;
    assert_eq!(http.get_as(&token, "/v1/attachments/not-an-id").await.status, 400);
    let absent = format!("/v1/attachments/{}", fresh_id());
    assert_eq!(http.get_as(&token, &absent).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_cannot_be_guessed_or_accounts_found_out() {
    let server = Plan::default().set("gateway.sign_in_attempts_per_minute", 5).start().await;
    let known = server.agent(0).email;
    let attempt = |email: String| {
        let ask = json!({ "site": "demo", "email": email, "password": "wrong" });
        let http = server.http();
        async move { http.post("/v1/agent/sign-in", &ask).await }
    };
    let wrong = attempt(known.clone()).await;
    let unknown = attempt("nobody@demo.example".into()).await;
    assert_eq!((wrong.status.as_u16(), unknown.status.as_u16()), (401, 401));
    assert_eq!(wrong.body, unknown.body, "the answers tell nothing");
    let mut last = wrong;
    for _ in 0..10 {
        last = attempt(known.clone()).await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u32>().is_ok_and(|s| s >= 1));
}
