//! From one format of the journal's file to the next.

use super::packed;
use super::runs::{self, MAX_BYTES, MAX_RECORDS};
use super::schema::{V1, V2, V2_RECENT};
use super::tail::Stretch;
use crate::journal::{DedupKey, Record};
use crate::sqlite::error::bad_column;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use rusqlite::{Connection, Row};
use uuid::Uuid;

const EVENTS: &str =
    "SELECT conversation, seq, prev_public, internal, sender, client_msg_id, payload
    FROM events ORDER BY conversation, seq";
/// The `recent` tables may still hold what is in `events` already.
const NOT_IN_EVENTS: &str =
    "SELECT conversation, seq, prev_public, internal, sender, client_msg_id, payload
    FROM (SELECT * FROM recent_0 UNION ALL SELECT * FROM recent_1) AS recent
    WHERE NOT EXISTS (SELECT 1 FROM events
        WHERE events.conversation = recent.conversation AND events.seq = recent.seq)
    ORDER BY conversation, seq";

/// A new file.
pub(super) fn to_v1(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V1)
}

/// Packs the records, many to a row. Takes as long as copying the file.
pub(super) fn to_v2(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V2)?;
    pack_all(connection, EVENTS)?;
    pack_all(connection, NOT_IN_EVENTS)?;
    connection.execute_batch(V2_RECENT)
}

/// Packs rows of V1 that come sorted.
fn pack_all(connection: &Connection, select: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut run = Run::default();
    while let Some(row) = rows.next()? {
        let conversation = ConversationId::from_uuid(Uuid::from_bytes(row.get(0)?));
        if run.conversation != Some(conversation) || run.is_full() {
            run.finish(connection)?;
            run.conversation = Some(conversation);
        }
        run.push(conversation, &record_of_v1(row)?);
    }
    run.finish(connection)
}

fn record_of_v1(row: &Row<'_>) -> rusqlite::Result<Record> {
    let sender: Option<[u8; 16]> = row.get(4)?;
    let dedup = sender.zip(row.get(5)?).map(|(sender, client_msg_id)| DedupKey {
        sender: Uuid::from_bytes(sender),
        client_msg_id,
    });
    let payload = row.get_ref(6)?.as_blob().map_err(|e| bad_column(6, e))?;
    Ok(Record {
        seq: Seq::new(row.get(1)?),
        prev_public: Seq::new(row.get(2)?),
        audience: if row.get(3)? { Audience::Internal } else { Audience::Public },
        dedup,
        payload: Bytes::copy_from_slice(payload),
    })
}

/// A row of `runs` being gathered.
#[derive(Default)]
struct Run {
    conversation: Option<ConversationId>,
    last: Seq,
    fingerprints: Vec<u32>,
    records: Vec<u8>,
    scratch: Vec<u8>,
}

impl Run {
    fn is_full(&self) -> bool {
        self.fingerprints.len() >= MAX_RECORDS || self.records.len() >= MAX_BYTES
    }

    fn push(&mut self, conversation: ConversationId, record: &Record) {
        let print = record.dedup.as_ref().map_or(0, packed::fingerprint);
        self.scratch.clear();
        packed::pack(&mut self.scratch, conversation, record, print);
        self.records.extend_from_slice(packed::without_place(&self.scratch));
        self.fingerprints.push(print);
        self.last = record.seq;
    }

