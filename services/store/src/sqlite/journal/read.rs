//! Reading, from the tail and on a reader's connection. Every statement is
//! prepared once per connection.

use super::job::parse_summary;
use super::packed::{Malformed, Packed};
use super::runs;
use super::tail::{SharedTail, TailPart};
use crate::journal::{ListQuery, Loaded, ReadCursors, ReadQuery, Record, RecordPage, Snapshot};
use crate::sqlite::error::bad_column;
use bytes::Bytes;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;
use uuid::Uuid;

/// Records of the first page after a snapshot; snapshots are more frequent.
const LOAD_RECORDS: u32 = 512;
/// Bytes of that page.
const LOAD_BYTES: usize = 1024 * 1024;

/// From the run that has the record after `?2`.
const FORWARD: &str = "SELECT first, records FROM runs WHERE conversation = ?1 AND first >=
        coalesce((SELECT max(first) FROM runs WHERE conversation = ?1 AND first <= ?2 + 1), 0)
    ORDER BY first";
const BACKWARD: &str = "SELECT first, records FROM runs
    WHERE conversation = ?1 AND first < ?2 ORDER BY first DESC";
const SNAPSHOT: &str = "SELECT seq, payload FROM snapshots WHERE conversation = ?1";
const CURSORS: &str = "SELECT visitor, agent FROM read_cursors WHERE conversation = ?1";
const SUMMARY: &str = "SELECT summary FROM conversations WHERE id = ?1";
const OF_VISITOR: &str = "SELECT summary FROM conversations
    WHERE site = ?1 AND visitor = ?2 ORDER BY updated_at DESC LIMIT ?3";
const OF_AGENT: &str = "SELECT summary FROM conversations
    WHERE site = ?1 AND agent = ?2 ORDER BY updated_at DESC LIMIT ?3";
const OF_AGENT_OR_CLOSED: &str = "SELECT summary FROM (
        SELECT summary, updated_at FROM conversations WHERE site = ?1 AND agent = ?2
        UNION ALL
        SELECT summary, updated_at FROM conversations
            WHERE site = ?1 AND last_agent = ?2 AND phase = 3)
    ORDER BY updated_at DESC LIMIT ?3";
const WAITING: &str = "SELECT summary FROM conversations
    WHERE site = ?1 AND queue = ?2 AND phase < 2 ORDER BY waiting_since LIMIT ?3";
/// Rows of those that are shown alone are read whole. 20,000 who wait take 90 ms.
const ALL_WAITING: &str = "SELECT summary FROM conversations WHERE id IN
        (SELECT id FROM conversations WHERE site = ?1 AND phase < 2
            ORDER BY waiting_since LIMIT ?2)
    ORDER BY waiting_since";
/// Not by the order of time: that index leads through all that has ever been closed.
const ALL_ASSIGNED: &str = "SELECT summary FROM conversations INDEXED BY conversations_of_agent
    WHERE site = ?1 AND agent IS NOT NULL AND phase = 2 ORDER BY updated_at DESC LIMIT ?2";
const OF_SITE: &str =
    "SELECT summary FROM conversations WHERE site = ?1 ORDER BY updated_at DESC LIMIT ?2";
const OPEN: &str =
    "SELECT summary FROM conversations WHERE phase < 3 ORDER BY updated_at DESC LIMIT ?1";
const OPEN_FROM: &str = "SELECT summary FROM conversations
    WHERE phase < 3 AND (updated_at, id) > (?1, ?2) ORDER BY updated_at, id LIMIT ?3";
const CHANGED: &str = "SELECT summary FROM conversations
    WHERE site = ?1 AND (updated_at, id) > (?2, ?3) ORDER BY updated_at, id LIMIT ?4";

