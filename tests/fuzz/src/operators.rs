//! What operators and supervisors write: documents, settings, addresses, files of keys.

use crate::checks::{json, parsed, text};
use crate::{Target, target};
use frontdesk_bus::{RedisAddress, RedisSettings};
use frontdesk_core::audit::Act;
use frontdesk_core::figures::Dimension;
use frontdesk_core::hours::{Hours, Shift};
use frontdesk_core::time::Timestamp;
use frontdesk_gateway::Network;
use frontdesk_store::postgres::PostgresSettings;

/// How a file lists keys, as the server reads it.
#[path = "../../../services/node/src/keys/list.rs"]
mod list;

pub(crate) fn targets() -> Vec<Target> {
    let hours = r#"{"zone":"Europe/Berlin","week":{"mon-fri":["09:00-12:00","13:00-17:30"]},
        "holidays":{"2026-12-24":[]}}"#;
    let keys = r#"[{kid="2026-11",secret="AAAA"},{kid="b",algorithm="eddsa",secret="",public=""}]"#;
    let hours: Vec<&str> = ["null", hours].into_iter().filter(|h| calendar(h.as_bytes())).collect();
    vec![
        target("configuration", documents(), configuration),
        target("hours", hours, calendar),
        target("shift", ["09:00-17:30"], text::<Shift>),
        target("gateway-settings", [gateway()], json::<frontdesk_gateway::Settings>),
        target("settings", ["listen = \"0.0.0.0:1\"", "other_connections = 3"], settings),
        target("keys-file", [keys], keys_of),
        target("network", ["10.0.0.0/8", "2001:db8::/32"], text::<Network>),
        target("redis-address", ["rediss://u:p%20w@a:1", "redis+sentinel://:p@a,b:5/main"], redis),
        target("postgres-url", ["postgres://u:p@h:1/d?sslmode=require", "host=/tmp"], postgres),
        target("act", ["whisper"], text::<Act>),
        target("dimension", ["queue"], |bytes| parsed::<Dimension>(bytes).is_some()),
    ]
}

fn configuration(bytes: &[u8]) -> bool {
    let site = "demo".parse().expect("a name");
    std::str::from_utf8(bytes).is_ok_and(|text| frontdesk_desk::trial(text, &site, &[]).is_ok())
}

/// The documents that GUIDE.md shows.
fn documents() -> Vec<&'static str> {
    let guide = include_str!("../../../GUIDE.md");
    let blocks = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|text| configuration(text.as_bytes())).collect()
}

/// Opening hours: written again as the same, and each moment has an answer.
fn calendar(bytes: &[u8]) -> bool {
    let Ok(hours) = serde_json::from_slice::<Option<Hours>>(bytes) else { return false };
    for at in [0, 1_800_000_000_000, u64::MAX] {
        let _ = hours.as_ref().map(|hours| hours.opening(Timestamp::from_millis(at)));
    }
    json::<Option<Hours>>(bytes)
}

fn gateway() -> Vec<u8> {
    serde_json::to_vec(&frontdesk_gateway::Settings::default()).expect("JSON")
}

/// A role's part of the file of settings.
fn settings(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let gateway = toml::from_str::<frontdesk_gateway::Settings>(text).is_ok();
    let redis = toml::from_str::<RedisSettings>(text).is_ok();
    let postgres = toml::from_str::<PostgresSettings>(text).is_ok();
    gateway || redis || postgres
}

fn keys_of(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| list::keys(text).is_some())
}

fn redis(bytes: &[u8]) -> bool {
    parsed::<RedisAddress>(bytes).is_some()
}

fn postgres(bytes: &[u8]) -> bool {
    let Ok(url) = std::str::from_utf8(bytes) else { return false };
    let settings = serde_json::json!({ "url": url });
    let settings = serde_json::from_value::<PostgresSettings>(settings);
    settings.is_ok_and(|settings| settings.exposed_host().is_ok())
}
