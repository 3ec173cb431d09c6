//! What a database says of itself, for people who look after it. Changes nothing.

use super::database::Live;
use super::error::PostgresError;
use super::migrate::known_schema;
use super::settings::PostgresSettings;
use frontdesk_core::time::Timestamp;

/// One row, all as text or numbers that every version gives.
const ASK: &str = "SELECT current_setting('server_version_num')::integer, \
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
    current_setting('fsync') = 'on', \
    current_setting('full_page_writes') = 'on', \
    current_setting('max_connections')::integer, \
    (SELECT count(*)::integer FROM pg_stat_activity WHERE application_name = 'frontdesk'), \
    to_regclass('frontdesk_schema') IS NOT NULL";
const ASK_SCHEMA: &str = "SELECT coalesce(max(version), 0) FROM frontdesk_schema";
const ASK_EPOCH: &str = "SELECT coalesce(max(epoch), 0) FROM shards";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The server's major version.
    pub version: i32,
    /// Its clock.
    pub now: Timestamp,
    /// Whether it waits for its disk at all.
    pub fsync: bool,
    /// Whether a page that was half written when the power failed can be mended.
    pub full_page_writes: bool,
    /// Connections it takes from everybody together.
    pub max_connections: i32,
    /// Connections of Frontdesk's that are open, this one among them.
    pub connections: i32,
    /// Version of Frontdesk's tables; 0 before the first process has started.
    pub schema: i32,
    /// The version that this program makes.
    pub known_schema: i32,
    /// The highest epoch under which a shard is owned; 0 when none ever was.
    pub highest_epoch: u64,
}

/// Connects once and asks. Fails when no server that takes writes is reached or
/// it does not answer.
pub async fn examine(settings: &PostgresSettings) -> Result<Examination, PostgresError> {
    let live = Live::connect(&settings.target()?, settings).await?;
    let silent = |e: super::error::Failure| PostgresError::Unreachable(e.to_string());
    let rows = live.query(ASK, &[]).await.map_err(silent)?;
    let row = rows.first().ok_or_else(|| PostgresError::Unreachable("no answer".into()))?;
    let schema = match row.get(6) {
        true => live.query(ASK_SCHEMA, &[]).await.map_err(silent)?.first().map_or(0, |r| r.get(0)),
        false => 0,
    };
    let highest: i64 = match schema {
        0 => 0,
        _ => live.query(ASK_EPOCH, &[]).await.map_err(silent)?.first().map_or(0, |r| r.get(0)),
    };
    Ok(Examination {
        version: row.get::<_, i32>(0) / 10_000,
        now: Timestamp::from_millis(u64::try_from(row.get::<_, i64>(1)).unwrap_or(0)),
        fsync: row.get(2),
        full_page_writes: row.get(3),
        max_connections: row.get(4),
        connections: row.get(5),
        schema,
        known_schema: known_schema(),
        highest_epoch: u64::try_from(highest).unwrap_or(0),
    })
}
