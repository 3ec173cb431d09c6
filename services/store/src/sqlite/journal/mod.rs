//! The journal on SQLite: one thread writes in groups, a few read, and the newest
//! records are in memory too.

mod checkpoint;
mod erase;
mod filing;
#[cfg(feature = "fuzzing")]
pub(in crate::sqlite) mod fuzzing;
mod group;
mod job;
mod known;
mod migrate;
mod packed;
mod queue;
mod read;
mod runs;
mod schema;
mod tail;
#[cfg(test)]
mod tests;
mod writer;

pub(in crate::sqlite) use filing::count_events;
pub(in crate::sqlite) use schema::{FILE, NEWEST};

use super::error::{OpenError, is_damage};
use super::file::{open_checkpointer, open_reader, open_writer};
use super::folder::DataFolder;
use super::workers::{WorkError, Workers};
use crate::journal::{
    Append, AppendOutcome, DedupKey, Erasure, Journal, JournalError, ListQuery, Loaded,
    ReadCursors, ReadQuery, RecordPage, Snapshot,
};
use async_trait::async_trait;
use checkpoint::{Checkpointer, Limits};
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::privacy::Remains;
use frontdesk_core::shard::ShardId;
use futures::FutureExt;
use futures::future::BoxFuture;
use job::{GroupFailure, Job, Write};
use metrics::counter;
use queue::WriteQueue;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tail::SharedTail;
use writer::Writer;

/// Reader threads. A read is a few tens of microseconds of work on cached
/// pages: two serve tens of thousands a second and leave the cores to others.
const READERS: usize = 2;
/// Reads that may wait: 4,096 pages at 50 µs on two threads are 0.1 s.
const MAX_WAITING_READS: usize = 4 * 1024;

/// Between two tries to empty the log after the file has been written anew, and for how
/// long: some gigabytes have to be copied, or a backup may read them.
const CUT_PAUSE: Duration = Duration::from_millis(20);
const CUT_WITHIN: Duration = Duration::from_secs(300);

/// The journal in the data folder's `journal.db`.
///
/// Dropping it is like a crash: what waits is refused, what was committed
/// stands. `close` is the orderly way.
#[derive(Debug)]
pub struct SqliteJournal {
    queue: Arc<WriteQueue>,
    /// `None` once it has ended.
    writer: Mutex<Option<JoinHandle<Connection>>>,
    /// `None` once it has ended.
    checkpointer: Mutex<Option<Checkpointer>>,
    readers: Workers,
    tail: SharedTail,
    /// Kept until the threads have ended.
    _folder: DataFolder,
}

impl SqliteJournal {
    /// Opens or creates the journal. Blocks for some milliseconds, after a
    /// crash for as long as it takes to read the log (at most some seconds).
    ///
    /// # Errors
    /// When the file is damaged, newer than this program or cannot be written.
    pub fn open(folder: &DataFolder) -> Result<Self, OpenError> {
        Self::open_with(folder, filing::TABLE_RECORDS, checkpoint::LIMITS)
    }

    fn open_with(
        folder: &DataFolder,
        table_records: usize,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let path = folder.path().join(schema::FILE);
        let mut connection = open_writer(&path, &schema::FORMAT)?;
        let readers =
            (0..READERS).map(|_| open_reader(&path)).collect::<Result<Vec<Connection>, _>>()?;
        let tail = SharedTail::default();
        let no_thread = |source| OpenError::Folder { path: path.clone(), source };
        let (checkpointer, log) =
            checkpoint::start(open_checkpointer(&path)?, &mut connection, limits)
                .map_err(no_thread)?;
        let writer = Writer::new(connection, tail.clone(), table_records, log)
            .map_err(|source| OpenError::Sqlite { path: path.clone(), source })?;
        let readers =
            Workers::start("journal-read", readers, MAX_WAITING_READS).map_err(no_thread)?;
        let queue = Arc::new(WriteQueue::default());
        let jobs = queue.clone();
        let thread = std::thread::Builder::new()
            .name("journal-write".into())
            .spawn(move || writer.run(jobs))
            .map_err(no_thread)?;
        Ok(Self {
            queue,
            writer: Mutex::new(Some(thread)),
            checkpointer: Mutex::new(Some(checkpointer)),
            readers,
            tail,
            _folder: folder.clone(),
        })
    }

    /// Commits what waits, ends the threads and folds the log into the file.
    /// Appends after it are `Unavailable`. Blocks: call it on a blocking thread.
    pub fn close(&self) {
        self.queue.close();
        let connection = self.join_writer();
        self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.stop();
        if let Some(connection) = connection
            && let Err(e) = checkpoint::whole(&connection)
        {
            tracing::warn!(error = %e, "journal: the log stays beside the file until next time");
        }
    }