    /// Stores what was gathered, if anything.
    fn finish(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (Some(conversation), Some(others)) =
            (self.conversation.take(), self.fingerprints.len().checked_sub(1))
        else {
            return Ok(());
        };
        let first = Seq::new(self.last.get() - others as u32);
        let fingerprints = std::mem::take(&mut self.fingerprints);
        let run = Stretch { first, last: self.last, fingerprints, records: &self.records };
        runs::insert(connection, conversation, &run)?;
        self.records.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteJournal;
    use super::super::schema::FILE;
    use super::*;
    use crate::journal::{Append, AppendOutcome, Journal, ReadQuery};
    use crate::sqlite::DataFolder;
    use frontdesk_core::ids::Epoch;
    use frontdesk_core::shard::ShardId;
    use rusqlite::params;

    fn id(n: u128) -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(n))
    }

    fn key(seq: u32) -> DedupKey {
        DedupKey { sender: Uuid::from_u128(9), client_msg_id: format!("m{seq}").into() }
    }

    fn record(seq: u32) -> Record {
        Record {
            seq: Seq::new(seq),
            prev_public: Seq::new(seq / 2),
            audience: if seq.is_multiple_of(3) { Audience::Internal } else { Audience::Public },
            dedup: (!seq.is_multiple_of(5)).then(|| key(seq)),
            payload: Bytes::from(vec![b'x'; 700]),
        }
    }

    fn put(connection: &Connection, table: &str, conversation: ConversationId, record: &Record) {
        let sql = format!(
            "INSERT INTO {table}
                (conversation, seq, prev_public, internal, sender, client_msg_id, payload)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        );
        let key = record.dedup.as_ref();
        let row = params![
            conversation.as_bytes(),
            record.seq.get(),
            record.prev_public.get(),
            record.audience == Audience::Internal,
            key.map(|k| k.sender.into_bytes()),
            key.map(|k| &*k.client_msg_id),
            &record.payload[..],
        ];
        connection.execute(&sql, row).unwrap();
    }

    /// As a crash in the midst of filing has left it: 200 records of one
    /// conversation in `events`, of which `recent_0` still has the last ten and
    /// `recent_1` goes on to 230; and two of another one that was never filed.
    fn file_of_v1(path: &std::path::Path) {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.execute_batch(V1).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let put = |table, n, seq| put(&connection, table, id(n), &record(seq));
        (1..=200).for_each(|seq| put("events", 1, seq));
        (191..=200).for_each(|seq| put("recent_0", 1, seq));
        (201..=230).for_each(|seq| put("recent_1", 1, seq));
        (1..=2).for_each(|seq| put("recent_1", 2, seq));
        connection.execute("INSERT INTO shards (shard, epoch) VALUES (?1, 7)", [3]).unwrap();
    }

    async fn all(journal: &SqliteJournal, n: u128) -> Vec<Record> {
        let query = ReadQuery {
            conversation: id(n),
            audience: Audience::Internal,
            after: Seq::ZERO,
            limit: 1_000,
            max_bytes: usize::MAX,
            backwards: false,
        };
        journal.read(query).await.unwrap().records
    }

    #[tokio::test]
    async fn a_file_of_the_first_format_is_taken_over() {
        let temp = tempfile::tempdir().unwrap();
        file_of_v1(&temp.path().join(FILE));
        for _ in 0..2 {
            let journal = SqliteJournal::open(&DataFolder::lock(temp.path()).unwrap()).unwrap();
            assert_eq!(all(&journal, 1).await, (1..=230).map(record).collect::<Vec<_>>());
            assert_eq!(all(&journal, 2).await, (1..=2).map(record).collect::<Vec<_>>());
            let found = journal.find_dedup(id(1), &key(199)).await;
            assert_eq!(found, Ok(Some(Seq::new(199))));
            let stale = journal.claim(&[(ShardId::new(3).unwrap(), Epoch::new(6))]).await;
            assert!(stale.is_err());
        }
    }

    #[tokio::test]
    async fn what_was_said_in_the_first_format_is_not_said_again() {
        let temp = tempfile::tempdir().unwrap();
        file_of_v1(&temp.path().join(FILE));
        let journal = SqliteJournal::open(&DataFolder::lock(temp.path()).unwrap()).unwrap();
        let append = |said| Append {
            shard: ShardId::of(id(1)),
            epoch: Epoch::new(9),
            conversation: id(1),
            expected_head: Seq::new(230),
            records: vec![Record { dedup: Some(key(said)), ..record(231) }],
            summary: None,
            trace: None,
        };
        assert_eq!(journal.append(append(4)).await, AppendOutcome::Duplicate(Seq::new(4)));
        assert_eq!(journal.append(append(231)).await, AppendOutcome::Ok);
    }
}
