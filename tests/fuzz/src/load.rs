//! What the load harness reads: scenarios, accounts, results, and what its workers and
//! the server under load say.

use crate::checks::{json, message, parsed, text};
use crate::{Target, target};
use frontdesk_client::Address;
use frontdesk_loadtest::audit::Dossier;
use frontdesk_loadtest::cost::MetricsPage;
use frontdesk_loadtest::credentials::Accounts;
use frontdesk_loadtest::drive::Bucket;
use frontdesk_loadtest::payload::{Payload, Speaker};
use frontdesk_loadtest::protocol::{self, FromWorker, ToWorker};
use frontdesk_loadtest::scenario::Scenario;
use frontdesk_proto::v1::ServerBatch;
use frontdesk_results::{Latency, Metric, Offence, Threshold, latency};
use prost::Message as _;
use std::time::Duration;

pub(crate) fn targets() -> Vec<Target> {
    let accounts = r#"{"site":"demo","siteKey":"k","agents":[{"role":"agent","email":"a@b.c"}]}"#;
    let offence = r#"{"violation":"lost","conversation":"c","sender":"agent","number":1,"seq":2,
        "detail":"unheard"}"#;
    vec![
        target("scenario", [include_str!("../../../loadtest/scenarios/failover.toml")], scenario),
        target("payload", [sample().encode(64)], payload),
        target("accounts", [accounts], accounts_of),
        target("from-worker", [""], message::<FromWorker>),
        target("to-worker", [""], message::<ToWorker>),
        target("dossier", [dossier()], dossier_of),
        target("second", [""], second),
        target("histogram", [latency::to_bytes(&Latency::recorder())], histogram),
        target("offence", [offence], json::<Offence>),
        target("threshold", ["refused.count == 0", "reconnects.peak < 200/s"], text::<Threshold>),
        target("metric", ["refused.count", "late.p99.9"], text::<Metric>),
        target("metrics-page", ["http://127.0.0.1:1/metrics"], text::<MetricsPage>),
        target("address", ["http://127.0.0.1:1", "https://a.example"], |bytes| {
            parsed::<Address>(bytes).is_some()
        }),
        target("server-protobuf", [ServerBatch::default().encode_to_vec()], message::<ServerBatch>),
        target("server-json", [r#"{"frames":[{"ping":{}}]}"#], server_json),
    ]
}

fn scenario(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| Scenario::parse("fuzz", text).is_ok())
}

fn sample() -> Payload {
    let intended = Duration::from_micros(1_234_567);
    Payload { run: 7, conversation: 300, speaker: Speaker::agent(2), number: 5, intended }
}

/// A payload is that text and no other.
fn payload(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(payload) = Payload::decode(text) else { return false };
    assert_eq!(Payload::decode(&payload.encode(text.len())), Some(payload));
    true
}

fn accounts_of(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| Accounts::parse(text).is_ok())
}

fn dossier() -> Vec<u8> {
    let ranges = protocol::Ranges { bounds: vec![1, 3, 5, 5], given_up: 1 };
    let spoken =
        protocol::Spoken { speaker: 1, sent: 5, acknowledged: Some(ranges), ..Default::default() };
    protocol::Dossier { number: 1, spoken: vec![spoken], ..Default::default() }.encode_to_vec()
}

/// What a worker says of a person, as the coordinator takes it.
fn dossier_of(bytes: &[u8]) -> bool {
    let Ok(wire) = protocol::Dossier::decode(bytes) else { return false };
    let _ = protocol::Dossier::from(Dossier::from(wire));
    true
}

fn second(bytes: &[u8]) -> bool {
    let second = protocol::Second::decode(bytes);
    second.is_ok_and(|second| Bucket::from_wire(&second).is_ok())
}

/// A histogram: what it says of itself can be worked out, and merged into another.
fn histogram(bytes: &[u8]) -> bool {
    let Ok(read) = latency::from_bytes(bytes) else { return false };
    let figures = Latency::of(&read);
    assert!(figures.min_us <= figures.max_us || figures.count == 0);
    let mut all = Latency::recorder();
    all.add(read).expect("histograms that grow take any value");
    true
}

fn server_json(bytes: &[u8]) -> bool {
    json::<ServerBatch>(bytes)
}
