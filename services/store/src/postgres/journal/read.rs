//! Reading: pages, states, lists.

use super::{seq, shard_of};
use crate::journal::{
    DedupKey, ListQuery, Loaded, ReadCursors, ReadQuery, Record, RecordPage, Snapshot,
};
use crate::postgres::database::Database;
use crate::postgres::error::Failure;
use bytes::Bytes;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::time::Timestamp;
use std::sync::Arc;
use tokio_postgres::Row;
use uuid::Uuid;

/// Records of the first page after a snapshot; snapshots are more frequent.
const LOAD_RECORDS: u32 = 512;
/// Bytes of that page.
const LOAD_BYTES: usize = 1024 * 1024;
/// Records asked for at a time: a page that ends at its bytes reads few too many.
const ROWS: i64 = 256;

const FORWARD: &str =
    "SELECT seq, prev_public, internal, sender, client_msg_id, payload FROM events
    WHERE shard = $1 AND conversation = $2 AND seq > $3 AND (NOT internal OR $4)
    ORDER BY seq LIMIT $5";
const BACKWARD: &str =
    "SELECT seq, prev_public, internal, sender, client_msg_id, payload FROM events
    WHERE shard = $1 AND conversation = $2 AND seq < $3 AND (NOT internal OR $4)
    ORDER BY seq DESC LIMIT $5";
/// A snapshot ahead of the events is passed over: memory must not run ahead of the
/// journal.
const SNAPSHOT: &str = "SELECT seq, payload FROM snapshots s
    WHERE shard = $1 AND conversation = $2 AND EXISTS (SELECT 1 FROM events e
        WHERE e.shard = $1 AND e.conversation = $2 AND e.seq = s.seq)";
const CURSORS: &str =
    "SELECT conversation, visitor, agent FROM read_cursors WHERE conversation = ANY($1)";
const FIND: &str = "SELECT seq FROM events WHERE shard = $1 AND conversation = $2
    AND sender = $3 AND client_msg_id = $4";
const SUMMARY: &str = "SELECT summary FROM conversations WHERE shard = $1 AND id = $2";
const OF_VISITOR: &str = "SELECT summary FROM conversations
    WHERE site = $1 AND visitor = $2 ORDER BY updated_at DESC LIMIT $3";
const OF_AGENT: &str = "SELECT summary FROM conversations
    WHERE site = $1 AND agent = $2 ORDER BY updated_at DESC LIMIT $3";
const OF_AGENT_OR_CLOSED: &str = "SELECT summary FROM (
        SELECT summary, updated_at FROM conversations WHERE site = $1 AND agent = $2
        UNION ALL
        SELECT summary, updated_at FROM conversations
            WHERE site = $1 AND last_agent = $2 AND phase = 3) AS theirs
    ORDER BY updated_at DESC LIMIT $3";
const WAITING: &str = "SELECT summary FROM conversations
    WHERE site = $1 AND queue = $2 AND phase < 2 ORDER BY waiting_since LIMIT $3";
const ALL_WAITING: &str = "SELECT summary FROM conversations
    WHERE site = $1 AND phase < 2 ORDER BY waiting_since LIMIT $2";
/// Found before they are put in order: an index that is in this order leads through all
/// that has ever been closed.
const ALL_ASSIGNED: &str = "WITH assigned AS MATERIALIZED (SELECT summary, updated_at
        FROM conversations WHERE site = $1 AND agent IS NOT NULL AND phase = 2)
    SELECT summary FROM assigned ORDER BY updated_at DESC LIMIT $2";
const OF_SITE: &str =
    "SELECT summary FROM conversations WHERE site = $1 ORDER BY updated_at DESC LIMIT $2";
const OPEN: &str =
    "SELECT summary FROM conversations WHERE phase < 3 ORDER BY updated_at DESC LIMIT $1";
const OPEN_FROM: &str = "SELECT summary FROM conversations
    WHERE phase < 3 AND (updated_at, id) > ($1, $2) ORDER BY updated_at, id LIMIT $3";
const CHANGED: &str = "SELECT summary FROM conversations
    WHERE site = $1 AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4";

/// Everything activation needs. Events are never changed, so the parts fit
/// together although they are read one after the other.
pub(super) async fn load(
    database: &Database,
    conversation: ConversationId,
) -> Result<Option<Loaded>, Failure> {
    let (shard, id) = (shard_of(conversation), conversation.as_uuid());
    let stored = database.row(SNAPSHOT, &[&shard, &id]).await?;
    let snapshot = stored.map(|row| Snapshot {
        seq: seq(row.get(0)),
        payload: Bytes::from(row.get::<_, Vec<u8>>(1)),
    });
    let query = ReadQuery {
        conversation,
        audience: Audience::Internal,
        after: snapshot.as_ref().map_or(Seq::ZERO, |s| s.seq),
        limit: LOAD_RECORDS,
        max_bytes: LOAD_BYTES,
        backwards: false,
    };
    let tail = page(database, &query).await?;
    if snapshot.is_none() && tail.records.is_empty() {
        return Ok(None);
    }
    let cursors = cursors(database, &[id]).await?.pop().map(|(_, cursors)| cursors);
    Ok(Some(Loaded { snapshot, cursors: cursors.unwrap_or_default(), tail }))
}

