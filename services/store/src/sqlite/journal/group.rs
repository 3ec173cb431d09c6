//! One group: what each job comes to inside the open transaction.
//!
//! A refused job leaves nothing behind and does not touch the others. Any error
//! that comes out of here means that the whole transaction must be rolled back.

use super::filing::{Table, filed_head};
use super::job::{AppendJob, Job, Write};
use super::rows::insert_record;
use super::schema::{PHASE_ASSIGNED, PHASE_CLOSED, PHASE_OFFERED, PHASE_WAITING};
use super::tail::{Extent, Tail};
use crate::journal::{AppendOutcome, DedupKey, JournalError, ReadCursors, Record, Snapshot};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::collections::HashMap;

const FIND_DEDUP: &str =
    "SELECT seq FROM events WHERE conversation = ?1 AND sender = ?2 AND client_msg_id = ?3";
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

/// An open transaction and what has been read and written in it.
pub(super) struct Group<'c> {
    connection: &'c Connection,
    tail: &'c Tail,
    insert: CachedStatement<'c>,
    appended: HashMap<ConversationId, Appended>,
    epochs: HashMap<ShardId, Epoch>,
}

/// Records of one conversation that this group appends; for the tail, once the
/// group is committed.
#[derive(Debug)]
pub(super) struct Appended {
    /// The last record in `events`.
    pub(super) filed: Seq,
    /// The head before this group and its records.
    head: Seq,
    /// In order.
    pub(super) records: Vec<Record>,
}

impl<'c> Group<'c> {
    /// For the transaction that is open on `connection`; appends go to `table`.
    pub(super) fn new(
        connection: &'c Connection,
        tail: &'c Tail,
        table: Table,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            tail,
            insert: connection.prepare_cached(table.insert())?,
            appended: HashMap::new(),
            epochs: HashMap::new(),
        })
    }

    /// What is to be added to the tail.
    pub(super) fn into_appended(self) -> HashMap<ConversationId, Appended> {
        self.appended
    }

    /// Applies a job and notes in it what became of it.
    pub(super) fn apply(&mut self, job: &mut Job) -> rusqlite::Result<()> {
        match job {
            Job::Append(job) => {
                job.outcome = self.append(job)?;
            }
            Job::Write(job) => match &job.write {
                Write::Claim(claims) => job.result = self.claim(claims)?,
                Write::Snapshot(conversation, snapshot) => {
                    self.put_snapshot(*conversation, snapshot)?;
                }
                Write::Cursors(cursors) => self.move_cursors(cursors)?,
            },
        }
        Ok(())
    }

    fn append(&mut self, job: &mut AppendJob) -> rusqlite::Result<AppendOutcome> {
        let append = &mut job.append;
        let epoch = self.epoch(append.shard)?;
        if append.epoch < epoch {
            return Ok(AppendOutcome::Fenced { epoch });
        }
        let Extent { filed, head } = self.extent(append.conversation)?;
        if append.expected_head != head {
            return Ok(AppendOutcome::SeqConflict { head });
        }
        for key in append.records.iter().filter_map(|record| record.dedup.as_ref()) {
            if let Some(seq) = self.find(append.conversation, filed, key)? {
                return Ok(AppendOutcome::Duplicate(seq));
            }
        }
        for record in &append.records {
            insert_record(&mut self.insert, append.conversation, record)?;
        }
        if let (Some(summary), Some(json)) = (&append.summary, &job.summary_json) {
            self.put_summary(summary, json)?;
        }
        let records = std::mem::take(&mut append.records);
        let appended = self.appended.entry(append.conversation).or_insert_with(|| Appended {
            filed,
            head,
            records: Vec::new(),
        });
        appended.records.extend(records);
        Ok(AppendOutcome::Ok)
    }

    /// How far a conversation goes, this group included.
    fn extent(&self, conversation: ConversationId) -> rusqlite::Result<Extent> {
        if let Some(appended) = self.appended.get(&conversation) {
            let head = Seq::new(appended.head.get() + appended.records.len() as u32);
            return Ok(Extent { filed: appended.filed, head });
        }
        if let Some(extent) = self.tail.extent(conversation) {
            return Ok(extent);
        }
        let filed = filed_head(self.connection, conversation)?;
        Ok(Extent { filed, head: filed })
    }

    /// The seq under which a key stands, this group included.
    fn find(
        &self,
        conversation: ConversationId,
        filed: Seq,
        key: &DedupKey,
    ) -> rusqlite::Result<Option<Seq>> {
        let appended = self.appended.get(&conversation).into_iter().flat_map(|a| &a.records);
        let mut same = appended.filter(|record| record.dedup.as_ref() == Some(key));
        if let Some(record) = same.next() {
            return Ok(Some(record.seq));
        }
        if let Some(seq) = self.tail.find(conversation, key) {
            return Ok(Some(seq));
        }
        if filed == Seq::ZERO {
            return Ok(None);
        }
        find_filed(self.connection, conversation, key)
    }

    fn epoch(&mut self, shard: ShardId) -> rusqlite::Result<Epoch> {
        if let Some(epoch) = self.epochs.get(&shard) {
            return Ok(*epoch);
        }
        let stored: Option<i64> = self
            .connection
            .prepare_cached(EPOCH)?
            .query_row([shard.get()], |row| row.get(0))
            .optional()?;
        let epoch = Epoch::new(stored.unwrap_or(0).cast_unsigned());
        self.epochs.insert(shard, epoch);
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
                self.epochs.insert(shard, claimed);
            }
        }
        Ok(Ok(()))
    }

    fn put_summary(&mut self, summary: &Summary, json: &str) -> rusqlite::Result<()> {
        let (phase, agent) = phase_columns(&summary.phase);
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

/// The seq under which a key stands in `events`.
pub(super) fn find_filed(
    connection: &Connection,
    conversation: ConversationId,
    key: &DedupKey,
) -> rusqlite::Result<Option<Seq>> {
    connection
        .prepare_cached(FIND_DEDUP)?
        .query_row(
            params![conversation.as_bytes(), key.sender.as_bytes(), &*key.client_msg_id],
            |row| row.get(0),
        )
        .optional()
        .map(|seq| seq.map(Seq::new))
}

fn phase_columns(phase: &Phase) -> (u8, Option<AgentId>) {
    match phase {
        Phase::Waiting => (PHASE_WAITING, None),
        Phase::Offered(offer) => (PHASE_OFFERED, offer.agent.agent_id()),
        Phase::Assigned { agent, .. } => (PHASE_ASSIGNED, agent.agent_id()),
        Phase::Closed { .. } => (PHASE_CLOSED, None),
    }
}
