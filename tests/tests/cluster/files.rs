//! A cluster that keeps its files in an object store: they come and go while it is there,
//! only they fail while it is not, and what is erased is gone from it.

use crate::ONE_AT_A_TIME;
use frontdesk_client::{Address, Carrier, Tokens};
use frontdesk_proto::v1::{AgentStatus, Attachment};
use frontdesk_store::s3::testing::LocalS3;
use frontdesk_tests::binary;
use frontdesk_tests::cluster::{Cluster, variables};
use frontdesk_tests::http::{Answer, Http};
use frontdesk_tests::wire::{Wire, message};
use http::Method;
use http::header::RETRY_AFTER;
use serde_json::Value;
use std::process::{Command, Output};

/// As few processes as a cluster has.
const SMALLEST: [&str; 10] =
    ["--presence", "1", "--sessions", "1", "--gateways", "1", "--queueing", "1", "--routing", "1"];
const PREFIX: &str = "tests/cluster";

/// The store as the settings of a cluster name it.
fn settings(server: &LocalS3) -> Vec<(String, String)> {
    let s3 = server.settings(PREFIX);
    let secret = |value: Option<String>| value.expect("it has a key");
    [
        ("endpoint", secret(s3.endpoint)),
        ("bucket", s3.bucket),
        ("prefix", s3.prefix),
        ("access_key_id", secret(s3.access_key_id)),
        ("secret_access_key", secret(s3.secret_access_key)),
        ("allow_http", "true".to_owned()),
    ]
    .map(|(name, value)| (format!("attachments.s3.{name}"), value))
    .into()
}

/// Somebody who calls the gateway over HTTP.
struct Caller {
    http: Http,
    token: String,
}

impl Caller {
    async fn upload(&self, conversation: &str, bytes: &'static str) -> Answer {
        let path = format!("/v1/conversations/{conversation}/attachments");
        let call = self.http.call_as(&self.token, Method::POST, &path);
        self.http.send(call.header("x-file-name", "f.txt"), bytes.into()).await
    }

    async fn download(&self, file: &Attachment) -> Answer {
        self.http.get_as(&self.token, &format!("/v1/attachments/{}", file.id)).await
    }
}

/// It says that it may be tried again, and when, and nothing of what is behind it.
#[track_caller]
fn is_away(answer: &Answer) {
    let error: Value = answer.json();
    assert_eq!((answer.status.as_u16(), &error["retryable"]), (503, &true.into()), "{error}");
    assert!(answer.headers.contains_key(RETRY_AFTER));
    let text = answer.text();
    assert!(!text.contains("127.0.0.1") && !text.contains("frontdesk-files"), "{text}");
}

fn frontdesk(words: &[&str], settings: &[(String, String)]) -> Output {
    let mut command = Command::new(binary::frontdesk());
    command.args(words).envs(variables(settings));
    command.output().expect("the program can be run")
}

/// What the doctor finds about files.
fn diagnosis(cluster: &Cluster, settings: &[(String, String)]) -> Vec<(String, String)> {
    let file = cluster.ready().settings.display().to_string();
    let output = frontdesk(&["doctor", "-o", "json", "--config", &file], settings);
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list");
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("text").to_owned();
    let files = found.iter().filter(|f| text(f, "check").starts_with("files"));
    files.map(|f| (text(f, "check"), text(f, "verdict"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_in_an_object_store_and_chats_go_on_without_it() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let mut server = LocalS3::start().expect("the tests need an object store");
    let settings = settings(&server);
    let cluster = Cluster::start_set(&SMALLEST, &settings).await;
    let cluster = cluster.expects("the store of files has failed");
    let ready = cluster.ready();
    let gateway: Address = ready.gateways[0].parse().expect("an address");
    let http = Http::new(gateway.authority().parse().expect("an address"));
    let tokens = Tokens::new(&gateway).expect("a channel");

    let token = tokens.visitor(&ready.site_key).await.expect("a token").token;
    let mut visitor = Wire::open_at(&gateway, Carrier::WebSocketProtobuf, &token).await;
    let visiting = Caller { http, token };
    let conversation = visitor.start("I have a file").await;
    let id = conversation.conversation_id.clone();
    let account = ready.agents.iter().find(|a| a.role == "agent").expect("there is one");
    let password = account.password.as_deref().expect("it is new");
    let signed_in = tokens.sign_in(&ready.site, &account.email, password).await;
    let token = signed_in.expect("signed in").token;
    let mut agent = Wire::open_at(&gateway, Carrier::Grpc, &token).await;
    let working = Caller { http, token };
    agent.status(AgentStatus::Online).await;
    agent.take(&id).await;

    let file: Attachment = visiting.upload(&id, "what the file says").await.expect_ok().json();
    let mut with_file = message(&id, "here");
    with_file.attachment_ids = vec![file.id.clone()];
    visitor.call(with_file).await;
    agent.hear("here").await;
    assert_eq!(working.download(&file).await.expect_ok().text(), "what the file says");
    let objects = server.objects(PREFIX).expect("a folder");
    let [(key, bytes)] = &objects[..] else { panic!("not one object: {objects:?}") };
    assert!(key.ends_with(&file.id) && key.contains(&ready.site), "{key}");
    assert_eq!(bytes, b"what the file says");
    let well = [("files".to_owned(), "ok".to_owned()), ("files tls".to_owned(), "ok".to_owned())];
    assert_eq!(diagnosis(&cluster, &settings), well);

    server.kill();
    is_away(&visiting.upload(&id, "another").await);
    is_away(&working.download(&file).await);
    visitor.say(&id, "can you open it?").await;
    agent.hear("can you open it?").await;
    agent.say(&id, "not now").await;
    visitor.hear("not now").await;
    assert_eq!(http.get("/readyz").await.status, 200, "chats need no files");
    assert_eq!(diagnosis(&cluster, &settings)[0].1, "fail");

    server.start_again().expect("it starts");
    assert_eq!(working.download(&file).await.expect_ok().text(), "what the file says");
    visiting.upload(&id, "another").await.expect_ok();
    assert_eq!(server.objects(PREFIX).expect("a folder").len(), 2);
    let metrics = http.get("/metrics").await.expect_ok().text();
    let failed = "frontdesk_files_failures_total{operation=\"put\"} 1";
    assert!(metrics.lines().any(|line| line == failed), "{metrics}");

    erase(&cluster, &conversation.visitor.expect("it has one").id);
    assert_eq!(server.objects(PREFIX).expect("a folder"), []);
    assert_eq!(working.download(&file).await.status, 404);
    cluster.stop();
}

/// Forgets a visitor, as a supervisor does.
fn erase(cluster: &Cluster, visitor: &str) {
    let ready = cluster.ready();
    let supervisor = ready.agents.iter().find(|a| a.role == "supervisor").expect("there is one");
    let password = supervisor.password.clone().expect("it is new");
    let words = ["ctl", "--target", &ready.gateways[0], "--email", &supervisor.email];
    let words = [&words[..], &["visitor", "erase", visitor]].concat();
    let erased = frontdesk(&words, &[("password".to_owned(), password)]);
    assert!(erased.status.success(), "{}", String::from_utf8_lossy(&erased.stderr));
}
