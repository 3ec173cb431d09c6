//! A journal that all simulated owners share, as they would a database: it lives
//! on when they crash, what is under way to it may arrive late, and nobody may
//! learn what became of it. It keeps its own history for the checks.

use super::entropy::elapsed;
use super::plan::Bug;
use async_trait::async_trait;
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use frontdesk_store::journal::{
    Append, AppendOutcome, DedupKey, Journal, JournalError, ListQuery, Loaded, ReadCursors,
    ReadQuery, Record, RecordPage, Snapshot,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Appends of one process that may be under way; then it is told to come back.
pub(crate) const MAX_WAITING: usize = 4_096;
/// A read's way there and back.
const READ: Duration = Duration::from_millis(4);
/// How often somebody who cannot get through tries again.
const RETRY: Duration = Duration::from_millis(20);
/// With the bug: between the acknowledgement and the commit.
const LATE_COMMIT_MS: u64 = 150;

/// How long an append is under way; some meet a disk that is busy.
fn way(rng: &mut SmallRng) -> u64 {
    if rng.random_range(0..20) == 0 { rng.random_range(20..300) } else { rng.random_range(1..8) }
}

/// An append as it was applied.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) at_ms: u64,
    pub(crate) shard: ShardId,
    pub(crate) epoch: Epoch,
    /// The highest epoch that had claimed the shard.
    pub(crate) claimed: Epoch,
    pub(crate) conversation: ConversationId,
    pub(crate) records: Vec<Record>,
}

struct Waiting {
    append: Append,
    due_ms: u64,
    reply: Option<oneshot::Sender<AppendOutcome>>,
}

/// The way of one process to the journal.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    frozen: bool,
}

/// What is on stable storage, and what is under way to it.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) records: BTreeMap<ConversationId, Vec<Record>>,
    pub(crate) history: Vec<Applied>,
    pub(crate) longest_queue: usize,
    pub(crate) down: bool,
    bug: Option<Bug>,
    snapshots: BTreeMap<ConversationId, Snapshot>,
    cursors: BTreeMap<ConversationId, ReadCursors>,
    summaries: BTreeMap<ConversationId, Arc<Summary>>,
    epochs: BTreeMap<ShardId, Epoch>,
    lanes: BTreeMap<String, Lane>,
}

impl Store {
    /// A process stands still: what it has sent comes late.
    pub(crate) fn freeze(&mut self, process: &str, frozen: bool) {
        self.lanes.entry(process.to_owned()).or_default().frozen = frozen;
    }

    /// A process has died. What was on its way arrives or does not.
    fn forget(&mut self, process: &str, rng: &mut SmallRng) {
        let Some(lane) = self.lanes.get_mut(process) else { return };
        if self.bug == Some(Bug::AckBeforeCommit) {
            lane.waiting.clear();
            return;
        }
        let arrives = rng.random_range(0..=lane.waiting.len());
        lane.waiting.truncate(arrives);
    }

    /// Carries out what has arrived by now.
    fn tick(&mut self, rng: &mut SmallRng) {
        let processes: Vec<String> = self.lanes.keys().cloned().collect();
        for process in processes {
            while let Some(waiting) = self.next_due(&process) {
                self.carry_out(waiting, rng);
            }
        }
    }

    fn next_due(&mut self, process: &str) -> Option<Waiting> {
        let lane = self.lanes.get_mut(process)?;
        let due = lane.waiting.front().is_some_and(|w| w.due_ms <= elapsed());
        if due && !lane.frozen { lane.waiting.pop_front() } else { None }
    }

    fn carry_out(&mut self, waiting: Waiting, rng: &mut SmallRng) {
        let Waiting { append, reply, .. } = waiting;
        let outcome = match (self.down, rng.random_range(0..4)) {
            (false, _) => self.append(append),
            (true, 0) => {
                self.append(append);
                AppendOutcome::Unknown("the line broke".into())
            }
            (true, 1) => AppendOutcome::Unknown("the line broke".into()),
            (true, _) => AppendOutcome::Unavailable("the database is away".into()),
        };
        if let Some(reply) = reply {
            // The asker may have died.
            let _ = reply.send(outcome);
        }
    }

