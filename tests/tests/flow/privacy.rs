//! What is kept of a visitor: handed out whole, forgotten without a trace; and what
//! visitors agree to.

use crate::terminal::{ctl, ctl_json, frontdesk};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{
    AddNote, AgentStatus, ErrorCode, Event, EventPush, LeaveContact, RateConversation, SetTags,
    StartConversation,
};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each where it is put in; none is anywhere else.
const NAME: &str = "Mname7Qx";
const EMAIL: &str = "mmail7qx@shop.example";
const PHONE: &str = "+49 3070715521";
const WORD: &str = "Mcontact7Qx";
const TEXT: &str = "Mtext7Qx";
const ANSWER: &str = "Manswer7Qx";
const NOTE: &str = "Mnote7Qx";
const TAG: &str = "mtag7qx";
const ATTRIBUTE: &str = "Mattribute7Qx";
const PAGE: &str = "Mpage7Qx";
const FILE: &str = "Mfile7Qx";
const BYTES: &str = "Mbytes7Qx";
const COMMENT: &str = "Mcomment7Qx";
const ALL: [&str; 13] =
    [NAME, EMAIL, PHONE, WORD, TEXT, ANSWER, NOTE, TAG, ATTRIBUTE, PAGE, FILE, BYTES, COMMENT];

/// Every marker that stands anywhere in the raw bytes of the data folder, and where.
fn found(data: &Path) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--text", "--only-matching", "--fixed-strings"]);
    grep.args(ALL.iter().flat_map(|marker| ["-e", marker]));
    let output = grep.arg(data).output().expect("grep runs");
    let mut found: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

fn start(text: &str) -> StartConversation {
    StartConversation {
        conversation_id: fresh_id(),
        visitor_name: NAME.into(),
        page: format!("https://shop.example/{PAGE}"),
        attributes: [("plan".to_owned(), ATTRIBUTE.to_owned())].into(),
        first_message: Some(message("", text)),
        ..StartConversation::default()
    }
}

/// A conversation with all there is in it, ended and rated.
async fn told(server: &Server, visitor: &mut Wire, token: &str, agent: &mut Wire) -> String {
    let id = visitor.call(start(TEXT)).await.conversation_id;
    let contact = LeaveContact {
        conversation_id: id.clone(),
        email: EMAIL.into(),
        phone: PHONE.into(),
        text: WORD.into(),
    };
    visitor.call(contact).await;
    agent.status(AgentStatus::Online).await;
    agent.take(&id).await;
    let (gateway, name) = (server.gateway(), format!("{FILE}.txt"));
    let file = frontdesk_client::upload(&gateway, token, &id, &name, BYTES.as_bytes()).await;
    let mut with_file = message(&id, "");
    with_file.attachment_ids = vec![file.expect("uploaded").id];
    visitor.call(with_file).await;
    agent.say(&id, &format!("{ANSWER}, dear {NAME}")).await;
    let note = AddNote {
        conversation_id: id.clone(),
        client_msg_id: fresh_id(),
        text: NOTE.into(),
        ..AddNote::default()
    };
    agent.call(note).await;
    agent.call(SetTags { conversation_id: id.clone(), tags: vec![TAG.into()] }).await;
    agent.close(&id).await;
    let (conversation_id, comment) = (id.clone(), COMMENT.to_owned());
    visitor.call(RateConversation { conversation_id, score: 2, comment }).await;
    id
}

fn is_erased(event: &Event) -> bool {
    matches!(event.body, Some(Body::Erased(_)))
}

fn seqs(events: &[EventPush]) -> Vec<u32> {
    events.iter().filter_map(|push| push.event.as_ref()).map(|event| event.seq).collect()
}

