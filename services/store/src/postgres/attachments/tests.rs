//! The conformance suite on a real server, and what is particular to PostgreSQL.

use super::{PostgresAttachments, UPLOADS};
use crate::attachments::AttachmentStore;
use crate::conformance::attachments::AttachmentsSubject;
use crate::postgres::PostgresSettings;
use crate::postgres::database::Database;
use crate::postgres::test_database::{fresh, fresh_on, server};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::future::join_all;
use futures::{FutureExt as _, TryStreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

struct OnPostgres {
    settings: PostgresSettings,
    store: Arc<PostgresAttachments>,
}

impl OnPostgres {
    async fn new() -> Self {
        let settings = fresh().await;
        Self { store: open(&settings).await, settings }
    }
}

async fn open(settings: &PostgresSettings) -> Arc<PostgresAttachments> {
    Arc::new(PostgresAttachments::open(settings).await.expect("opens"))
}

#[async_trait]
impl AttachmentsSubject for OnPostgres {
    fn store(&self) -> Arc<dyn AttachmentStore> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store = open(&self.settings).await;
    }
}

crate::attachments_conformance!(OnPostgres::new().await);

fn site() -> SiteId {
    "one".parse().unwrap()
}

fn id(n: u128) -> AttachmentId {
    AttachmentId::from_uuid(Uuid::from_u128(n))
}

fn bytes(count: usize) -> Bytes {
    vec![7; count].into()
}

/// Bytes of a file that can be read; `None` when there is none.
async fn size(store: &PostgresAttachments, id: AttachmentId) -> Option<usize> {
    let body = store.open(&site(), id).await.unwrap()?;
    Some(body.chunks.try_collect::<Vec<_>>().await.unwrap().concat().len())
}

/// Bytes of pieces that lie in the database.
async fn stored_bytes(settings: &PostgresSettings) -> i64 {
    let sql = "SELECT coalesce(sum(octet_length(bytes)), 0)::bigint FROM attachment_bytes";
    Database::new(settings, 1).unwrap().row(sql, &[]).await.unwrap().unwrap().get(0)
}

/// Any gateway serves what another has received, and leaves nothing behind of what
/// was replaced, removed or given up.
#[tokio::test]
async fn processes_share_the_files_and_leave_nothing_over() {
    let settings = fresh().await;
    let stores = join_all((0..3).map(|_| open(&settings))).await;
    let (site, id) = (site(), id(1));
    let puts = stores.iter().map(|store| store.put(&site, id, bytes(600_000)));
    assert!(join_all(puts).await.iter().all(Result::is_ok));
    for store in &stores {
        assert_eq!(size(store, id).await, Some(600_000));
    }
    assert_eq!(stored_bytes(&settings).await, 600_000);

    let given_up = stores[0].put(&site, id, bytes(5_000_000));
    assert!(given_up.now_or_never().is_none());
    let (put, removed) =
        futures::join!(stores[1].put(&site, id, bytes(900_000)), stores[2].remove(&site, id));
    assert!(put.is_ok() && removed.is_ok());
    let left = size(&stores[0], id).await.unwrap_or(0);
    assert_eq!(stored_bytes(&settings).await, left as i64);
    stores[0].remove(&site, id).await.unwrap();
    assert_eq!(stored_bytes(&settings).await, 0);
}

/// It finds the server again by itself.
#[tokio::test]
async fn a_crash_of_the_server_is_survived() {
    let mut server = server();
    let store = open(&fresh_on(&server).await).await;
    store.put(&site(), id(1), bytes(300_000)).await.unwrap();
    server.kill();
    for _ in 0..3 {
        assert!(store.put(&site(), id(2), bytes(1)).await.is_err());
        assert!(store.open(&site(), id(1)).await.is_err());
    }
    server.start_again().unwrap();
    while store.put(&site(), id(2), bytes(1)).await.is_err()
        || store.remove(&site(), id(2)).await.is_err()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let body = loop {
        match store.open(&site(), id(1)).await {
            Ok(body) => break body.expect("it was acknowledged"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(body.size, 300_000);
}

/// More than have a connection take turns.
#[tokio::test]
async fn many_uploads_take_turns() {
    let store = open(&fresh().await).await;
    let (site, ids): (_, Vec<_>) = (site(), (1..=3 * UPLOADS as u128).map(id).collect());
    let puts = ids.iter().map(|id| store.put(&site, *id, bytes(300_000)));
    assert!(join_all(puts).await.iter().all(Result::is_ok));
    for id in ids {
        assert_eq!(size(&store, id).await, Some(300_000));
    }
}

/// The server dies with uploads under way: each is there or is not, and those that
/// were acknowledged are.
#[tokio::test]
async fn a_crash_of_the_server_leaves_whole_files() {
    let mut server = server();
    let settings = fresh_on(&server).await;
    let store = open(&settings).await;
    let uploads: Vec<_> = (1..=8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&site(), id(n), bytes(2_000_000)).await })
        })
        .collect();
    // The kill blocks this thread: the uploads are wherever they have come to.
    while stored_files(&settings).await == 0 {
        tokio::task::yield_now().await;
    }
    server.kill();
    let outcomes: Vec<_> = join_all(uploads).await.into_iter().map(Result::unwrap).collect();
    server.start_again().unwrap();
    // A new one: the other's connections wait a little before they try again.
    let store = loop {
        match PostgresAttachments::open(&settings).await {
            Ok(store) => break store,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let mut whole = 0;
    for (n, outcome) in (1..).zip(outcomes) {
        let found = size(&store, id(n)).await;
        assert!(matches!(found, None | Some(2_000_000)), "{found:?}");
        assert!(outcome.is_err() || found.is_some(), "acknowledged, and lost");
        whole += i64::from(found.is_some());
    }
    assert_eq!(stored_bytes(&settings).await, whole * 2_000_000);
}

async fn stored_files(settings: &PostgresSettings) -> i64 {
    let sql = "SELECT count(*) FROM attachment_files";
    Database::new(settings, 1).unwrap().row(sql, &[]).await.unwrap().unwrap().get(0)
}