    fn append(&mut self, append: Append) -> AppendOutcome {
        let claimed = self.epochs.get(&append.shard).copied().unwrap_or_default();
        if claimed > append.epoch && self.bug != Some(Bug::NoFencing) {
            return AppendOutcome::Fenced { epoch: claimed };
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
        records.extend(append.records.iter().cloned());
        if let Some(summary) = append.summary {
            self.summaries.insert(append.conversation, summary);
        }
        self.history.push(Applied {
            at_ms: elapsed(),
            shard: append.shard,
            epoch: append.epoch,
            claimed,
            conversation: append.conversation,
            records: append.records,
        });
        AppendOutcome::Ok
    }

    fn listed(&self, query: &ListQuery) -> Vec<Arc<Summary>> {
        let is_open = |row: &Summary| !matches!(row.phase, Phase::Closed { .. });
        let wanted = |row: &&Arc<Summary>| match query {
            ListQuery::OfVisitor(site, visitor) => {
                row.site == *site && row.visitor.id == visitor.as_uuid()
            }
            ListQuery::OfAgent { site, agent, closed } => {
                let of = |p: &frontdesk_core::party::Participant| p.agent_id() == Some(*agent);
                let had = *closed && row.last_agent.as_ref().is_some_and(of);
                row.site == *site && (row.phase.holder().is_some_and(of) || had)
            }
            ListQuery::Waiting(site, queue) => {
                let waits = matches!(row.phase, Phase::Waiting | Phase::Offered(_));
                row.site == *site && row.queue == *queue && waits
            }
            ListQuery::AllWaiting(site) => {
                row.site == *site && matches!(row.phase, Phase::Waiting | Phase::Offered(_))
            }
            ListQuery::AllAssigned(site) => {
                row.site == *site && matches!(row.phase, Phase::Assigned { .. })
            }
            ListQuery::OfSite(site) => row.site == *site,
            ListQuery::Changed { site, from, after } => {
                row.site == *site && (row.last_at, Some(row.id)) > (*from, *after)
            }
            ListQuery::Open => is_open(row),
            ListQuery::OpenFrom { from, after } => {
                is_open(row) && (row.last_at, Some(row.id)) > (*from, *after)
            }
        };
        let mut rows: Vec<Arc<Summary>> = self.summaries.values().filter(wanted).cloned().collect();
        match query {
            ListQuery::Waiting(..) | ListQuery::AllWaiting(_) => {
                rows.sort_by_key(|row| row.waiting_since);
            }
            ListQuery::Changed { .. } | ListQuery::OpenFrom { .. } => {
                rows.sort_by_key(|row| (row.last_at, row.id))
            }
            _ => rows.sort_by_key(|row| std::cmp::Reverse(row.last_at)),
        }
        rows
    }
}

/// The journal outside of all processes.
#[derive(Clone)]
pub(crate) struct SimJournal {
    store: Arc<Mutex<Store>>,
    rng: Arc<Mutex<SmallRng>>,
}

impl SimJournal {
    pub(crate) fn new(bug: Option<Bug>, rng: SmallRng) -> Self {
        let store = Store { bug, ..Store::default() };
        Self { store: Arc::new(Mutex::new(store)), rng: Arc::new(Mutex::new(rng)) }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rng(&self) -> MutexGuard<'_, SmallRng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tick(&self) {
        self.store().tick(&mut self.rng());
    }

    pub(crate) fn forget(&self, process: &str) {
        self.store().forget(process, &mut self.rng());
    }

    /// As one process reaches it.
    pub(crate) fn of(&self, process: &str) -> Arc<dyn Journal> {
        Arc::new(Handle { journal: self.clone(), process: process.to_owned() })
    }
}

struct Handle {
    journal: SimJournal,
    process: String,
}

impl Handle {
    fn is_frozen(&self) -> bool {
        self.journal.store().lanes.get(&self.process).is_some_and(|lane| lane.frozen)
    }