fn check_export(folder: &Path) {
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("readable");
    let text = read(folder.join("visitor.json"));
    for marker in ALL.into_iter().filter(|m| ![NOTE, TAG, BYTES].contains(m)) {
        assert!(text.contains(marker), "{marker} is missing: {text}");
    }
    assert!(!text.contains(NOTE) && !text.contains(TAG), "what is the staff's");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(whole.as_array().map(Vec::len), Some(2));
    let file = &whole[0]["files"][0];
    let file = if file.is_null() { &whole[1]["files"][0] } else { file };
    let path = folder.join("files").join(file["id"].as_str().expect("an id"));
    assert_eq!(read(path), BYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_handed_out_whole_and_forgotten_without_a_trace() {
    let plan = Plan::default().set("sessions.snapshot_events", 3);
    let mut server = plan.start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    let ended = told(&server, &mut visitor, &token, &mut agent).await;
    let open = visitor.call(start(&format!("{TEXT} again"))).await.conversation_id;
    agent.take(&open).await;
    visitor.say(&open, &format!("{TEXT} and again")).await;
    let mut other = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let others = other.start("not to be forgotten").await.conversation_id;
    let before = agent.history(&ended).await;
    let there = found(server.data());
    for marker in ALL {
        assert!(there.iter().any(|at| at.ends_with(marker)), "{marker} is nowhere: {there:?}");
    }

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let out = folder.path().join("export");
    ctl(&server, &["visitor", "export", EMAIL, "--to", &out.display().to_string()]);
    check_export(&out);
    let dry = ctl_json(&server, &["visitor", "erase", EMAIL, "--dry-run"]);
    assert_eq!((&dry["conversations"], &dry["files"]), (&2.into(), &1.into()));
    assert_eq!(agent.history(&ended).await, before, "a dry run changes nothing");
    let alex = server.agent(0);
    let refused = frontdesk(&server, Some(&alex), &["ctl", "visitor", "erase", EMAIL]).output();
    assert!(!refused.expect("the binary runs").status.success(), "an agent may not");

    let done = ctl_json(&server, &["visitor", "erase", EMAIL]);
    assert_eq!((&done["conversations"], &done["files"]), (&2.into(), &1.into()));
    assert_eq!(found(server.data()), [""; 0], "while it runs");
    agent.event("the open one is over", |e| e.conversation_id == open && is_erased(e)).await;
    let after = agent.history(&ended).await;
    let last = before.len() as u32 + 1;
    assert_eq!(seqs(&after), (1..=last).collect::<Vec<_>>());
    assert!(after.last().and_then(|p| p.event.as_ref()).is_some_and(is_erased));
    let silent = visitor.request(Request::Send(message(&open, "still there?"))).await;
    assert_eq!(silent.expect_err("over").code(), ErrorCode::FailedPrecondition);

    let again = ctl_json(&server, &["visitor", "erase", done["visitors"][0].as_str().expect("id")]);
    assert!(again["conversations"].is_null() && again["files"].is_null(), "{again}");
    let log = ctl(&server, &["-o", "json", "audit", "--act", "erase_visitor"]);
    assert!(log.contains(done["visitors"][0].as_str().expect("id")) && !log.contains(EMAIL));
    server.terminate();
    assert_eq!(found(server.data()), [""; 0], "after an orderly end");
    server.start_again().await;
    let mut sue = Wire::staff(&server, Carrier::Grpc, &server.supervisor()).await;
    assert_eq!(seqs(&sue.history(&ended).await), seqs(&after));
    sue.subscribe(&others).await;
    sue.hear("not to be forgotten").await;
    assert_eq!(found(server.data()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_agrees_to_what_the_site_asks_first() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("desk.yaml");
    let document = "consent: { version: '2', text: { en: May we keep what you write? } }\n\
        queues: [{ name: general }]\n";
    std::fs::write(&file, document).expect("written");
    ctl(&server, &["apply", "-f", &file.display().to_string()]);
    let token = server.visitor_token().await.token;
    let (mut visitor, welcome) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let asked = welcome.consent.expect("the site asks");
    assert_eq!((asked.version.as_str(), &*asked.text["en"]), ("2", "May we keep what you write?"));
    for version in ["", "1"] {
        let start = StartConversation { consent_version: version.into(), ..start("Hello") };
        let refused = visitor.request(Request::Start(start)).await.expect_err("not agreed");
        assert_eq!(refused.code(), ErrorCode::FailedPrecondition, "{version:?}");
        assert!(refused.message.contains("version 2"), "{}", refused.message);
    }
    let agreed = StartConversation { consent_version: "2".into(), ..start("Hello") };
    let id = visitor.call(agreed).await.conversation_id;
    let events = visitor.history(&id).await;
    let Some(Body::Started(started)) = events[0].event.as_ref().and_then(|e| e.body.clone()) else {
        panic!("not begun: {events:?}");
    };
    let consent = started.consent.expect("it is written down");
    assert_eq!(consent.accepted_at, events[0].event.as_ref().expect("one").at);
    let shown = ctl_json(&server, &["show", &id]);
    assert_eq!(shown["conversation"]["consent"]["version"], "2");
}