/// Everything activation needs. Events are never changed, so the parts fit
/// together although they are read one after the other.
pub(super) fn load(
    connection: &Connection,
    tail: &SharedTail,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Loaded>> {
    let snapshot = snapshot(connection, tail, conversation)?;
    let query = ReadQuery {
        conversation,
        audience: Audience::Internal,
        after: snapshot.as_ref().map_or(Seq::ZERO, |s| s.seq),
        limit: LOAD_RECORDS,
        max_bytes: LOAD_BYTES,
        backwards: false,
    };
    let part = tail.read().part(&query);
    let tail = page(connection, &query, part)?;
    if snapshot.is_none() && tail.records.is_empty() {
        return Ok(None);
    }
    let cursors = cursors(connection, conversation)?;
    Ok(Some(Loaded { snapshot, cursors, tail }))
}

/// A page that the tail has whole.
pub(super) fn page_of_tail(query: &ReadQuery, part: &TailPart) -> Option<RecordPage> {
    let filed = part.filed?;
    let mut page = Paging::new(query);
    let full = part.records.iter().any(|record| !page.offer(record.clone()));
    let whole = if query.backwards { full || filed == Seq::ZERO } else { query.after >= filed };
    whole.then(|| page.finish())
}

/// A page from `runs` and the part that the tail had before.
pub(super) fn page(
    connection: &Connection,
    query: &ReadQuery,
    part: TailPart,
) -> rusqlite::Result<RecordPage> {
    let mut page = Paging::new(query);
    if query.backwards {
        let newest_first = part.records.into_iter();
        let full = newest_first.map(|record| page.offer(record)).any(|taken| !taken);
        if !full {
            let end = match query.after {
                Seq::ZERO => i64::MAX,
                before => i64::from(before.get()),
            };
            let end = part.filed.map_or(end, |filed| end.min(i64::from(filed.get()) + 1));
            offer_filed(connection, query, end, &mut page)?;
        }
    } else {
        offer_filed(connection, query, i64::from(query.after.get()), &mut page)?;
        let last = page.last;
        let rest = part.records.into_iter().filter(|record| record.seq > last);
        rest.map(|record| page.offer(record)).any(|taken| !taken);
    }
    Ok(page.finish())
}

/// Offers records of `runs` beyond `bound` until the page is full.
fn offer_filed(
    connection: &Connection,
    query: &ReadQuery,
    bound: i64,
    page: &mut Paging<'_>,
) -> rusqlite::Result<()> {
    let sql = if query.backwards { BACKWARD } else { FORWARD };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![query.conversation.as_bytes(), bound])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(|e| bad_column(1, e))?;
        if !offer_run(row.get(0)?, bytes, bound, page).map_err(|e| bad_column(1, e))? {
            break;
        }
    }
    Ok(())
}

