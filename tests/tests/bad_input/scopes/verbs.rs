//! The client protocol, cell by cell.

use super::rules::{rule, spends};
use super::samples::samples;
use super::world::World;
use super::{CALLERS, Cell};
use frontdesk_proto::DESCRIPTORS;
use frontdesk_proto::v1::Error;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_tests::wire::{Wire, fresh_id};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use std::collections::BTreeSet;

#[test]
fn there_is_one_sample_of_each_verb_of_the_schema() {
    let schema = FileDescriptorSet::decode(DESCRIPTORS).expect("the schema");
    let mut messages = schema.file.iter().flat_map(|file| &file.message_type);
    let frame = messages.find(|message| message.name() == "ClientFrame").expect("it has frames");
    let verbs = frame.field.iter().filter(|field| field.oneof_index.is_some());
    let verbs: BTreeSet<&str> = verbs.map(|field| field.name()).collect();
    let sampled = samples("", "");
    assert_eq!(sampled.iter().map(|request| rule(request).0).collect::<BTreeSet<_>>(), verbs);
    assert_eq!(sampled.len(), verbs.len(), "a verb has two samples");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_of_every_role_does_what_the_table_says() {
    let mut world = World::start().await;
    let mut wrong = Vec::new();
    for n in 0..samples("", "").len() {
        for (who, place) in CALLERS {
            let id = world.conversation(who, place).await;
            let request = samples(&id, &world.colleague)[n].clone();
            let (verb, rule) = rule(&request);
            // It is never answered.
            if let Request::Pong(_) = request {
                continue;
            }
            let expected = rule.cell(who, place);
            let colleague = world.colleague.clone();
            let wire = world.wire(who, place).await;
            let answer = wire.request(request.clone()).await.err();
            let seen = Cell::of(answer.as_ref());
            if seen != expected {
                wrong.push(format!("{verb} {who:?} {place:?}: {seen:?}, not {expected:?}"));
            }
            if seen == Cell::Absent {
                let none = fresh_id();
                let request = samples(&none, &colleague)[n].clone();
                if let Some(told) = tells_apart(wire, request, (&id, answer), &none).await {
                    wrong.push(format!("{verb} {who:?} {place:?} tells that it exists: {told}"));
                }
            }
            if seen == Cell::May && spends(&request) {
                world.spend(who, place);
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n  {}", wrong.len(), wrong.join("\n  "));
}

/// How the answer about a conversation that exists differs from that about none.
async fn tells_apart(
    wire: &mut Wire,
    about_none: Request,
    (id, answer): (&str, Option<Error>),
    none: &str,
) -> Option<String> {
    // An id that nobody has yet is the new conversation's.
    if let Request::Start(_) = about_none {
        return None;
    }
    let other = wire.request(about_none).await.err();
    let plain = |error: Option<Error>, id: &str| format!("{error:?}").replace(id, "ID");
    let (exists, absent) = (plain(answer, id), plain(other, none));
    (exists != absent).then(|| format!("{exists} / {absent}"))
}
