//! A journal in memory whose appends can be held back, refused, or answered
//! wrongly, each in a way that the contract allows.

use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use frontdesk_store::journal::{
    Append, AppendOutcome, DedupKey, Journal, JournalError, ListQuery, Loaded, ReadCursors,
    ReadQuery, Record, RecordPage, Snapshot,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Longer than the role waits for an append.
pub(crate) const STALL: Duration = Duration::from_secs(7);

/// How an append goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not.
    None,
    /// Not appended, and said so.
    Unavailable,
    /// Not appended, as if the head were another one.
    Conflict,
    /// Not appended, and nobody knows.
    UnknownLost,
    /// Appended, and nobody knows.
    UnknownKept,
    /// Appended, but the answer never comes; `UnknownKept` once the journal has
    /// stalled: late and silent together, only the next load can find.
    Silent,
    /// It and all behind it are only looked at after `STALL`.
    Stall,
    /// A higher epoch takes the shard first.
    Fence,
}

/// Everything that is on stable storage.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) records: HashMap<ConversationId, Vec<Record>>,
    pub(crate) snapshots: HashMap<ConversationId, Snapshot>,
    pub(crate) cursors: HashMap<ConversationId, ReadCursors>,
    summaries: HashMap<ConversationId, Arc<Summary>>,
    epochs: HashMap<ShardId, Epoch>,
    /// Applied to the next appends, in order; none when empty.
    pub(crate) faults: VecDeque<Fault>,
    /// Time an append takes.
    pub(crate) delay: Duration,
    pub(crate) appends: usize,
    pub(crate) loads: usize,
    /// Loads that fail next.
    pub(crate) failing_loads: usize,
    /// Reads that fail next.
    pub(crate) failing_reads: usize,
    /// Time that passes before a load reads.
    pub(crate) load_delay: Duration,
    /// Loads fail as they would on a damaged file.
    pub(crate) damaged: bool,
    pub(crate) cursor_writes: usize,
    has_stalled: bool,
    /// Replies never given, kept so that their futures stay pending.
    silent: Vec<oneshot::Sender<AppendOutcome>>,
}

impl Stored {
    pub(crate) fn has(&self, id: ConversationId, seq: u32, payload: &[u8]) -> bool {
        let at = |records: &Vec<Record>| Some(records.get(seq as usize - 1)?.payload.clone());
        self.records.get(&id).and_then(at).is_some_and(|stored| stored == payload)
    }

    fn next_delay(&self) -> Duration {
        if self.faults.front() == Some(&Fault::Stall) { STALL } else { self.delay }
    }

    fn append(&mut self, append: Append) -> AppendOutcome {
        if let Some(&epoch) = self.epochs.get(&append.shard).filter(|e| **e > append.epoch) {
            return AppendOutcome::Fenced { epoch };
        }
        let records = self.records.entry(append.conversation).or_default();
        let head = Seq::new(records.len() as u32);
        if head != append.expected_head {
            return AppendOutcome::SeqConflict { head };
        }
        for new in append.records.iter().filter(|r| r.dedup.is_some()) {
            if let Some(old) = records.iter().find(|old| old.dedup == new.dedup) {
                return AppendOutcome::Duplicate(old.seq);
            }
        }
        records.extend(append.records);
        if let Some(summary) = append.summary {
            self.summaries.insert(append.conversation, summary);
        }
        AppendOutcome::Ok
    }

    fn commit(&mut self, append: Append, reply: oneshot::Sender<AppendOutcome>) {
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        let unknown = || AppendOutcome::Unknown("the line broke".into());
        let outcome = match fault {
            Fault::None => self.append(append),
            Fault::Stall => {
                self.has_stalled = true;
                self.append(append)
            }
            Fault::Unavailable => AppendOutcome::Unavailable("full".into()),
            Fault::Conflict => AppendOutcome::SeqConflict { head: Seq::new(1_000_000) },
            Fault::UnknownLost => unknown(),
            Fault::Silent if !self.has_stalled => {
                self.append(append);
                self.silent.push(reply);
                return;
            }
            Fault::UnknownKept | Fault::Silent => {
                self.append(append);
                unknown()
            }
            Fault::Fence => {
                let epoch = Epoch::new(append.epoch.get() + 1);
                self.epochs.insert(append.shard, epoch);
                AppendOutcome::Fenced { epoch }
            }
        };
        let _ = reply.send(outcome);
    }
}

/// See the module.
pub(crate) struct FakeJournal {
    stored: Arc<Mutex<Stored>>,
    queue: mpsc::Sender<(Append, oneshot::Sender<AppendOutcome>)>,
    open: watch::Sender<bool>,
}

impl FakeJournal {
    /// Starts its writer, which ends with the journal.
    pub(crate) fn start() -> Arc<Self> {
        let (queue, mut waiting) = mpsc::channel::<(Append, oneshot::Sender<_>)>(4_096);
        let (open, mut is_open) = watch::channel(true);
        let stored = Arc::new(Mutex::new(Stored::default()));
        let journal = Arc::new(Self { stored: stored.clone(), queue, open });
        tokio::spawn(async move {
            while let Some((append, reply)) = waiting.recv().await {
                if is_open.wait_for(|open| *open).await.is_err() {
                    return;
                }
                let delay = stored.lock().unwrap().next_delay();
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                stored.lock().unwrap().commit(append, reply);
            }
        });
        journal
    }

