//! The conformance suite on a real server, and what is particular to PostgreSQL.

use super::PostgresJournal;
use crate::conformance::{Ending, Subject};
use crate::journal::{Append, AppendOutcome, Journal, Record};
use crate::postgres::database::Database;
use crate::postgres::migrate::migrate;
use crate::postgres::testing::LocalPostgres;
use crate::postgres::{PostgresError, PostgresSettings};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use futures::future::join_all;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// One server for all tests of this process; it ends with the process.
static SERVER: LazyLock<LocalPostgres> =
    LazyLock::new(|| LocalPostgres::start().expect("the tests need PostgreSQL's programs"));
static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty database of the shared server.
fn fresh(server: &LocalPostgres) -> PostgresSettings {
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = PostgresSettings { url: server.url("postgres"), ..Default::default() };
    let sql = format!("CREATE DATABASE {name}");
    // From whatever runtime the caller is in.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let database = Database::new(&admin, 1).expect("a URL");
            let live = loop {
                match database.any().await {
                    Ok(live) => break live,
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            };
            live.batch(&sql).await.expect("a database");
        });
    })
    .join()
    .expect("a database");
    PostgresSettings { url: server.url(&name), append_connections: 2, ..Default::default() }
}

struct OnPostgres {
    settings: PostgresSettings,
    journal: Option<Arc<PostgresJournal>>,
}

impl OnPostgres {
    fn new() -> Self {
        Self { settings: fresh(&SERVER), journal: None }
    }

    async fn opened(mut self) -> Self {
        self.journal = Some(open(&self.settings).await);
        self
    }
}

async fn open(settings: &PostgresSettings) -> Arc<PostgresJournal> {
    Arc::new(PostgresJournal::open(settings).await.expect("opens"))
}

#[async_trait]
impl Subject for OnPostgres {
    fn journal(&self) -> Arc<dyn Journal> {
        self.journal.clone().expect("open between calls")
    }

    async fn reopen(&mut self, ending: Ending) {
        let journal = self.journal.take().expect("open between calls");
        if ending == Ending::Closed {
            journal.close().await;
        }
        drop(Arc::into_inner(journal).expect("the test gave its clones back"));
        self.journal = Some(open(&self.settings).await);
    }
}

crate::journal_conformance!(OnPostgres::new().opened().await);

fn append(conversation: ConversationId, epoch: u64, head: u32) -> Append {
    let record = Record {
        seq: Seq::new(head + 1),
        prev_public: Seq::new(head),
        audience: Audience::Public,
        dedup: None,
        payload: Bytes::from_static(b"payload"),
    };
    Append {
        shard: ShardId::of(conversation),
        epoch: Epoch::new(epoch),
        conversation,
        expected_head: Seq::new(head),
        records: vec![record],
        summary: None,
        trace: None,
    }
}

fn conversation() -> ConversationId {
    ConversationId::from_uuid(Uuid::now_v7())
}

#[tokio::test]
async fn many_may_migrate_at_once() {
    let settings = fresh(&SERVER);
    let all = join_all((0..8).map(|_| migrate(&settings))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let settings = fresh(&SERVER);
    migrate(&settings).await.unwrap();
    let database = Database::new(&settings, 1).unwrap();
    database.any().await.unwrap().batch("INSERT INTO frontdesk_schema VALUES (999)").await.unwrap();
    let refused = migrate(&settings).await;
    assert!(matches!(refused, Err(PostgresError::TooNew { found: 999, .. })), "{refused:?}");
}

/// Two processes, one of which does not know that it has lost the shard.
#[tokio::test]
async fn a_stale_process_is_fenced_in_mid_flight() {
    let settings = fresh(&SERVER);
    let (old, new) = (open(&settings).await, open(&settings).await);
    let id = conversation();
    old.claim(&[(ShardId::of(id), Epoch::new(1))]).await.unwrap();
    let by_old: Vec<_> = (0..500).map(|head| old.append(append(id, 1, head))).collect();
    new.claim(&[(ShardId::of(id), Epoch::new(2))]).await.unwrap();
    let head = new
        .load(id)
        .await
        .unwrap()
        .map_or(0, |loaded| loaded.tail.records.last().map_or(0, |record| record.seq.get()));
    assert_eq!(new.append(append(id, 2, head)).await, AppendOutcome::Ok);
    let outcomes = join_all(by_old).await;
    let kept = outcomes.iter().filter(|o| **o == AppendOutcome::Ok).count();
    assert_eq!(kept as u32, head, "nothing of the old owner after the claim");
    let fenced = AppendOutcome::Fenced { epoch: Epoch::new(2) };
    assert!(outcomes[kept..].iter().all(|outcome| *outcome == fenced));
}

/// The server dies under load, again and again: what was acknowledged stands, and
/// what is said not to stand does not.
#[tokio::test]
async fn a_crash_of_the_server_loses_nothing_acknowledged() {
    let mut server = LocalPostgres::start().expect("the tests need PostgreSQL's programs");
    let journal = open(&fresh(&server)).await;
    let ids: Vec<_> = (0..8).map(|_| conversation()).collect();
    let mut heads = vec![0_u32; ids.len()];
    for _ in 0..3 {
        let sent: Vec<_> = ids
            .iter()
            .zip(&heads)
            .flat_map(|(id, head)| (*head..head + 400).map(|head| append(*id, 1, head)))
            .map(|append| journal.append(append))
            .collect();
        // Somewhere in the middle of it.
        tokio::task::yield_now().await;
        let outcomes = tokio::spawn(join_all(sent));
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        server.kill();
        let outcomes = outcomes.await.unwrap();
        server.start_again().unwrap();
        for (n, of_one) in outcomes.chunks(400).enumerate() {
            let head = head_of(&journal, ids[n]).await;
            let added = (head - heads[n]) as usize;
            let is = |o: &AppendOutcome| *o == AppendOutcome::Ok;
            let acknowledged = of_one.iter().filter(|o| is(o)).count();
            assert!(added >= acknowledged, "{acknowledged} acknowledged, {added} stand");
            let denied = |o: &AppendOutcome| !is(o) && !matches!(o, AppendOutcome::Unknown(_));
            assert!(!of_one[..added].iter().any(denied), "denied, and stands all the same");
            heads[n] = head;
        }
    }
}

async fn head_of(journal: &PostgresJournal, id: ConversationId) -> u32 {
    let query = crate::journal::ReadQuery {
        conversation: id,
        audience: Audience::Internal,
        after: Seq::ZERO,
        limit: 1,
        max_bytes: 1_000,
        backwards: true,
    };
    loop {
        match journal.read(query.clone()).await {
            Ok(page) => return page.records.last().map_or(0, |record| record.seq.get()),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}
