//! A site's configuration from a document, in force while agents are connected.

use crate::terminal::{ctl, ctl_json, frontdesk};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_proto::v1::{AgentStatus, StartConversation};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use std::path::Path;

/// The first document that GUIDE.md shows.
fn example() -> String {
    examples().swap_remove(0)
}

/// Every document that GUIDE.md shows.
fn examples() -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../GUIDE.md");
    let guide = std::fs::read_to_string(guide).expect("there is a guide");
    let parts = guide.split("```yaml\n").skip(1).filter(|part| part.contains("queues:"));
    parts.map(|part| part.split("```").next().expect("it ends").to_owned()).collect()
}

fn write(folder: &Path, text: &str) -> String {
    let file = folder.join("desk.yaml");
    std::fs::write(&file, text).expect("a file can be written");
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_skilled_agent_is_asked_and_ctl_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Plan::default().extra_agents(1).start().await;
    // Both are connected before anything is configured.
    let mut novice = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(1)).await;
    novice.status(AgentStatus::Online).await;
    let mut alex = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;

    let file = write(folder.path(), &example());
    let planned = ctl(&server, &["apply", "-f", &file, "--dry-run"]);
    assert!(planned.contains("+ queue tax") && planned.contains("none was made"), "{planned}");
    let done = ctl(&server, &["apply", "-f", &file]);
    assert!(done.contains("is in force"), "{done}");
    let again = ctl(&server, &["apply", "-f", &file]);
    assert!(again.starts_with("nothing differs"), "{again}");

    alex.push("six slots", |frame| match frame {
        Frame::AgentState(state) => (state.capacity == 6).then_some(()),
        _ => None,
    })
    .await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let (conversation_id, queue) = (fresh_id(), "tax".into());
    let start = StartConversation { conversation_id, queue, ..StartConversation::default() };
    let id = visitor.call(start).await.conversation_id;
    alex.take(&id).await;

    let explained = ctl_json(&server, &["explain", &id]);
    assert_eq!((&explained["queue"], &explained["required"]["tax"]), (&"tax".into(), &4.into()));
    let verdict = |name: &str| {
        let candidates = explained["candidates"].as_array().expect("a list");
        let found = candidates.iter().find(|c| c["name"] == name).expect("was looked at");
        found["verdict"].as_str().expect("text").to_owned()
    };
    assert_eq!((verdict("Agent 1"), verdict("Alex")), ("unskilled".into(), "chosen".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_choose_the_queue_and_ctl_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Server::start().await;
    let file = write(folder.path(), &example());
    ctl(&server, &["apply", "-f", &file]);
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let begin = |page: &str, language: &str, text: &str| StartConversation {
        conversation_id: fresh_id(),
        page: page.into(),
        language: language.into(),
        attributes: [("tier".to_owned(), "gold".to_owned())].into(),
        first_message: Some(v1::SendMessage {
            client_msg_id: fresh_id(),
            text: text.into(),
            ..v1::SendMessage::default()
        }),
        ..StartConversation::default()
    };
    let vat = visitor.call(begin("", "fr", "My VAT number, please")).await;
    assert_eq!(vat.queue, "tax");
    let page = visitor.call(begin("https://shop.example/tax/2", "de-AT", "Hallo")).await;
    assert_eq!(page.queue, "tax");
    let other = visitor.call(begin("https://shop.example/tax/2", "fr", "Salut")).await;
    assert_eq!(other.queue, "general");

    let ask = ["route", "--text", "my vat", "--attribute", "tier=gold"];
    assert_eq!(ctl(&server, &ask).trim(), "tax");
    let why = ctl_json(&server, &["route", "--explain", "--text", "my vat", "--language", "de"]);
    assert_eq!(why["queue"], "general");
    assert!(why["rule"].is_null(), "no rule: the default");
    let missed = |nth: usize| (&why["missed"][nth]["rule"], &why["missed"][nth]["condition"]);
    assert_eq!(missed(0), (&"tax pages".into(), &"page".into()));
    assert_eq!(missed(1), (&"asks about VAT".into(), &"attribute tier".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_of_the_readme_can_work() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Server::start().await;
    let examples = examples();
    assert!(examples.len() >= 2);
    for example in examples {
        let planned = ctl(&server, &["apply", "-f", &write(folder.path(), &example), "--dry-run"]);
        assert!(planned.contains("none was made"), "{planned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Server::start().await;
    let file = write(folder.path(), "queues:\n  - name: a\n  - { name: b, weight: 500 }\n");
    let supervisor = server.supervisor();
    let mut refused = frontdesk(&server, Some(&supervisor), &["ctl", "apply", "-f", &file]);
    let refused = refused.output().expect("the binary runs");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("{file}:3:")) && errors.contains("weight 500"), "{errors}");
    assert!(!ctl(&server, &["queues"]).contains("\nb "), "it is as it was");

    let agent = server.agent(0);
    let mut forbidden = frontdesk(&server, Some(&agent), &["ctl", "apply", "-f", &file]);
    let forbidden = forbidden.output().expect("the binary runs");
    assert!(String::from_utf8_lossy(&forbidden.stderr).contains("supervisor"));
}