    /// Holds appends back from now on, or lets them go.
    pub(crate) fn hold(&self, hold: bool) {
        self.open.send_replace(!hold);
    }

    pub(crate) fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap()
    }
}

#[async_trait]
impl Journal for FakeJournal {
    async fn claim(&self, claims: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        let mut stored = self.stored();
        for &(shard, epoch) in claims {
            let present = stored.epochs.entry(shard).or_default();
            if *present > epoch {
                return Err(JournalError::Fenced { shard, epoch: *present });
            }
            *present = epoch;
        }
        Ok(())
    }

    fn append(&self, append: Append) -> BoxFuture<'static, AppendOutcome> {
        let (reply, outcome) = oneshot::channel();
        self.stored().appends += 1;
        if self.queue.try_send((append, reply)).is_err() {
            return async { AppendOutcome::Unavailable("full".into()) }.boxed();
        }
        let gone = |_| AppendOutcome::Unknown("gone".into());
        outcome.map(move |outcome| outcome.unwrap_or_else(gone)).boxed()
    }

    async fn load(&self, id: ConversationId) -> Result<Option<Loaded>, JournalError> {
        let delay = self.stored().load_delay;
        match delay.is_zero() {
            true => tokio::task::yield_now().await,
            false => tokio::time::sleep(delay).await,
        }
        let mut stored = self.stored();
        stored.loads += 1;
        if stored.damaged {
            return Err(JournalError::Damaged("event 1: torn".into()));
        }
        if stored.failing_loads > 0 {
            stored.failing_loads -= 1;
            return Err(JournalError::Unavailable("away".into()));
        }
        let Some(records) = stored.records.get(&id).filter(|r| !r.is_empty()) else {
            return Ok(None);
        };
        let snapshot = stored.snapshots.get(&id).cloned();
        let after = snapshot.as_ref().map_or(0, |s| s.seq.get()) as usize;
        // A short page, so that further ones are read.
        let tail: Vec<Record> = records.iter().skip(after).take(3).cloned().collect();
        let more = after + tail.len() < records.len();
        let cursors = stored.cursors.get(&id).copied().unwrap_or_default();
        Ok(Some(Loaded { snapshot, cursors, tail: RecordPage { records: tail, more } }))
    }

    async fn read(&self, query: ReadQuery) -> Result<RecordPage, JournalError> {
        let mut stored = self.stored();
        if stored.failing_reads > 0 {
            stored.failing_reads -= 1;
            return Err(JournalError::Unavailable("away".into()));
        }
        let all = stored.records.get(&query.conversation).into_iter().flatten();
        let mut seen: Vec<Record> = all
            .filter(|r| query.audience.may_see(r.audience))
            .filter(|r| match query.backwards {
                false => r.seq > query.after,
                true => query.after == Seq::ZERO || r.seq < query.after,
            })
            .cloned()
            .collect();
        let limit = query.limit as usize;
        let more = seen.len() > limit;
        if query.backwards {
            seen.drain(..seen.len().saturating_sub(limit));
        }
        seen.truncate(limit);
        Ok(RecordPage { records: seen, more })
    }

    async fn summary(&self, id: ConversationId) -> Result<Option<Arc<Summary>>, JournalError> {
        Ok(self.stored().summaries.get(&id).cloned())
    }

    async fn list(&self, _: ListQuery, limit: u32) -> Result<Vec<Arc<Summary>>, JournalError> {
        let stored = self.stored();
        let rows = stored.summaries.values().take(limit as usize).map(|row| {
            let read = stored.cursors.get(&row.id).copied().unwrap_or_default();
            let (visitor_read, agent_read) = (read.visitor, read.agent);
            Arc::new(Summary { visitor_read, agent_read, ..Summary::clone(row) })
        });
        Ok(rows.collect())
    }

    async fn find_dedup(
        &self,
        id: ConversationId,
        key: &DedupKey,
    ) -> Result<Option<Seq>, JournalError> {
        let stored = self.stored();
        let mut records = stored.records.get(&id).into_iter().flatten();
        Ok(records.find(|r| r.dedup.as_ref() == Some(key)).map(|r| r.seq))
    }

    async fn save_snapshot(
        &self,
        id: ConversationId,
        snapshot: Snapshot,
    ) -> Result<(), JournalError> {
        let mut stored = self.stored();
        let written = stored.records.get(&id).map_or(0, Vec::len);
        assert!(snapshot.seq.get() as usize <= written, "a snapshot ahead of the journal");
        stored.snapshots.insert(id, snapshot);
        Ok(())
    }

    async fn save_cursors(
        &self,
        cursors: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError> {
        let mut stored = self.stored();
        stored.cursor_writes += 1;
        for (id, new) in cursors {
            let old = stored.cursors.entry(id).or_default();
            old.visitor = old.visitor.max(new.visitor);
            old.agent = old.agent.max(new.agent);
        }
        Ok(())
    }
}
