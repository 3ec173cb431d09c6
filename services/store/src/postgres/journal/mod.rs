//! The journal on PostgreSQL.
//!
//! A shard belongs to one lane: a task with a connection of its own, which takes
//! what waits as a group and appends it with one statement in one round trip. So
//! the order of appends to a conversation is the order of the calls, and lanes
//! share the server's flushes of its log.

mod append;
mod erase;
mod group;
mod lane;
mod read;
#[cfg(test)]
mod tests;

use super::database::Database;
use super::error::{Failure, PostgresError};
use super::migrate::migrate;
use super::settings::PostgresSettings;
use crate::journal::{
    Append, AppendOutcome, DedupKey, Erasure, Journal, JournalError, ListQuery, Loaded,
    ReadCursors, ReadQuery, RecordPage, Snapshot,
};
use crate::shape;
use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use frontdesk_telemetry::tasks;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use lane::{Lane, Waiting};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Appends that may wait for one lane: at 10,000 a second, 0.4 s.
const WAITING: usize = 4 * 1024;
/// How long `close` waits for what is queued.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

const CLAIM: &str = "SELECT lost, owner FROM claim_shards($1, $2)";
const SAVE_SNAPSHOT: &str = "INSERT INTO snapshots AS s (shard, conversation, seq, payload)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (conversation, shard) DO UPDATE SET seq = excluded.seq, payload = excluded.payload
    WHERE s.seq < excluded.seq";
const SAVE_CURSORS: &str = "INSERT INTO read_cursors AS c (shard, conversation, visitor, agent)
    SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[])
    ON CONFLICT (conversation, shard) DO UPDATE SET
        visitor = greatest(c.visitor, excluded.visitor), agent = greatest(c.agent, excluded.agent)";

/// See the module. Dropped without `close`, what waits is refused.
pub struct PostgresJournal {
    database: Database,
    lanes: Mutex<Vec<mpsc::Sender<Waiting>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl PostgresJournal {
    /// Brings the tables up to date and starts the lanes.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        migrate(settings).await?;
        let database = Database::new(settings, settings.other_connections)?;
        let appends = Database::new(settings, settings.append_connections)?;
        let (mut lanes, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..appends.size() {
            let (sender, waiting) = mpsc::channel(WAITING);
            lanes.push(sender);
            // Ends when the senders are gone.
            tasks.push(tasks::spawn(
                "journal.lane",
                Lane::new(appends.clone(), number).run(waiting),
            ));
        }
        Ok(Self { database, lanes: Mutex::new(lanes), tasks: Mutex::new(tasks) })
    }

    /// Takes no more appends and waits a few seconds for those queued. Repeating
    /// it is harmless.
    pub async fn close(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = futures::future::join_all(tasks);
        if tokio::time::timeout(CLOSE_WITHIN, ended).await.is_err() {
            tracing::error!("appends were under way when the journal was closed");
        }
    }

    fn queue(&self, append: Append, reply: oneshot::Sender<AppendOutcome>) -> Result<(), String> {
        shape::check(&append)?;
        let waiting = Waiting::new(append, reply)?;
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = lanes.get(usize::from(waiting.shard().get()) % lanes.len().max(1)) else {
            return Err("the journal is closed".into());
        };
        lane.try_send(waiting).map_err(|_| "too many appends wait for the journal".to_owned())
    }
}

/// The shard of a conversation, as its column has it.
fn shard_of(conversation: ConversationId) -> i16 {
    i16::try_from(ShardId::of(conversation).get()).unwrap_or(i16::MAX)
}

fn seq(value: i64) -> Seq {
    Seq::new(u32::try_from(value).unwrap_or(u32::MAX))
}

fn epoch(value: i64) -> Epoch {
    Epoch::new(u64::try_from(value).unwrap_or(0))
}

/// To a column; epochs are log indexes and never come near its end.
fn epoch_value(epoch: Epoch) -> i64 {
    i64::try_from(epoch.get()).unwrap_or(i64::MAX)
}

fn failed(failure: Failure) -> JournalError {
    match failure {
        Failure::Damaged(what) => JournalError::Damaged(what),
        other => JournalError::Unavailable(other.to_string()),
    }
}

#[async_trait]
impl Journal for PostgresJournal {
    async fn claim(&self, claims: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        let shards: Vec<i16> =
            claims.iter().map(|(s, _)| i16::try_from(s.get()).unwrap_or(i16::MAX)).collect();
        let epochs: Vec<i64> = claims.iter().map(|(_, epoch)| epoch_value(*epoch)).collect();
        let lost = self.database.row(CLAIM, &[&shards, &epochs]).await.map_err(failed)?;
        let Some(row) = lost else { return Ok(()) };
        let shard = ShardId::new(u16::try_from(row.get::<_, i16>(0)).unwrap_or(u16::MAX));
        let shard = shard.ok_or_else(|| JournalError::Damaged("a shard beyond the last".into()))?;
        Err(JournalError::Fenced { shard, epoch: epoch(row.get(1)) })
    }