/// A page of records.
pub(super) async fn page(database: &Database, query: &ReadQuery) -> Result<RecordPage, Failure> {
    let (shard, id) = (shard_of(query.conversation), query.conversation.as_uuid());
    let all = query.audience == Audience::Internal;
    let mut page = RecordPage::default();
    let mut bytes = 0;
    let mut bound = match (query.backwards, query.after) {
        (true, Seq::ZERO) => i64::MAX,
        (_, after) => i64::from(after.get()),
    };
    let sql = if query.backwards { BACKWARD } else { FORWARD };
    'pages: loop {
        let wanted = i64::from(query.limit) - page.records.len() as i64 + 1;
        let rows = database.query(sql, &[&shard, &id, &bound, &all, &wanted.min(ROWS)]).await?;
        let is_last = (rows.len() as i64) < wanted.min(ROWS);
        for row in &rows {
            let full = page.records.len() >= query.limit as usize || bytes > query.max_bytes;
            if full {
                page.more = true;
                break 'pages;
            }
            let record = record(row)?;
            bytes += record.payload.len();
            bound = i64::from(record.seq.get());
            page.records.push(record);
        }
        if is_last {
            break;
        }
    }
    if query.backwards {
        page.records.reverse();
    }
    Ok(page)
}

fn record(row: &Row) -> Result<Record, Failure> {
    let (sender, key): (Option<Uuid>, Option<&str>) = (row.get(3), row.get(4));
    let dedup =
        sender.zip(key).map(|(sender, key)| DedupKey { sender, client_msg_id: Arc::from(key) });
    Ok(Record {
        seq: seq(row.get(0)),
        prev_public: seq(row.get(1)),
        audience: if row.get(2) { Audience::Internal } else { Audience::Public },
        dedup,
        payload: Bytes::copy_from_slice(row.get(5)),
    })
}

/// The seq under which a key stands.
pub(super) async fn find(
    database: &Database,
    conversation: ConversationId,
    key: &DedupKey,
) -> Result<Option<Seq>, Failure> {
    let (shard, id) = (shard_of(conversation), conversation.as_uuid());
    let found = database.row(FIND, &[&shard, &id, &key.sender, &&*key.client_msg_id]).await?;
    Ok(found.map(|row| seq(row.get(0))))
}

/// The conversation as the lists show it.
pub(super) async fn summary(
    database: &Database,
    conversation: ConversationId,
) -> Result<Option<Arc<Summary>>, Failure> {
    let (shard, id) = (shard_of(conversation), conversation.as_uuid());
    database.row(SUMMARY, &[&shard, &id]).await?.map(|row| parse(&row)).transpose()
}

/// Conversations, at most `limit`.
pub(super) async fn list(
    database: &Database,
    query: &ListQuery,
    limit: u32,
) -> Result<Vec<Arc<Summary>>, Failure> {
    let limit = i64::from(limit);
    let rows = match query {
        ListQuery::OfVisitor(site, visitor) => {
            database.query(OF_VISITOR, &[&site.as_str(), &visitor.as_uuid(), &limit]).await
        }
        ListQuery::OfAgent { site, agent, closed } => {
            let sql = if *closed { OF_AGENT_OR_CLOSED } else { OF_AGENT };
            database.query(sql, &[&site.as_str(), &agent.as_uuid(), &limit]).await
        }
        ListQuery::Waiting(site, queue) => {
            database.query(WAITING, &[&site.as_str(), &queue.as_str(), &limit]).await
        }
        ListQuery::AllWaiting(site) => database.query(ALL_WAITING, &[&site.as_str(), &limit]).await,
        ListQuery::AllAssigned(site) => {
            database.query(ALL_ASSIGNED, &[&site.as_str(), &limit]).await
        }
        ListQuery::OfSite(site) => database.query(OF_SITE, &[&site.as_str(), &limit]).await,
        ListQuery::Open => database.query(OPEN, &[&limit]).await,
        ListQuery::OpenFrom { from, after } => {
            let (from, after) = bounds(*from, *after);
            database.query(OPEN_FROM, &[&from, &after, &limit]).await
        }
        ListQuery::Changed { site, from, after } => {
            let (from, after) = bounds(*from, *after);
            database.query(CHANGED, &[&site.as_str(), &from, &after, &limit]).await
        }
    }?;
    let mut list: Vec<Arc<Summary>> = rows.iter().map(parse).collect::<Result<_, _>>()?;
    let for_readers = !matches!(
        query,
        ListQuery::Open
            | ListQuery::OpenFrom { .. }
            | ListQuery::AllWaiting(_)
            | ListQuery::AllAssigned(_)
            | ListQuery::Changed { .. }
    );
    if for_readers {
        show_what_was_read(database, &mut list).await?;
    }
    Ok(list)
}

fn bounds(from: Timestamp, after: Option<ConversationId>) -> (i64, Uuid) {
    let from = i64::try_from(from.as_millis()).unwrap_or(i64::MAX);
    (from, after.map_or(Uuid::nil(), ConversationId::as_uuid))
}

async fn show_what_was_read(database: &Database, list: &mut [Arc<Summary>]) -> Result<(), Failure> {
    let ids: Vec<Uuid> = list.iter().map(|summary| summary.id.as_uuid()).collect();
    let read = cursors(database, &ids).await?;
    for summary in list {
        let Some((_, read)) = read.iter().find(|(id, _)| *id == summary.id.as_uuid()) else {
            continue;
        };
        let summary = Arc::make_mut(summary);
        summary.visitor_read = summary.visitor_read.max(read.visitor);
        summary.agent_read = summary.agent_read.max(read.agent);
    }
    Ok(())
}

async fn cursors(database: &Database, ids: &[Uuid]) -> Result<Vec<(Uuid, ReadCursors)>, Failure> {
    let rows = database.query(CURSORS, &[&ids]).await?;
    let cursors =
        |row: &Row| (row.get(0), ReadCursors { visitor: seq(row.get(1)), agent: seq(row.get(2)) });
    Ok(rows.iter().map(cursors).collect())
}

fn parse(row: &Row) -> Result<Arc<Summary>, Failure> {
    let json: &str = row.get(0);
    serde_json::from_str(json).map(Arc::new).map_err(|e| Failure::Damaged(e.to_string()))
}