/// Offers the records of one run; `false` once the page is full.
fn offer_run(
    first: u32,
    bytes: &[u8],
    bound: i64,
    page: &mut Paging<'_>,
) -> Result<bool, Malformed> {
    let (backwards, audience) = (page.query.backwards, page.query.audience);
    let wanted = |seq: Seq| match backwards {
        true => i64::from(seq.get()) < bound,
        false => i64::from(seq.get()) > bound,
    };
    let visible =
        |(seq, packed): &(Seq, Packed<'_>)| wanted(*seq) && audience.may_see(packed.audience);
    let records = runs::records(first, bytes);
    let mut offer = |(seq, packed): (Seq, Packed<'_>)| page.offer(packed.to_record(seq));
    if backwards {
        let records: Vec<_> = records.collect::<Result<_, _>>()?;
        return Ok(records.into_iter().rev().filter(visible).all(offer));
    }
    for record in records {
        let record = record?;
        if visible(&record) && !offer(record) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A page being filled, in the order of reading.
struct Paging<'q> {
    query: &'q ReadQuery,
    page: RecordPage,
    bytes: usize,
    last: Seq,
}

impl<'q> Paging<'q> {
    fn new(query: &'q ReadQuery) -> Self {
        Self { query, page: RecordPage::default(), bytes: 0, last: Seq::ZERO }
    }

    /// Takes a record, or notes that there is more than the page may hold.
    fn offer(&mut self, record: Record) -> bool {
        let full = self.page.records.len() >= self.query.limit as usize
            || self.bytes > self.query.max_bytes;
        if full {
            self.page.more = true;
            return false;
        }
        self.bytes += record.payload.len();
        self.last = record.seq;
        self.page.records.push(record);
        true
    }

    fn finish(mut self) -> RecordPage {
        if self.query.backwards {
            self.page.records.reverse();
        }
        self.page
    }
}

/// A snapshot ahead of the events is passed over: memory must not run ahead of
/// the journal.
fn snapshot(
    connection: &Connection,
    tail: &SharedTail,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Snapshot>> {
    let stored = connection
        .prepare_cached(SNAPSHOT)?
        .query_row([conversation.as_bytes()], |row| {
            Ok(Snapshot { seq: Seq::new(row.get(0)?), payload: blob(row, 1)? })
        })
        .optional()?;
    let Some(snapshot) = stored else {
        return Ok(None);
    };
    let stands = tail.read().has(conversation, snapshot.seq)
        || runs::head(connection, conversation)? >= snapshot.seq;
    Ok(stands.then_some(snapshot))
}

fn cursors(connection: &Connection, conversation: ConversationId) -> rusqlite::Result<ReadCursors> {
    connection
        .prepare_cached(CURSORS)?
        .query_row([conversation.as_bytes()], |row| {
            Ok(ReadCursors { visitor: Seq::new(row.get(0)?), agent: Seq::new(row.get(1)?) })
        })
        .optional()
        .map(Option::unwrap_or_default)
}

/// The conversation as the lists show it.
pub(super) fn summary(
    connection: &Connection,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Arc<Summary>>> {
    connection
        .prepare_cached(SUMMARY)?
        .query_row([conversation.as_bytes()], summary_of_row)
        .optional()
}

/// Conversations, at most `limit`.
pub(super) fn list(
    connection: &Connection,
    query: &ListQuery,
    limit: u32,
) -> rusqlite::Result<Vec<Arc<Summary>>> {
    let cached = |sql| connection.prepare_cached(sql);
    let mut list = match query {
        ListQuery::OfVisitor(site, visitor) => {
            summaries(cached(OF_VISITOR)?, params![site.as_str(), visitor.as_bytes(), limit])
        }
        ListQuery::OfAgent { site, agent, closed } => summaries(
            cached(if *closed { OF_AGENT_OR_CLOSED } else { OF_AGENT })?,
            params![site.as_str(), agent.as_bytes(), limit],
        ),
        ListQuery::Waiting(site, queue) => {
            summaries(cached(WAITING)?, params![site.as_str(), queue.as_str(), limit])
        }
        ListQuery::OfSite(site) => summaries(cached(OF_SITE)?, params![site.as_str(), limit]),
        ListQuery::AllWaiting(site) => {
            return summaries(cached(ALL_WAITING)?, params![site.as_str(), limit]);
        }
        ListQuery::AllAssigned(site) => {
            return summaries(cached(ALL_ASSIGNED)?, params![site.as_str(), limit]);
        }
        // Not for readers: what they have read does not matter.
        ListQuery::Open => return summaries(cached(OPEN)?, params![limit]),
        ListQuery::OpenFrom { from, after } => {
            let (from, after) = bounds(*from, *after);
            return summaries(cached(OPEN_FROM)?, params![from, after.as_bytes(), limit]);
        }
        ListQuery::Changed { site, from, after } => {
            let (from, after) = bounds(*from, *after);
            let params = params![site.as_str(), from, after.as_bytes(), limit];
            return summaries(cached(CHANGED)?, params);
        }
    }?;
    for summary in &mut list {
        let read = cursors(connection, summary.id)?;
        let summary = Arc::make_mut(summary);
        summary.visitor_read = summary.visitor_read.max(read.visitor);
        summary.agent_read = summary.agent_read.max(read.agent);
    }
    Ok(list)
}

fn bounds(from: Timestamp, after: Option<ConversationId>) -> (i64, Uuid) {
    let from = i64::try_from(from.as_millis()).unwrap_or(i64::MAX);
    (from, after.map_or(Uuid::nil(), ConversationId::as_uuid))
}

fn summaries(
    mut statement: rusqlite::CachedStatement<'_>,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Arc<Summary>>> {
    statement.query_map(params, summary_of_row)?.collect()
}

fn summary_of_row(row: &Row<'_>) -> rusqlite::Result<Arc<Summary>> {
    let json = row.get_ref(0)?.as_str().map_err(|e| bad_column(0, e))?;
    parse_summary(json).map_err(|e| bad_column(0, e))
}

/// A column of bytes.
fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|e| bad_column(column, e))?;
    Ok(Bytes::copy_from_slice(bytes))
}
