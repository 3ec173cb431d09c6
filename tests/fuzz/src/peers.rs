//! What the processes of a cluster send each other, also by way of Redis.

use crate::checks::message;
use crate::clients::ID;
use crate::{Target, stored, target};
use frontdesk_bus::fuzzing as bus;
use frontdesk_cluster::{DeskQuestion, Question, fuzzing as cluster};
use frontdesk_core::ids::SiteId;
use frontdesk_core::presence::Command;
use frontdesk_gateway::fuzzing as gateway;
use frontdesk_proto::convert::{error_from_failure, error_to_failure, trace_from_proto};
use frontdesk_proto::internal::link_ask::Ask;
use frontdesk_proto::internal::{
    DeliverRequest, DeliveryBatch, Document, Failure, LinkAsk, LinkDown, LinkHint, LinkUp, RaftCall,
};
use frontdesk_proto::v1::{Ping, ServerFrame, server_frame::Frame};
use prost::Message as _;

pub(crate) fn targets() -> Vec<Target> {
    let push = ServerFrame { id: 0, frame: Some(Frame::Ping(Ping {})) };
    vec![
        target("raft", cluster::sample_requests(), cluster::raft),
        target("raft-log", [log()], cluster::log),
        target("raft-call", [""], message::<RaftCall>),
        target("documents", documents(), cluster::document),
        target("document", [""], message::<Document>),
        target("link-up", [link()], link_up),
        target("link-down", [""], message::<LinkDown>),
        target("failure", [""], failure),
        target("deliver-request", [""], message::<DeliverRequest>),
        target("delivery-batch", [deliveries()], message::<DeliveryBatch>),
        target("bus-message", bus::sample_messages(), bus::message),
        target("bus-event", stored::events(), gateway::event),
        target("bus-push", [push.encode_to_vec()], gateway::push),
    ]
}

/// A site opens and an agent comes, as voters log it.
fn log() -> String {
    let agent = format!(r#"{{"site":"demo","agent":"{ID}"}}"#);
    let profile = r#"{"name":"Ada","capacity":3,"queues":["general"],"supervisor":false}"#;
    [
        r#"{"join_node":{"node":"gateway-1","role":"gateway"}}"#.to_owned(),
        r#"{"join_node":{"node":"sessions-1","role":"sessions","address":"10.0.0.1:1"}}"#.into(),
        r#"{"assign_shards":{"shards":[1,2],"node":"sessions-1"}}"#.into(),
        format!(
            r#"{{"connect":{{"key":{agent},"profile":{profile},"gateway":"gateway-1",
            "connection":"{ID}"}}}}"#
        )
        .replace('\n', ""),
        format!(r#"{{"set_status":{{"key":{agent},"status":"online","reason":""}}}}"#),
        format!(
            r#"{{"reserve":{{"key":{agent},"conversation":"{ID}","weight":1,"expires_at":9000}}}}"#
        ),
        format!(r#"{{"confirm":{{"key":{agent},"conversation":"{ID}"}}}}"#),
        format!(r#"{{"release":{{"key":{agent},"conversation":"{ID}","wrap_up":5000}}}}"#),
        r#"{"remove_node":{"node":"gateway-1"}}"#.into(),
    ]
    .iter()
    .zip(1..)
    .map(|(action, n)| {
        let request = format!("0192f0c0-0000-7000-8000-00000000000{n}");
        let line = format!(r#"{{"request":"{request}","now":{},"action":{action}}}"#, n * 1000);
        let _: Command = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        line
    })
    .collect::<Vec<_>>()
    .join("\n")
}

fn documents() -> Vec<Vec<u8>> {
    let site: SiteId = "demo".parse().expect("a name");
    let questions = [
        Question::Desk(DeskQuestion::Sites),
        Question::Desk(DeskQuestion::Generations { site: site.clone() }),
        Question::Desk(DeskQuestion::Apply { site, document: "title: x".into(), dry_run: true }),
    ];
    let question = |question: &Question| serde_json::to_string(question).expect("JSON");
    let rows = [
        "n{}".to_owned(),
        r#"p{"position":3,"estimate":60000}"#.into(),
        r#"d{"version":1,"changes":["~ title"],"problems":[],"made":[]}"#.into(),
    ];
    let rows = rows.into_iter().filter(|row| cluster::document(row.as_bytes()));
    questions.iter().map(|q| format!("q{}", question(q))).chain(rows).map(Into::into).collect()
}

fn link() -> Vec<u8> {
    let hint = LinkHint { conversation_id: vec![1; 16].into(), ..LinkHint::default() };
    let ask = |call, ask| LinkAsk { call, ask: Some(ask), ..LinkAsk::default() };
    let asks = vec![ask(1, Ask::Command(b"{}".to_vec().into())), ask(2, Ask::Hint(hint))];
    LinkUp { asks }.encode_to_vec()
}

fn link_up(bytes: &[u8]) -> bool {
    let Ok(up) = LinkUp::decode(bytes) else { return false };
    for trace in up.asks.iter().filter_map(|ask| ask.trace.as_ref()) {
        let _ = trace_from_proto(trace);
    }
    message::<LinkUp>(bytes)
}

/// Why something failed, as another process says it.
fn failure(bytes: &[u8]) -> bool {
    let Ok(failure) = Failure::decode(bytes) else { return false };
    let error = error_from_failure(failure);
    let again = error_from_failure(error_to_failure(&error));
    assert_eq!(format!("{again:?}"), format!("{error:?}"));
    true
}

fn deliveries() -> Vec<u8> {
    DeliveryBatch::default().encode_to_vec()
}