    fn append(&self, append: Append) -> BoxFuture<'static, AppendOutcome> {
        let (reply, outcome) = oneshot::channel();
        if let Err(why) = self.queue(append, reply) {
            return std::future::ready(AppendOutcome::Unavailable(why)).boxed();
        }
        let ended = || AppendOutcome::Unknown("the journal has ended".into());
        async move { outcome.await.unwrap_or_else(|_| ended()) }.boxed()
    }

    async fn erase(&self, erasure: Erasure) -> AppendOutcome {
        erase::erase(&self.database, &erasure).await
    }

    async fn load(&self, conversation: ConversationId) -> Result<Option<Loaded>, JournalError> {
        read::load(&self.database, conversation).await.map_err(failed)
    }

    async fn read(&self, query: ReadQuery) -> Result<RecordPage, JournalError> {
        read::page(&self.database, &query).await.map_err(failed)
    }

    async fn summary(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Arc<Summary>>, JournalError> {
        read::summary(&self.database, conversation).await.map_err(failed)
    }

    async fn list(&self, query: ListQuery, limit: u32) -> Result<Vec<Arc<Summary>>, JournalError> {
        read::list(&self.database, &query, limit).await.map_err(failed)
    }

    async fn find_dedup(
        &self,
        conversation: ConversationId,
        key: &DedupKey,
    ) -> Result<Option<Seq>, JournalError> {
        read::find(&self.database, conversation, key).await.map_err(failed)
    }

    async fn save_snapshot(
        &self,
        conversation: ConversationId,
        snapshot: Snapshot,
    ) -> Result<(), JournalError> {
        let (shard, at) = (shard_of(conversation), i64::from(snapshot.seq.get()));
        let id = conversation.as_uuid();
        let payload = &snapshot.payload[..];
        let saved = self.database.query(SAVE_SNAPSHOT, &[&shard, &id, &at, &payload]).await;
        saved.map(|_| ()).map_err(failed)
    }

    async fn save_cursors(
        &self,
        cursors: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError> {
        // A row may be named once in a statement.
        let mut furthest: BTreeMap<ConversationId, ReadCursors> = BTreeMap::new();
        for (id, cursors) in cursors {
            let known = furthest.entry(id).or_default();
            known.visitor = known.visitor.max(cursors.visitor);
            known.agent = known.agent.max(cursors.agent);
        }
        if furthest.is_empty() {
            return Ok(());
        }
        let shards: Vec<i16> = furthest.keys().map(|id| shard_of(*id)).collect();
        let ids: Vec<Uuid> = furthest.keys().map(|id| id.as_uuid()).collect();
        let visitors: Vec<i64> = furthest.values().map(|c| i64::from(c.visitor.get())).collect();
        let agents: Vec<i64> = furthest.values().map(|c| i64::from(c.agent.get())).collect();
        let saved = self.database.query(SAVE_CURSORS, &[&shards, &ids, &visitors, &agents]).await;
        saved.map(|_| ()).map_err(failed)
    }
}
