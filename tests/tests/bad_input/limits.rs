//! The documented limits, from both sides, and ids that mean nothing.

use crate::{error_push, refused};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{
    AddNote, AgentStatus, Cursor, ErrorCode, Hello, MarkRead, RateConversation, SendMessage,
    SetTags, StartConversation, Subscribe,
};
use frontdesk_tests::process::Process;
use frontdesk_tests::server::{Plan, Server, dev_command};
use frontdesk_tests::wire::{Wire, fresh_id, message, texts};
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

/// Of the documentation of `SendMessage.text`.
const MAX_TEXT: usize = 32 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn cursors_from_the_future_are_refused() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut owner, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let state = owner.start("the only message").await;
    let (id, head) = (state.conversation_id, state.head_seq);
    for carrier in Carrier::ALL {
        let (mut wire, _) = Wire::open(&server, carrier, &token).await;
        for seq in [head + 1, u32::MAX] {
            let cursor = Cursor { conversation_id: id.clone(), seq };
            let subscribe = Request::Subscribe(Subscribe { cursor: Some(cursor.clone()) });
            refused(&mut wire, subscribe, ErrorCode::InvalidArgument).await;
            let read = MarkRead { conversation_id: id.clone(), seq };
            refused(&mut wire, Request::MarkRead(read), ErrorCode::InvalidArgument).await;

            let (mut resuming, welcome) =
                Wire::resume(&server, carrier, &token, vec![cursor]).await;
            assert!(welcome.resumed.is_empty());
            let error = error_push(&mut resuming).await;
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert_eq!(error.conversation_id, id);
            resuming.subscribe(&id).await;
            resuming.hear("the only message").await;
        }
        let absent = Request::Subscribe(Subscribe { cursor: None });
        refused(&mut wire, absent, ErrorCode::InvalidArgument).await;
    }
    let resume = vec![Cursor { conversation_id: id, seq: 0 }; 101];
    let mut wire = Wire::connect(&server, Carrier::WebSocketProtobuf).await;
    let hello = Hello { token, resume, ..Hello::default() };
    refused(&mut wire, Request::Hello(hello), ErrorCode::InvalidArgument).await;
    assert_eq!(wire.end().await, 4202);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_may_be_large_but_neither_empty_nor_larger() {
    let server = Server::start().await;
    for carrier in Carrier::ALL {
        let mut wire = Wire::visitor(&server, carrier).await;
        let id = wire.start("first").await.conversation_id;
        // Three bytes each, so that bytes and characters are not confused.
        let largest = "界".repeat(MAX_TEXT / 3) + &"x".repeat(MAX_TEXT % 3);
        wire.say(&id, &largest).await;
        let larger = largest.clone() + "x";
        for text in ["", &larger] {
            let send = Request::Send(message(&id, text));
            refused(&mut wire, send, ErrorCode::InvalidArgument).await;
        }
        wire.say(&id, "last").await;
        let said = texts(&wire.history(&id).await);
        assert!(said == ["first", largest.as_str(), "last"], "{carrier:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_message_is_appended_once_for_ever() {
    let mut server = Plan::default().set("gateway.request_burst", 1_000).start().await;
    let token = server.visitor_token().await.token;
    let (mut wire, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = wire.start("first").await.conversation_id;
    let once = message(&id, "only once");
    let first = wire.call(once.clone()).await;
    assert!(!first.duplicate);
    // More than the owner remembers in memory.
    for n in 0..100 {
        wire.say(&id, &format!("filler {n}")).await;
    }
    server.kill();
    server.start_again().await;
    for carrier in Carrier::ALL {
        let (mut wire, _) = Wire::open(&server, carrier, &token).await;
        let again = wire.call(once.clone()).await;
        assert!(again.duplicate);
        assert_eq!((again.seq, again.at), (first.seq, first.at));
        let said = texts(&wire.history(&id).await);
        assert_eq!(said.iter().filter(|t| *t == "only once").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_sizes_are_checked() {
    let server = Plan::default().set("gateway.request_burst", 1_000).start().await;
    let mut wire = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = wire.start("first").await.conversation_id;
    for bad in ["", "x", "0190aaaa", &"9".repeat(500), "../../etc", "你好"] {
        let send = Request::Send(message(bad, "to nobody"));
        refused(&mut wire, send, ErrorCode::InvalidArgument).await;
    }
    for bad in [String::new(), "x".repeat(65)] {
        let send = SendMessage { client_msg_id: bad, ..message(&id, "without a name") };
        refused(&mut wire, Request::Send(send), ErrorCode::InvalidArgument).await;
    }
    let eleven = vec![fresh_id(); 11];
    let send = SendMessage { attachment_ids: eleven, ..message(&id, "files") };
    refused(&mut wire, Request::Send(send), ErrorCode::InvalidArgument).await;
    let send = SendMessage { attachment_ids: vec![fresh_id()], ..message(&id, "a file") };
    refused(&mut wire, Request::Send(send), ErrorCode::NotFound).await;
    for score in [0, 6, 300] {
        let conversation_id = id.clone();
        let rate = RateConversation { conversation_id, score, comment: String::new() };
        refused(&mut wire, Request::Rate(rate), ErrorCode::InvalidArgument).await;
    }
    let comment = "x".repeat(2_001);
    let rate = RateConversation { conversation_id: id.clone(), score: 3, comment };
    refused(&mut wire, Request::Rate(rate), ErrorCode::InvalidArgument).await;
    assert_eq!(texts(&wire.history(&id).await), ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_keeps_within_its_limits() {
    let server = Plan::default().set("gateway.request_burst", 1_000).start().await;
    let mut wire = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let start = || StartConversation { conversation_id: fresh_id(), ..Default::default() };
    let attributes = |count: usize, key: usize, value: usize| -> HashMap<String, String> {
        (0..count).map(|n| (format!("{n:0key$}"), "v".repeat(value))).collect()
    };
    let bad = [
        StartConversation { conversation_id: "mine".into(), ..start() },
        // A UUID, but of no time at all.
        StartConversation {
            conversation_id: "9b2f3c1e-5d4a-4f6b-8c7d-0e1f2a3b4c5d".into(),
            ..start()
        },
        StartConversation { queue: "no-such-queue".into(), ..start() },
        StartConversation { queue: "Not A Name".into(), ..start() },
        StartConversation { attributes: attributes(33, 2, 1).into_iter().collect(), ..start() },
        StartConversation { attributes: attributes(1, 65, 1).into_iter().collect(), ..start() },
        StartConversation { attributes: attributes(1, 2, 1_025).into_iter().collect(), ..start() },
        StartConversation { page: "p".repeat(2_049), ..start() },
        StartConversation { language: "l".repeat(36), ..start() },
        StartConversation { visitor_name: "n".repeat(81), ..start() },
    ];
    for request in bad {
        refused(&mut wire, Request::Start(request), ErrorCode::InvalidArgument).await;
    }
    let most = attributes(32, 64, 1_024).into_iter().collect();
    wire.call(StartConversation { attributes: most, ..start() }).await;
    let twice = start();
    for _ in 0..2 {
        wire.call(twice.clone()).await;
    }
    for _ in 2..5 {
        wire.call(start()).await;
    }
    refused(&mut wire, Request::Start(start()), ErrorCode::FailedPrecondition).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_words_keep_within_their_limits() {
    let server = Server::start().await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("Hello").await.conversation_id;
    let mut agent = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    agent.take(&id).await;
    for text in [String::new(), "x".repeat(MAX_TEXT + 1)] {
        let (conversation_id, client_msg_id) = (id.clone(), fresh_id());
        let note = AddNote { conversation_id, client_msg_id, text, ..AddNote::default() };
        refused(&mut agent, Request::AddNote(note), ErrorCode::InvalidArgument).await;
    }
    let too_many = (0..21).map(|n| format!("tag-{n}")).collect();
    for tags in [too_many, vec![String::new()], vec!["t".repeat(65)]] {
        let tags = SetTags { conversation_id: id.clone(), tags };
        refused(&mut agent, Request::SetTags(tags), ErrorCode::InvalidArgument).await;
    }
    agent.close(&id).await;
    let late = Request::Send(message(&id, "too late"));
    refused(&mut visitor, late, ErrorCode::FailedPrecondition).await;
}

/// Many a service manager leaves it at 1,024, which a gateway's clients are beyond.
#[tokio::test(flavor = "multi_thread")]
async fn a_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = dev_command(folder.path(), "127.0.0.1:0", &[]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -Sn 512 && ulimit -Hn 2048 && exec \"$@\"", "sh"]);
    limited.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let mut process = Process::start(&mut limited);
    assert!(process.line().await.is_some_and(|line| line.contains("ready")));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id()));
    let limits = limits.expect("it runs");
    let files = limits.lines().find(|line| line.starts_with("Max open files"));
    let numbers: Vec<&str> = files.expect("it has one").split_whitespace().skip(3).collect();
    assert_eq!(numbers, ["2048", "2048", "files"]);
    assert!(process.terminate(Duration::from_secs(15)).success());
}
