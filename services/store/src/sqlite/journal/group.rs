//! One group: what each job comes to inside the open transaction.
//!
//! A refused job leaves nothing behind and does not touch the others. Any error
//! that comes out of here means that the whole transaction must be rolled back.

use super::erase::{self, Blank};
use super::job::{AppendJob, Job, Write};
use super::known::{Fingerprints, Known};
use super::packed;
use super::runs;
use super::tail::{Extent, Tail};
use crate::journal::{Append, AppendOutcome, DedupKey, JournalError, ReadCursors, Snapshot};
use crate::shape::phase_code;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// Capacity that the buffer of packed records keeps: most groups are smaller.
const PACKED_BYTES: usize = 1024 * 1024;

const EPOCH: &str = "SELECT epoch FROM shards WHERE shard = ?1";
const RAISE_EPOCH: &str = "INSERT INTO shards (shard, epoch) VALUES (?1, ?2)
    ON CONFLICT (shard) DO UPDATE SET epoch = excluded.epoch";
const PUT_SUMMARY: &str = "INSERT INTO conversations
    (id, site, visitor, queue, phase, agent, last_agent, waiting_since, updated_at, summary)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (id) DO UPDATE SET queue = excluded.queue, phase = excluded.phase,
        agent = excluded.agent, last_agent = excluded.last_agent,
        waiting_since = excluded.waiting_since, updated_at = excluded.updated_at,
        summary = excluded.summary";
const PUT_SNAPSHOT: &str = "INSERT INTO snapshots (conversation, seq, payload)
    VALUES (?1, ?2, ?3)
    ON CONFLICT (conversation) DO UPDATE SET seq = excluded.seq, payload = excluded.payload
        WHERE excluded.seq >= seq";
const MOVE_CURSORS: &str = "INSERT INTO read_cursors (conversation, visitor, agent)
    VALUES (?1, ?2, ?3)
    ON CONFLICT (conversation) DO UPDATE SET visitor = max(visitor, excluded.visitor),
        agent = max(agent, excluded.agent)";

/// An open transaction and what is being written in it.
pub(super) struct Group<'w> {
    connection: &'w Connection,
    tail: &'w Tail,
    memory: &'w mut Memory,
}

/// What the writer keeps from one group to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The stored epochs; nobody else raises them.
    epochs: HashMap<ShardId, Epoch>,
    known: Known,
    /// How far the conversations of this group go, with it.
    extents: HashMap<ConversationId, Extent>,
    /// The records of this group.
    packed: Vec<u8>,
    records: usize,
    /// What this group erases.
    blanked: Vec<(ConversationId, Box<Blank>)>,
}

impl Memory {
    /// Forgets the group, which is committed.
    pub(super) fn end_group(&mut self) {
        self.known.end_group();
        self.forget_group();
    }

    /// Forgets what was rolled back.
    pub(super) fn roll_back(&mut self) {
        // Keys that stay in `known` are only looked up once too often.
        self.epochs.clear();
        self.forget_group();
    }

    fn forget_group(&mut self) {
        self.extents.clear();
        self.packed.clear();
        self.packed.shrink_to(PACKED_BYTES);
        self.records = 0;
        self.blanked.clear();
    }

    /// Whether this group changes what stood before it.
    pub(super) fn erases(&self) -> bool {
        !self.blanked.is_empty()
    }

    /// Records that this group appends.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// The same, packed.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Gives the records of this group, which is committed, to the tail.
    pub(super) fn publish(&self, tail: &mut Tail) {
        for (conversation, blank) in &self.blanked {
            tail.blank(*conversation, blank);
        }
        for item in packed::group(&self.packed) {
            let (conversation, seq, record) = item.expect("a group is well packed");
            let extent = self.extents.get(&conversation);
            debug_assert!(extent.is_some_and(|e| e.filed < seq && seq <= e.head));
            tail.push(conversation, extent.map_or(Seq::ZERO, |e| e.filed), record);
        }
    }
}

