//! The decoders, each with samples that it must take.

use crate::scopes::samples;
use frontdesk_cluster::{DeskQuestion, Question};
use frontdesk_core::conversation::{Command, Conversation, StartRequest};
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::{ConversationId, Seq, SiteId};
use frontdesk_core::language::Language;
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_core::time::Timestamp;
use frontdesk_gateway::Network;
use frontdesk_proto::convert::{decode_event, encode_event};
use frontdesk_proto::internal::{DeliverRequest, DeliveryBatch, Document, LinkAsk, RaftCall};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, ServerBatch};
use frontdesk_tests::wire::fresh_id;
use prost::Message;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use uuid::Uuid;

/// A decoder.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) corpus: Vec<Vec<u8>>,
    /// Whether it took the input.
    pub(super) decode: fn(&[u8]) -> bool,
}

fn target(name: &'static str, corpus: Vec<Vec<u8>>, decode: fn(&[u8]) -> bool) -> Target {
    Target { name, corpus, decode }
}

pub(super) fn targets() -> Vec<Target> {
    let batches = batches();
    let binary = batches.iter().map(Message::encode_to_vec).collect();
    let json = batches.iter().map(|batch| serde_json::to_vec(batch).expect("JSON")).collect();
    let (conversation, events) = conversation();
    let snapshot = serde_json::to_vec(&conversation).expect("JSON");
    vec![
        target("client batches in Protobuf", binary, again::<ClientBatch>),
        target("client batches in JSON", json, read::<ClientBatch>),
        target(
            "server batches",
            vec![ServerBatch::default().encode_to_vec()],
            again::<ServerBatch>,
        ),
        target("events of the journal", events, event),
        target("deliveries of the bus", vec![Vec::new()], again::<DeliveryBatch>),
        target("deliveries of peers", vec![Vec::new()], again::<DeliverRequest>),
        target("commands of peers", vec![Vec::new()], again::<LinkAsk>),
        target("calls of voters", vec![Vec::new()], again::<RaftCall>),
        target("documents of peers", vec![Vec::new()], again::<Document>),
        target("questions of peers", questions(), read::<Question>),
        target("snapshots", vec![snapshot], read::<Conversation>),
        target("opening hours", vec![b"null".to_vec()], read::<Option<Hours>>),
        target("a site's configuration", documents(), configuration),
        target("settings", vec![settings()], read::<frontdesk_gateway::Settings>),
        target("ids", vec![fresh_id().into_bytes()], text::<ConversationId>),
        target("names", vec![b"demo".to_vec()], text::<SiteId>),
        target(
            "networks",
            vec![b"10.0.0.0/8".to_vec(), b"2001:db8::/32".to_vec()],
            text::<Network>,
        ),
        target("languages", vec![b"de-AT".to_vec(), b"gsw".to_vec()], language),
    ]
}

/// What is read is written and read again as the same.
fn again<M: Message + Default + PartialEq>(bytes: &[u8]) -> bool {
    let Ok(message) = M::decode(bytes) else { return false };
    let copy = M::decode(&*message.encode_to_vec());
    assert!(copy.is_ok_and(|copy| copy.encode_to_vec() == message.encode_to_vec()));
    true
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> bool {
    serde_json::from_slice::<T>(bytes).is_ok()
}

fn text<T: FromStr>(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<T>().is_ok())
}

fn language(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|tag| Language::of_tag(tag).is_some())
}

fn event(bytes: &[u8]) -> bool {
    decode_event(bytes, Seq::ZERO).is_ok()
}

fn configuration(bytes: &[u8]) -> bool {
    let site = "demo".parse().expect("a name");
    std::str::from_utf8(bytes).is_ok_and(|text| frontdesk_desk::trial(text, &site, &[]).is_ok())
}

fn batches() -> Vec<ClientBatch> {
    let requests: Vec<Request> = samples(&fresh_id(), &fresh_id());
    let frame = |(n, request)| ClientFrame { id: n, request: Some(request) };
    let frames: Vec<ClientFrame> = (1..).zip(requests).map(frame).collect();
    frames.chunks(4).map(|frames| ClientBatch { frames: frames.to_vec() }).collect()
}

/// A conversation with its first events.
fn conversation() -> (Conversation, Vec<Vec<u8>>) {
    let who = Principal {
        site: "demo".parse().expect("a name"),
        role: Role::Visitor,
        id: Uuid::now_v7(),
        name: "Vi".into(),
    };
    let start = StartRequest {
        queue: "general".parse().expect("a name"),
        attributes: [("plan".into(), "gold".into())].into(),
        page: "https://shop.example/cart".into(),
        language: "de-AT".into(),
        channel: Some("web".into()),
        extra_minutes: 3,
        consent: None,
        first_message: Some(("m1".parse().expect("an id"), "grüße".into())),
    };
    let (id, at) = (ConversationId::from_uuid(Uuid::now_v7()), Timestamp::from_millis(1));
    let opened = Conversation::open(id, &Origin::Client(who), &Command::Start(start), at);
    let (conversation, step) = opened.expect("a visitor may begin");
    let events = step.events.iter().map(|event| encode_event(event).to_vec()).collect();
    (conversation, events)
}

fn questions() -> Vec<Vec<u8>> {
    let site: SiteId = "demo".parse().expect("a name");
    let all = [
        Question::Desk(DeskQuestion::Sites),
        Question::Desk(DeskQuestion::Generations { site: site.clone() }),
        Question::Desk(DeskQuestion::Apply { site, document: "title: x".into(), dry_run: true }),
    ];
    all.iter().map(|question| serde_json::to_vec(question).expect("JSON")).collect()
}

fn documents() -> Vec<Vec<u8>> {
    let readme = include_str!("../../../../README.md");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|text| configuration(text.as_bytes())).map(|text| text.into()).collect()
}

fn settings() -> Vec<u8> {
    serde_json::to_vec(&frontdesk_gateway::Settings::default()).expect("JSON")
}