    /// Waits for the writer's end; gives its connection the first time.
    fn join_writer(&self) -> Option<Connection> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let ended = writer.join();
        if ended.is_err() {
            tracing::error!("journal: the writer had panicked");
        }
        ended.ok()
    }

    fn enqueue(&self, job: Job) {
        self.queue.push(job, |job, why| {
            if matches!(job, Job::Append(_)) {
                counter!("frontdesk_journal_appends_total", "outcome" => "shed").increment(1);
            }
            job.fail(&GroupFailure::NotCommitted(why.to_string()));
        });
    }

    async fn write(&self, write: Write) -> Result<(), JournalError> {
        let (job, result) = Job::write(write);
        self.enqueue(job);
        result.await.unwrap_or_else(|_| Err(JournalError::Unavailable(WRITER_GONE.into())))
    }

    async fn query<T, F>(&self, query: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.readers.run(query).await.map_err(read_failed)
    }
}

const WRITER_GONE: &str = "the journal's writer ended";

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        let refused = GroupFailure::NotCommitted("the journal is closed".into());
        self.queue.abort().into_iter().for_each(|job| job.fail(&refused));
        // Waits for the group in progress, so that the folder is free after.
        self.join_writer();
    }
}

fn read_failed(error: WorkError) -> JournalError {
    match error {
        WorkError::Sqlite(e) if is_damage(&e) => JournalError::Damaged(e.to_string()),
        other => JournalError::Unavailable(other.to_string()),
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn claim(&self, claims: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        self.write(Write::Claim(claims.to_vec())).await
    }

    fn append(&self, append: Append) -> BoxFuture<'static, AppendOutcome> {
        let (job, outcome) = match Job::append(append) {
            Ok(queued) => queued,
            Err(defect) => return std::future::ready(AppendOutcome::Unavailable(defect)).boxed(),
        };
        self.enqueue(job);
        async move { outcome.await.unwrap_or_else(|_| AppendOutcome::Unknown(WRITER_GONE.into())) }
            .boxed()
    }

    async fn erase(&self, erasure: Erasure) -> AppendOutcome {
        let (job, outcome) = match Job::erase(erasure) {
            Ok(queued) => queued,
            Err(defect) => return AppendOutcome::Unavailable(defect),
        };
        self.enqueue(job);
        outcome.await.unwrap_or_else(|_| AppendOutcome::Unknown(WRITER_GONE.into()))
    }

    async fn scrub(&self) -> Result<Remains, JournalError> {
        self.write(Write::Rewrite).await?;
        let give_up = Instant::now() + CUT_WITHIN;
        while let Err(error) = self.write(Write::CutLog).await {
            if Instant::now() >= give_up {
                return Err(error);
            }
            tokio::time::sleep(CUT_PAUSE).await;
        }
        Ok(Remains::Nowhere)
    }

    async fn load(&self, conversation: ConversationId) -> Result<Option<Loaded>, JournalError> {
        let tail = self.tail.clone();
        self.query(move |connection| read::load(connection, &tail, conversation)).await
    }

    async fn read(&self, query: ReadQuery) -> Result<RecordPage, JournalError> {
        let part = self.tail.read().part(&query);
        if let Some(page) = read::page_of_tail(&query, &part) {
            return Ok(page);
        }
        self.query(move |connection| read::page(connection, &query, part)).await
    }

    async fn summary(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Arc<Summary>>, JournalError> {
        self.query(move |connection| read::summary(connection, conversation)).await
    }

    async fn list(&self, query: ListQuery, limit: u32) -> Result<Vec<Arc<Summary>>, JournalError> {
        self.query(move |connection| read::list(connection, &query, limit)).await
    }

    async fn find_dedup(
        &self,
        conversation: ConversationId,
        key: &DedupKey,
    ) -> Result<Option<Seq>, JournalError> {
        if let Some(seq) = self.tail.read().find(conversation, key) {
            return Ok(Some(seq));
        }
        let key = key.clone();
        self.query(move |connection| runs::find(connection, conversation, &key)).await
    }

    async fn save_snapshot(
        &self,
        conversation: ConversationId,
        snapshot: Snapshot,
    ) -> Result<(), JournalError> {
        self.write(Write::Snapshot(conversation, snapshot)).await
    }

    async fn save_cursors(
        &self,
        cursors: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError> {
        if cursors.is_empty() {
            return Ok(());
        }
        self.write(Write::Cursors(cursors)).await
    }
}
