//! A copy of a running server, restored, goes on as if nothing had happened.

use crate::terminal::ctl;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{
    AddNote, AgentStatus, Attachment, RateConversation, SetTags, StartConversation,
};
use frontdesk_tests::accounts::Account;
use frontdesk_tests::binary;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const FILE: &[u8] = b"an invoice";

/// `frontdesk ctl`, without any server.
fn frontdesk(words: &[&str]) -> Output {
    Command::new(binary::frontdesk()).arg("ctl").args(words).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

async fn token(server: &Server, account: &Account) -> String {
    let ask = json!({ "site": "demo", "email": account.email, "password": account.password });
    let answer = server.http().post("/v1/agent/sign-in", &ask).await.expect_ok();
    answer.json::<Value>()["token"].as_str().expect("a token").to_owned()
}

/// All events as the staff sees them.
async fn transcript(server: &Server, token: &str, id: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{id}/transcript?format=json");
    let whole: Value = server.http().get_as(token, &path).await.expect_ok().json();
    whole["events"].as_array().expect("events").clone()
}

/// A conversation with a note, a file, tags and a rating; ended.
async fn told(
    server: &Server,
    visitor: &mut Wire,
    visitor_token: &str,
    agent: &mut Wire,
) -> String {
    let id = visitor.start("Hello 你好").await.conversation_id;
    agent.take(&id).await;
    let gateway = server.gateway();
    let file = frontdesk_client::upload(&gateway, visitor_token, &id, "invoice.txt", FILE).await;
    let file: Attachment = file.expect("uploaded");
    let mut with_file = message(&id, "see the file");
    with_file.attachment_ids = vec![file.id];
    visitor.call(with_file).await;
    let note = AddNote {
        conversation_id: id.clone(),
        client_msg_id: fresh_id(),
        text: "looks fine".into(),
        ..AddNote::default()
    };
    agent.call(note).await;
    agent.call(SetTags { conversation_id: id.clone(), tags: vec!["billing".into()] }).await;
    agent.say(&id, "All is well").await;
    agent.close(&id).await;
    let comment = "quick".to_owned();
    visitor.call(RateConversation { conversation_id: id.clone(), score: 5, comment }).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_is_restored_and_goes_on() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let desk = folder.path().join("desk.yaml");
    let document = "queues: [{ name: general }, { name: tax, weight: 2 }]\n";
    std::fs::write(&desk, document).expect("written");
    ctl(&server, &["apply", "-f", &desk.display().to_string()]);
    let visitor_token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &visitor_token).await;
    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let ended = told(&server, &mut visitor, &visitor_token, &mut agent).await;
    // Nobody is asked: it waits in the backup, too.
    agent.status(AgentStatus::Away).await;
    let live = visitor
        .call(StartConversation { conversation_id: fresh_id(), ..StartConversation::default() })
        .await
        .conversation_id;
    let sent = visitor.say(&live, "before the backup").await;

    let backup = folder.path().join("backup");
    let (place, data) = (backup.display().to_string(), server.data().display().to_string());
    let asked = [place.clone(), data];
    let making =
        tokio::task::spawn_blocking(move || frontdesk(&["backup", &asked[0], "--data", &asked[1]]));
    let mut during = 0;
    while !making.is_finished() {
        visitor.say(&live, &format!("message {during}")).await;
        during += 1;
        // A person may say so much and no more.
        visitor.attend(tokio::time::sleep(Duration::from_millis(60))).await;
    }
    let made = making.await.expect("it ends");
    assert!(made.status.success(), "{}", said(&made));
    assert!(during > 0, "nothing was sent meanwhile");
    let checked = frontdesk(&["-o", "json", "backup", &place, "--check"]);
    let manifest: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!(manifest["contents"]["conversations"], 2);

    let restored = folder.path().join("restored");
    let into = restored.display().to_string();
    let done = frontdesk(&["restore", &place, "--data", &into]);
    assert!(done.status.success(), "{}", said(&done));
    let twice = frontdesk(&["restore", &place, "--data", &into]);
    assert_eq!((twice.status.code(), said(&twice).lines().count()), (Some(2), 1));
    spoil(&backup.join("journal.db"));
    let spoilt = frontdesk(&["backup", &place, "--check"]);
    assert_eq!(spoilt.status.code(), Some(1));
    assert!(said(&spoilt).contains("its checksum is another"), "{}", said(&spoilt));

    let new = Plan::default().data(&restored).start().await;
    let supervisor = server.supervisor();
    let (old_sue, sue) = (token(&server, &supervisor).await, token(&new, &supervisor).await);
    let before = transcript(&server, &old_sue, &ended).await;
    assert_eq!(transcript(&new, &sue, &ended).await, before);
    let (theirs, ours) =
        (transcript(&server, &old_sue, &live).await, transcript(&new, &sue, &live).await);
    let kept = ours.iter().take_while(|event| theirs.contains(event)).count();
    assert!(kept >= sent.seq as usize, "{kept} of {}", sent.seq);
    assert_eq!(ours[..kept], theirs[..kept]);
    let file = before.iter().find_map(|e| e["event"]["message"]["attachments"][0]["id"].as_str());
    let path = format!("/v1/attachments/{}", file.expect("a file"));
    assert_eq!(new.http().get_as(&sue, &path).await.expect_ok().body, FILE);

    // With the token of before, at the place of before.
    let (mut visitor, _) = Wire::open(&new, Carrier::WebSocketProtobuf, &visitor_token).await;
    let mut agent = Wire::open(&new, Carrier::Grpc, &token(&new, &server.agent(0)).await).await.0;
    agent.status(AgentStatus::Online).await;
    visitor.subscribe(&live).await;
    let said = visitor.say(&live, "and on it goes").await;
    assert!(said.seq > sent.seq);
    agent.take(&live).await;
    visitor.event("an agent has it", |e| matches!(e.body, Some(Body::Assigned(_)))).await;
}

fn spoil(path: &Path) {
    let mut bytes = std::fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("writable");
}
