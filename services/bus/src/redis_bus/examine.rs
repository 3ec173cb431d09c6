//! What Redis says of itself, for people who look after it. Changes nothing.

use super::connect::{Connector, LinkError};
use super::settings::{BadSettings, RedisSettings};
use redis::{Value, cmd};
use std::sync::Arc;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedisExamination {
    /// Major and minor version; of one node of a cluster. Absent where it is not told.
    pub version: Option<(u32, u32)>,
    /// It copies another server: what is published there alone stays there.
    pub is_replica: bool,
    /// Clients that are connected.
    pub clients: Option<u64>,
    /// Clients that may be.
    pub max_clients: Option<u64>,
    /// Bytes that may wait for a subscriber before it is cut; 0 for no limit. Absent
    /// where it is not told, as by many that are managed.
    pub subscriber_bytes: Option<u64>,
}

/// Connects once and asks.
///
/// # Errors
/// Why it cannot be reached, in one line.
pub async fn examine_redis(settings: &RedisSettings) -> Result<RedisExamination, String> {
    let plan = Arc::new(settings.plan().map_err(|error: BadSettings| error.to_string())?);
    let said = |error: LinkError| error.to_string();
    let mut line = Connector::new(plan.clone()).open().await.map_err(said)?;
    let info: Value = line.ask(&cmd("INFO"), plan.publish_timeout).await.map_err(said)?;
    let mut found = read(&texts(&info).join("\n"));
    // Forbidden by many that are managed; then it is not known.
    let mut ask = cmd("CONFIG");
    ask.arg("GET").arg("client-output-buffer-limit");
    if let Ok(limits) = line.ask::<Value>(&ask, plan.publish_timeout).await {
        found.subscriber_bytes = texts(&limits).iter().find_map(|text| subscriber_limit(text));
    }
    Ok(found)
}

/// All texts of an answer, whatever it holds them in.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Map(pairs) => pairs.iter().flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}

fn read(info: &str) -> RedisExamination {
    let field = |name: &str| {
        let rest = |line: &str| Some(line.trim().strip_prefix(name)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(rest)
    };
    let number = |name: &str| field(name)?.parse().ok();
    RedisExamination {
        version: field("redis_version").and_then(|text| version(&text)),
        is_replica: field("role").is_some_and(|role| role == "slave"),
        clients: number("connected_clients"),
        max_clients: number("maxclients"),
        subscriber_bytes: None,
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`: the hard limit.
fn subscriber_limit(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace().skip_while(|word| *word != "pubsub");
    words.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::RedisServer;

    #[test]
    fn what_it_says_is_read() {
        let info = "# Server\r\nredis_version:7.2.4\r\nrole:slave\r\nconnected_clients:12\r\n\
                    maxclients:10000\r\n";
        let found = read(info);
        assert_eq!((found.version, found.is_replica), (Some((7, 2)), true));
        assert_eq!((found.clients, found.max_clients), (Some(12), Some(10_000)));
        assert_eq!(read("something else"), RedisExamination::default());
        let limits = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
        assert_eq!(subscriber_limit(limits), Some(33_554_432));
        assert_eq!(subscriber_limit("pubsub"), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_real_one_answers() {
        let server = RedisServer::start();
        let settings = server.settings();
        let found = examine_redis(&settings).await.unwrap();
        assert!(found.version >= Some((7, 0)) && !found.is_replica, "{found:?}");
        assert!(found.max_clients.is_some() && found.subscriber_bytes.is_some(), "{found:?}");
        drop(server);
        examine_redis(&settings).await.unwrap_err();
    }
}
