//! What PostgreSQL's own programs write down: restored, it goes on; once erased, it is in
//! none of the tables.

use super::database::Live;
use super::test_database::fresh;
use super::testing::program;
use super::{PostgresJournal, PostgresSettings};
use crate::journal::{Append, AppendOutcome, Erasure, Journal, ReadQuery, Record, Snapshot};
use bytes::Bytes;
use frontdesk_core::conversation::{Reachable, Summary};
use frontdesk_core::ids::{ConversationId, Epoch, Seq, VisitorId};
use frontdesk_core::party::{Audience, Participant};
use frontdesk_core::shard::ShardId;
use std::sync::Arc;
use uuid::Uuid;

const MARK: &str = "Mark7Qx";
const ID: ConversationId = ConversationId::from_uuid(Uuid::from_u128(0xF00D));

fn summary(preview: &str) -> Arc<Summary> {
    let visitor = VisitorId::from_uuid(Uuid::from_u128(1));
    let mut summary = crate::conformance::waiting(ID, visitor);
    summary.visitor = Participant::visitor(visitor, preview);
    (summary.preview, summary.reachable) = (preview.into(), Reachable::Unknown);
    Arc::new(summary)
}

fn append(epoch: u64, head: u32, text: &str) -> Append {
    let record = Record {
        seq: Seq::new(head + 1),
        prev_public: Seq::new(head),
        audience: Audience::Public,
        dedup: None,
        payload: Bytes::copy_from_slice(text.as_bytes()),
    };
    Append {
        shard: ShardId::of(ID),
        epoch: Epoch::new(epoch),
        conversation: ID,
        expected_head: Seq::new(head),
        records: vec![record],
        summary: Some(summary(text)),
        trace: None,
    }
}

async fn all(journal: &PostgresJournal) -> Vec<Record> {
    let query = ReadQuery {
        conversation: ID,
        audience: Audience::Internal,
        after: Seq::ZERO,
        limit: 100,
        max_bytes: usize::MAX,
        backwards: false,
    };
    journal.read(query).await.unwrap().records
}

/// One of PostgreSQL's programs; gives what it printed.
fn run(name: &str, words: &[&str]) -> Vec<u8> {
    let output = program(name).args(words).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn dump(settings: &PostgresSettings) -> String {
    String::from_utf8(run("pg_dump", &["--data-only", &settings.url])).unwrap()
}

async fn told(settings: &PostgresSettings) -> PostgresJournal {
    let journal = PostgresJournal::open(settings).await.unwrap();
    journal.claim(&[(ShardId::of(ID), Epoch::new(50))]).await.unwrap();
    for head in 0..3 {
        assert_eq!(journal.append(append(50, head, MARK)).await, AppendOutcome::Ok);
    }
    let snapshot = Snapshot { seq: Seq::new(3), payload: Bytes::from_static(MARK.as_bytes()) };
    journal.save_snapshot(ID, snapshot).await.unwrap();
    journal
}

/// As OPERATIONS.md has it.
#[tokio::test]
async fn a_dump_is_restored_and_goes_on_under_a_group_founded_anew() {
    let (settings, new) = (fresh().await, fresh().await);
    let journal = told(&settings).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frontdesk.dump");
    let words = ["--format=custom", "--exclude-table-data=shards", &settings.url];
    std::fs::write(&file, run("pg_dump", &words)).unwrap();
    // It may run as another user, who reads what is handed in.
    let input = std::fs::File::open(&file).unwrap();
    let restored = program("pg_restore")
        .args(["--no-owner", &format!("--dbname={}", new.url)])
        .stdin(input)
        .output()
        .unwrap();
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let again = PostgresJournal::open(&new).await.unwrap();
    assert_eq!(all(&again).await, all(&journal).await);
    assert_eq!(again.summary(ID).await, journal.summary(ID).await);
    again.claim(&[(ShardId::of(ID), Epoch::new(1))]).await.unwrap();
    assert_eq!(again.append(append(1, 3, "on it goes")).await, AppendOutcome::Ok);
}

#[tokio::test]
async fn what_is_erased_is_in_no_table() {
    let settings = fresh().await;
    let journal = told(&settings).await;
    let in_hex: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
    let before = dump(&settings);
    assert!(before.contains(MARK) && before.contains(&in_hex));
    let erasure = Erasure {
        append: append(50, 3, ""),
        payloads: vec![Bytes::from_static(b"blank"); 3],
        snapshot: Snapshot { seq: Seq::new(4), payload: Bytes::from_static(b"blank") },
    };
    let live = Live::connect(&settings.target().unwrap(), &settings).await.unwrap();
    live.batch("ANALYZE").await.unwrap();
    assert_eq!(journal.erase(erasure).await, AppendOutcome::Ok);
    let after = dump(&settings);
    assert!(!after.contains(MARK) && !after.contains(&in_hex), "{after}");
    // What the planner goes by is not in a dump.
    let sampled = live.query(SAMPLED, &[]).await.unwrap();
    let sampled: Vec<&str> = sampled.iter().map(|row| row.get(0)).collect();
    assert!(sampled.contains(&"site"), "{sampled:?}");
    for column in ["summary", "payload", "name", "bytes"] {
        assert!(!sampled.contains(&column), "values of {column} are kept");
    }
}

/// Columns of which values are kept as they were.
const SAMPLED: &str = "SELECT DISTINCT attname::text FROM pg_stats
    WHERE schemaname = 'public' AND tablename NOT IN ('sites', 'accounts', 'audit')";
