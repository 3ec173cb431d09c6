//! What browsers, apps and whoever pretends to be one send.

use crate::checks::{parsed, text};
use crate::{Target, target};
use frontdesk_core::ids::{AgentId, ClientMsgId, ConversationId, QueueId, SiteId};
use frontdesk_core::language::Language;
use frontdesk_core::trace::TraceContext;
use frontdesk_gateway::fuzzing as gateway;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, SendMessage, SignInRequest};
use prost::Message as _;

/// One request of each kind, the same as the tests of rights try.
#[path = "../../tests/bad_input/scopes/samples.rs"]
mod samples;

pub(crate) const ID: &str = "0192f0c0-0000-7000-8000-000000000001";

/// The same each time.
fn fresh_id() -> String {
    ID.to_owned()
}

/// As `samples` names it.
fn message(conversation: &str, text: &str) -> SendMessage {
    SendMessage {
        conversation_id: conversation.to_owned(),
        client_msg_id: "m1".into(),
        text: text.to_owned(),
        ..SendMessage::default()
    }
}

pub(crate) fn targets() -> Vec<Target> {
    [batches(), heads(), bodies_and_tokens(), names()].into_iter().flatten().collect()
}

fn batches() -> Vec<Target> {
    let requests: Vec<Request> = samples::samples(ID, ID);
    let frame = |(n, request)| ClientFrame { id: n, request: Some(request) };
    let frames: Vec<ClientFrame> = (1..).zip(requests).map(frame).collect();
    let batches = frames.chunks(4).map(|frames| ClientBatch { frames: frames.to_vec() });
    let batches: Vec<ClientBatch> = batches.collect();
    let as_json = |batch| serde_json::to_vec(batch).expect("JSON");
    vec![
        target(
            "client-protobuf",
            batches.iter().map(|b| b.encode_to_vec()),
            gateway::protobuf_batch,
        ),
        target("client-json", batches.iter().map(as_json), gateway::json_batch),
        target("websocket", websockets(), gateway::websocket),
    ]
}

/// How it is cut, then frames: whole, in fragments with a ping between, and a close.
fn websockets() -> [Vec<u8>; 2] {
    let frame = |first: u8, payload: &[u8]| {
        let mask = [1, 2, 3, 4];
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        let head = [first, 0x80 | payload.len() as u8];
        head.into_iter().chain(mask).chain(masked).collect::<Vec<u8>>()
    };
    let whole = [vec![0], frame(0x82, b"hello"), frame(0x88, b"")].concat();
    let parts = [frame(0x01, b"hel"), frame(0x89, b"p"), frame(0x80, b"lo"), frame(0x8A, b"")];
    [whole, [vec![3], parts.concat()].concat()]
}

fn heads() -> Vec<Target> {
    let upgrade = "keep-alive, Upgrade\nwebsocket\n13\ndGhlIHNhbXBsZSBub25jZQ==\n\
        frontdesk.v1.proto, frontdesk.v1.json";
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    vec![
        target("upgrade", [upgrade], gateway::upgrade),
        target(
            "origin",
            ["https://shop.example\nchat.example", "https://a.example\nA.example"],
            gateway::origin,
        ),
        target(
            "forwarded-for",
            ["1.1.1.1, 198.51.100.9:80", "[2001:db9::5]:443\n10.0.0.2"],
            gateway::forwarded_for,
        ),
        target("authorization", ["Bearer a.b.c"], gateway::authorization),
        target("cookies", ["a=b; frontdesk-pass=xyz; c=d"], gateway::cookies),
        target("file-name", ["a.png", "..%2Fgr%C3%BC%C3%9Fe.txt"], gateway::file_name),
        target("traceparent", [trace], traceparent),
    ]
}

fn traceparent(bytes: &[u8]) -> bool {
    let said = std::str::from_utf8(bytes).ok();
    let Some(context) = said.and_then(TraceContext::parse) else { return false };
    assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
    true
}

fn bodies_and_tokens() -> Vec<Target> {
    let sign_in = SignInRequest {
        site: "demo".into(),
        email: "ada@shop.example".into(),
        password: "secret".into(),
    };
    let sign_in = serde_json::to_vec(&sign_in).expect("JSON");
    let claims = format!(
        r#"{{"aud":"frontdesk","exp":1800000050,"iat":1800000000,"sub":"{ID}","site":"demo",
        "role":"visitor","name":"Vi","attributes":{{"plan":"gold"}}}}"#
    );
    let files: [&[u8]; 6] = [
        b"hello\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"%PDF-1.7\n",
        b"GIF89a\x01\0\x01\0",
        b"PK\x03\x04\x14\0\0\0\0\0",
    ];
    vec![
        target("sign-in-body", [sign_in], gateway::sign_in_body),
        target(
            "visitor-token-body",
            [r#"{"siteKey":"k","previousToken":""}"#],
            gateway::visitor_token_body,
        ),
        target("file", files, gateway::file),
        target("token", [gateway::sample_token()], gateway::token),
        target("token-claims", [claims], gateway::claims),
        target("page-token", [format!("1800000000000.{ID}")], gateway::page_token),
    ]
}

fn names() -> Vec<Target> {
    vec![
        target("conversation-id", [ID], text::<ConversationId>),
        target("agent-id", [ID], text::<AgentId>),
        target("site-id", ["demo", "acme-eu-1"], text::<SiteId>),
        target("queue-id", ["general"], text::<QueueId>),
        target("message-id", ["m1", ID], message_id),
        target("language", ["de-AT", "gsw", "zh-Hant-TW"], language),
    ]
}

fn message_id(bytes: &[u8]) -> bool {
    let id = parsed::<ClientMsgId>(bytes);
    assert!(id.as_ref().is_none_or(|id| id.as_str().as_bytes() == bytes));
    id.is_some()
}

fn language(bytes: &[u8]) -> bool {
    let tag = std::str::from_utf8(bytes).ok();
    let Some(language) = tag.and_then(Language::of_tag) else { return false };
    assert_eq!(Language::of_tag(language.as_str()), Some(language));
    true
}