impl<'w> Group<'w> {
    /// For the transaction that is open on `connection`.
    pub(super) fn new(connection: &'w Connection, tail: &'w Tail, memory: &'w mut Memory) -> Self {
        Self { connection, tail, memory }
    }

    /// Applies the jobs in their order and notes in each what became of it.
    pub(super) fn apply_all(&mut self, jobs: &mut [Job]) -> rusqlite::Result<()> {
        for n in 0..jobs.len() {
            let (before, rest) = jobs.split_at_mut(n);
            if let Some(job) = rest.first_mut() {
                self.apply(job, before)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, job: &mut Job, before: &[Job]) -> rusqlite::Result<()> {
        match job {
            Job::Append(job) => {
                job.outcome = self.append(job, before)?;
            }
            Job::Write(job) => match &job.write {
                Write::Claim(claims) => job.result = self.claim(claims)?,
                Write::Snapshot(conversation, snapshot) => {
                    self.put_snapshot(*conversation, snapshot)?;
                }
                Write::Cursors(cursors) => self.move_cursors(cursors)?,
                Write::Rewrite | Write::CutLog => {}
            },
        }
        Ok(())
    }

    fn append(&mut self, job: &mut AppendJob, before: &[Job]) -> rusqlite::Result<AppendOutcome> {
        let append = &job.append;
        let conversation = append.conversation;
        let epoch = self.epoch(append.shard)?;
        if append.epoch < epoch {
            return Ok(AppendOutcome::Fenced { epoch });
        }
        let Extent { filed, head } = self.extent(conversation)?;
        if append.expected_head != head {
            return Ok(AppendOutcome::SeqConflict { head });
        }
        if let Some(seq) = self.said(append, filed, before)? {
            return Ok(AppendOutcome::Duplicate(seq));
        }
        if let Some(blank) = job.blank.take() {
            if self.memory.extents.contains_key(&conversation) {
                // What this group appends is packed already.
                return Ok(AppendOutcome::Unavailable("it is being appended to".into()));
            }
            erase::in_tables(self.connection, conversation, &blank)?;
            self.put_snapshot(conversation, &blank.snapshot)?;
            self.memory.blanked.push((conversation, blank));
        }
        let memory = &mut *self.memory;
        for record in &append.records {
            let print = record.dedup.as_ref().map_or(0, packed::fingerprint);
            packed::pack(&mut memory.packed, conversation, record, print);
        }
        memory.records += append.records.len();
        let head = Seq::new(head.get() + append.records.len() as u32);
        memory.extents.insert(conversation, Extent { filed, head });
        if let (Some(summary), Some(json)) = (&append.summary, &job.summary_json) {
            self.put_summary(summary, json)?;
        }
        Ok(AppendOutcome::Ok)
    }

    /// How far a conversation goes, this group included.
    fn extent(&self, conversation: ConversationId) -> rusqlite::Result<Extent> {
        let here = self.memory.extents.get(&conversation).copied();
        if let Some(extent) = here.or_else(|| self.tail.extent(conversation)) {
            return Ok(extent);
        }
        let filed = runs::head(self.connection, conversation)?;
        Ok(Extent { filed, head: filed })
    }

    /// The seq under which a key of an append stands already, this group
    /// included; if none does, they all count as appended from now on.
    fn said(
        &mut self,
        append: &Append,
        filed: Seq,
        before: &[Job],
    ) -> rusqlite::Result<Option<Seq>> {
        let (connection, tail, conversation) = (self.connection, self.tail, append.conversation);
        let load = || {
            let mut prints: Fingerprints = tail.fingerprints(conversation).collect();
            if filed > Seq::ZERO {
                runs::fingerprints(connection, conversation, &mut prints)?;
            }
            Ok::<_, rusqlite::Error>(prints)
        };
        let keys = || append.records.iter().filter_map(|record| record.dedup.as_ref());
        if keys().next().is_none() {
            return Ok(None);
        }
        let mut known = self.memory.known.of(conversation, load)?;
        for key in keys().filter(|key| known.may_have(packed::fingerprint(key))) {
            if let Some(seq) = find(connection, tail, conversation, key, before)? {
                return Ok(Some(seq));
            }
        }
        keys().for_each(|key| known.add(packed::fingerprint(key)));
        Ok(None)
    }

    fn epoch(&mut self, shard: ShardId) -> rusqlite::Result<Epoch> {
        if let Some(epoch) = self.memory.epochs.get(&shard) {
            return Ok(*epoch);
        }
        let stored: Option<i64> = self
            .connection
            .prepare_cached(EPOCH)?
            .query_row([shard.get()], |row| row.get(0))
            .optional()?;
        let epoch = Epoch::new(stored.unwrap_or(0).cast_unsigned());
        self.memory.epochs.insert(shard, epoch);
        Ok(epoch)
    }

    fn claim(&mut self, claims: &[(ShardId, Epoch)]) -> rusqlite::Result<Result<(), JournalError>> {
        for &(shard, claimed) in claims {
            let epoch = self.epoch(shard)?;
            if claimed < epoch {
                return Ok(Err(JournalError::Fenced { shard, epoch }));
            }
        }
        let mut raise = self.connection.prepare_cached(RAISE_EPOCH)?;
        for &(shard, claimed) in claims {
            if self.epoch(shard)? < claimed {
                raise.execute(params![shard.get(), claimed.get().cast_signed()])?;
                self.memory.epochs.insert(shard, claimed);
            }
        }
        Ok(Ok(()))
    }

    fn put_summary(&mut self, summary: &Summary, json: &str) -> rusqlite::Result<()> {
        let (phase, agent) = (phase_code(&summary.phase), summary.holder());
        let last_agent = summary.last_agent.as_ref().and_then(|agent| agent.agent_id());
        self.connection.prepare_cached(PUT_SUMMARY)?.execute(params![
            summary.id.as_bytes(),
            summary.site.as_str(),
            summary.visitor.id.as_bytes(),
            summary.queue.as_str(),
            phase,
            agent.as_ref().map(AgentId::as_bytes),
            last_agent.as_ref().map(AgentId::as_bytes),
            summary.waiting_since.as_millis().cast_signed(),
            summary.last_at.as_millis().cast_signed(),
            json,
        ])?;
        Ok(())
    }

    fn put_snapshot(
        &mut self,
        conversation: ConversationId,
        snapshot: &Snapshot,
    ) -> rusqlite::Result<()> {
        self.connection.prepare_cached(PUT_SNAPSHOT)?.execute(params![
            conversation.as_bytes(),
            snapshot.seq.get(),
            &snapshot.payload[..],
        ])?;
        Ok(())
    }

    fn move_cursors(&mut self, cursors: &[(ConversationId, ReadCursors)]) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(MOVE_CURSORS)?;
        for (conversation, cursors) in cursors {
            statement.execute(params![
                conversation.as_bytes(),
                cursors.visitor.get(),
                cursors.agent.get(),
            ])?;
        }
        Ok(())
    }
}

/// The seq under which a key stands: in the jobs `before`, in the tail or filed.
fn find(
    connection: &Connection,
    tail: &Tail,
    conversation: ConversationId,
    key: &DedupKey,
    before: &[Job],
) -> rusqlite::Result<Option<Seq>> {
    let appended = before.iter().filter_map(|job| job.appended_to(conversation)).flatten();
    let mut same = appended.filter(|record| record.dedup.as_ref() == Some(key));
    match same.next().map(|record| record.seq).or_else(|| tail.find(conversation, key)) {
        Some(seq) => Ok(Some(seq)),
        None => runs::find(connection, conversation, key),
    }
}