    /// Gets through, later or not at all.
    async fn reach(&self) -> Result<MutexGuard<'_, Store>, JournalError> {
        tokio::time::sleep(READ).await;
        while self.is_frozen() {
            tokio::time::sleep(RETRY).await;
        }
        let store = self.journal.store();
        if store.down {
            return Err(JournalError::Unavailable("the database is away".into()));
        }
        Ok(store)
    }
}

#[async_trait]
impl Journal for Handle {
    async fn claim(&self, claims: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        let mut store = self.reach().await?;
        for (shard, epoch) in claims {
            let present = store.epochs.get(shard).copied().unwrap_or_default();
            if present > *epoch {
                return Err(JournalError::Fenced { shard: *shard, epoch: present });
            }
        }
        store.epochs.extend(claims.iter().copied());
        Ok(())
    }

    fn append(&self, append: Append) -> BoxFuture<'static, AppendOutcome> {
        let way = way(&mut self.journal.rng());
        let mut store = self.journal.store();
        let early = store.bug == Some(Bug::AckBeforeCommit);
        let lane = store.lanes.entry(self.process.clone()).or_default();
        if lane.waiting.len() >= MAX_WAITING {
            return async { AppendOutcome::Unavailable("full".into()) }.boxed();
        }
        let (reply, outcome) = oneshot::channel();
        let due_ms = elapsed() + way + if early { LATE_COMMIT_MS } else { 0 };
        let (reply, told) = if early { (None, Some(reply)) } else { (Some(reply), None) };
        lane.waiting.push_back(Waiting { append, due_ms, reply });
        let length = lane.waiting.len();
        store.longest_queue = store.longest_queue.max(length);
        if let Some(told) = told {
            let _ = told.send(AppendOutcome::Ok);
        }
        outcome.map(|o| o.unwrap_or_else(|_| AppendOutcome::Unknown("gone".into()))).boxed()
    }

    async fn load(&self, id: ConversationId) -> Result<Option<Loaded>, JournalError> {
        let store = self.reach().await?;
        let Some(records) = store.records.get(&id).filter(|r| !r.is_empty()) else {
            return Ok(None);
        };
        let snapshot = store.snapshots.get(&id).cloned();
        let after = snapshot.as_ref().map_or(0, |s| s.seq.get()) as usize;
        let tail: Vec<Record> = records.iter().skip(after).take(16).cloned().collect();
        let more = after + tail.len() < records.len();
        let cursors = store.cursors.get(&id).copied().unwrap_or_default();
        Ok(Some(Loaded { snapshot, cursors, tail: RecordPage { records: tail, more } }))
    }

    async fn read(&self, query: ReadQuery) -> Result<RecordPage, JournalError> {
        let store = self.reach().await?;
        let all = store.records.get(&query.conversation).into_iter().flatten();
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
        Ok(self.reach().await?.summaries.get(&id).cloned())
    }

    async fn list(&self, query: ListQuery, limit: u32) -> Result<Vec<Arc<Summary>>, JournalError> {
        let mut rows = self.reach().await?.listed(&query);
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn find_dedup(
        &self,
        id: ConversationId,
        key: &DedupKey,
    ) -> Result<Option<Seq>, JournalError> {
        let store = self.reach().await?;
        let mut records = store.records.get(&id).into_iter().flatten();
        Ok(records.find(|r| r.dedup.as_ref() == Some(key)).map(|r| r.seq))
    }

    async fn save_snapshot(
        &self,
        id: ConversationId,
        snapshot: Snapshot,
    ) -> Result<(), JournalError> {
        let mut store = self.reach().await?;
        if store.snapshots.get(&id).is_none_or(|old| old.seq < snapshot.seq) {
            store.snapshots.insert(id, snapshot);
        }
        Ok(())
    }

    async fn save_cursors(
        &self,
        cursors: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError> {
        let mut store = self.reach().await?;
        for (id, new) in cursors {
            let old = store.cursors.entry(id).or_default();
            old.visitor = old.visitor.max(new.visitor);
            old.agent = old.agent.max(new.agent);
        }
        Ok(())
    }
}
