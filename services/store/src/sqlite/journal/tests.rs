//! The conformance suite, and what is particular to SQLite.

use super::{SqliteJournal, checkpoint, schema};
use crate::conformance::{Ending, Subject};
use crate::journal::{Append, AppendOutcome, Erasure, Journal, Record, Snapshot};
use crate::sqlite::{DataFolder, OpenError};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::privacy::Remains;
use frontdesk_core::shard::ShardId;
use futures::future::join_all;
use rusqlite::Connection;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

struct OnSqlite {
    journal: Option<Arc<SqliteJournal>>,
    temp: TempDir,
    table_records: usize,
}

impl OnSqlite {
    fn new(table_records: usize) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let journal = Some(Arc::new(open(&temp, table_records).unwrap()));
        Self { journal, temp, table_records }
    }
}

fn open(temp: &TempDir, table_records: usize) -> Result<SqliteJournal, OpenError> {
    SqliteJournal::open_with(&DataFolder::lock(temp.path())?, table_records, checkpoint::LIMITS)
}

#[async_trait]
impl Subject for OnSqlite {
    fn journal(&self) -> Arc<dyn Journal> {
        self.journal.clone().expect("open between calls")
    }

    async fn reopen(&mut self, ending: Ending) {
        let journal = self.journal.take().expect("open between calls");
        if ending == Ending::Closed {
            journal.close();
        }
        drop(Arc::into_inner(journal).expect("the test gave its clones back"));
        self.journal = Some(Arc::new(open(&self.temp, self.table_records).unwrap()));
    }
}

/// As it runs: in these tests, everything stays in the tail.
mod as_it_runs {
    use super::super::filing::TABLE_RECORDS;
    use super::OnSqlite;

    crate::journal_conformance!(OnSqlite::new(TABLE_RECORDS));
}

/// With tables so small that records are filed all the time.
mod filing_all_the_time {
    use super::OnSqlite;

    crate::journal_conformance!(OnSqlite::new(6));
}

fn one_record(payload: Bytes) -> Append {
    let conversation = ConversationId::from_uuid(Uuid::now_v7());
    let record = Record {
        seq: Seq::new(1),
        prev_public: Seq::ZERO,
        audience: Audience::Public,
        dedup: None,
        payload,
    };
    Append {
        shard: ShardId::of(conversation),
        epoch: Epoch::new(0),
        conversation,
        expected_head: Seq::ZERO,
        records: vec![record],
        summary: None,
        trace: None,
    }
}

#[tokio::test]
async fn what_cannot_wait_is_refused_and_what_waits_is_committed() {
    let temp = tempfile::tempdir().unwrap();
    let journal = open(&temp, 1_000).unwrap();
    let blocker = Connection::open(temp.path().join(schema::FILE)).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let payload = Bytes::from(vec![b'x'; 64 * 1024]);
    // 64 MiB may wait and 8 MiB may be in the group that is held up: at most 1,152
    // of these.
    let sent: Vec<_> = (0..1_500).map(|_| journal.append(one_record(payload.clone()))).collect();
    blocker.execute_batch("ROLLBACK").unwrap();
    let outcomes = join_all(sent).await;
    let committed = outcomes.iter().filter(|outcome| **outcome == AppendOutcome::Ok).count();
    assert!((1_000..=1_152).contains(&committed), "{committed}");
    let refused = outcomes.iter().filter(|o| matches!(o, AppendOutcome::Unavailable(_))).count();
    assert_eq!(committed + refused, outcomes.len());
    assert_eq!(journal.append(one_record(payload)).await, AppendOutcome::Ok);
}

#[tokio::test]
async fn a_closed_journal_refuses_and_leaves_no_log() {
    let temp = tempfile::tempdir().unwrap();
    let journal = open(&temp, 1_000).unwrap();
    let last = journal.append(one_record(Bytes::new()));
    journal.close();
    journal.close();
    assert_eq!(last.await, AppendOutcome::Ok);
    let late = journal.append(one_record(Bytes::new())).await;
    assert!(matches!(late, AppendOutcome::Unavailable(_)));
    assert!(journal.save_cursors(vec![]).await.is_ok());
    assert!(journal.summary(one_record(Bytes::new()).conversation).await.is_err());
    let log = temp.path().join(format!("{}-wal", schema::FILE));
    assert_eq!(std::fs::metadata(log).map_or(0, |log| log.len()), 0);
}

#[tokio::test]
async fn the_folder_is_held_until_the_journal_is_gone() {
    let temp = tempfile::tempdir().unwrap();
    let journal = open(&temp, 1_000).unwrap();
    assert!(matches!(open(&temp, 1_000), Err(OpenError::InUse { .. })));
    drop(journal);
    open(&temp, 1_000).unwrap();
}

/// A backup may read for minutes: senders do not wait for it, but whoever erases does.
#[tokio::test]
async fn senders_go_on_while_somebody_reads_what_was_erased() {
    const MARK: &[u8] = b"Mlog7Qx";
    let temp = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(&temp, 1_000).unwrap());
    let said = one_record(Bytes::from_static(MARK));
    assert_eq!(journal.append(said.clone()).await, AppendOutcome::Ok);
    let reader = Connection::open(temp.path().join(schema::FILE)).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let groups: i64 =
        reader.query_row("SELECT count(*) FROM recent_0", [], |row| row.get(0)).unwrap();
    assert_eq!(groups, 1);
    let mut end = one_record(Bytes::new());
    end.records[0].seq = Seq::new(2);
    let end = Append { expected_head: Seq::new(1), records: end.records, ..said };
    let blank = Snapshot { seq: Seq::new(2), payload: Bytes::new() };
    let erasure = Erasure { append: end, payloads: vec![Bytes::new()], snapshot: blank };
    assert_eq!(journal.erase(erasure).await, AppendOutcome::Ok);
    let scrubbing = tokio::spawn({
        let journal = journal.clone();
        async move { journal.scrub().await }
    });
    for _ in 0..20 {
        assert_eq!(journal.append(one_record(Bytes::new())).await, AppendOutcome::Ok);
        tokio::task::yield_now().await;
    }
    assert!(!scrubbing.is_finished(), "it is still in the log");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(scrubbing.await.unwrap(), Ok(Remains::Nowhere));
    for entry in std::fs::read_dir(temp.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(MARK.len()).any(|part| part == MARK), "{}", path.display());
    }
}
