//! The journal's contract: where promises P1, P2, P3 and P5 come to rest.
//!
//! An append carries the owner's epoch and the head it believes in. It is
//! applied whole or not at all, in the order of the calls per conversation, and
//! its outcome says exactly what is on stable storage.

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, QueueId, Seq, SiteId, VisitorId};
use frontdesk_core::party::Audience;
use frontdesk_core::privacy::Remains;
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_core::trace::TraceContext;
use futures::future::BoxFuture;
use std::sync::Arc;
use uuid::Uuid;

/// Longest payload of one record, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 96 * 1024;

/// What may be appended once for the whole life of a conversation: the sender
/// and the sender's id of the message (1–64 bytes).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DedupKey {
    /// Visitor's or agent's id.
    pub sender: Uuid,
    /// The sender's id of the message.
    pub client_msg_id: Arc<str>,
}

/// One event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub seq: Seq,
    /// The public event before it.
    pub prev_public: Seq,
    /// Who may see it.
    pub audience: Audience,
    /// For messages and notes.
    pub dedup: Option<DedupKey>,
    /// Encoded event, opaque here.
    pub payload: Bytes,
}

/// Events of one conversation that become durable together.
#[derive(Debug, Clone)]
pub struct Append {
    /// The conversation's shard.
    pub shard: ShardId,
    /// The appender's ownership of it.
    pub epoch: Epoch,
    /// The conversation.
    pub conversation: ConversationId,
    /// The head before `records`; the first record has the seq after it.
    pub expected_head: Seq,
    /// At least one, with rising seq without gaps.
    pub records: Vec<Record>,
    /// The conversation after the records, when what the lists show has changed
    /// (phase, queue, agent, tags, rating); always with the first append.
    pub summary: Option<Arc<Summary>>,
    /// What the commit of its group is told under, when it is recorded.
    pub trace: Option<Box<TraceContext>>,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendOutcome {
    /// On stable storage.
    Ok,
    /// Not appended: a record's `DedupKey` stands at this seq already.
    Duplicate(Seq),
    /// Not appended: the head is another one.
    SeqConflict {
        /// The head there is.
        head: Seq,
    },
    /// Not appended: a higher epoch owns the shard.
    Fenced {
        /// That epoch.
        epoch: Epoch,
    },
    /// Not appended: the journal is full, away or overloaded.
    Unavailable(String),
    /// Nobody knows. Only reading tells.
    Unknown(String),
}

impl AppendOutcome {
    /// In a word, for labels and traces.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Duplicate(_) => "duplicate",
            Self::SeqConflict { .. } => "seq_conflict",
            Self::Fenced { .. } => "fenced",
            Self::Unavailable(_) => "unavailable",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What a conversation is to be from now on: the same events with other payloads, and
/// some more. What was stored before is gone, wherever it was.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// What follows; the records as in any append. It changes nothing unless it fits.
    pub append: Append,
    /// New payloads of all events before, the first first.
    pub payloads: Vec<Bytes>,
    /// In the place of the one there is; of the last event of all.
    pub snapshot: Snapshot,
}

/// Why a claim or a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A higher epoch owns the shard.
    #[error("shard {shard:?} is owned by epoch {epoch:?}")]
    Fenced {
        /// The shard.
        shard: ShardId,
        /// That epoch.
        epoch: Epoch,
    },
    /// The journal cannot be reached, is full or timed out; try again.
    #[error("journal unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be understood; a defect or a damaged file.
    #[error("journal damaged: {0}")]
    Damaged(String),
}

/// A page of events, in rising order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<Record>,
    /// There is more in the direction asked for.
    pub more: bool,
}

/// Which records to read.
#[derive(Debug, Clone)]
pub struct ReadQuery {
    /// The conversation.
    pub conversation: ConversationId,
    /// `Public` leaves out internal records.
    pub audience: Audience,
    /// Exclusive bound: lower, or upper when `backwards` (0 = from the end).
    pub after: Seq,
    /// At most this many records.
    pub limit: u32,
    /// The page ends after the record that brings it over this many bytes.
    pub max_bytes: usize,
    /// Read towards the beginning; the page is in rising order all the same.
    pub backwards: bool,
}

/// A stored state of a conversation from which the tail is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event in it.
    pub seq: Seq,
    /// Encoded state, opaque here; one that cannot be understood is ignored.
    pub payload: Bytes,
}

/// How far each side has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadCursors {
    /// The visitor.
    pub visitor: Seq,
    /// The staff.
    pub agent: Seq,
}

/// What activation needs, read in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The newest snapshot, if any.
    pub snapshot: Option<Snapshot>,
    /// How far each side has read.
    pub cursors: ReadCursors,
    /// The first page of records after the snapshot (both audiences).
    pub tail: RecordPage,
}

/// Which conversations to list; newest activity first, but waiting ones oldest
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListQuery {
    /// A visitor's, of one site.
    OfVisitor(SiteId, VisitorId),
    /// Those an agent has or is offered; with `closed` also those it had last.
    OfAgent {
        /// The tenant.
        site: SiteId,
        /// The agent.
        agent: AgentId,
        /// Also closed ones.
        closed: bool,
    },
    /// Those waiting in or offered from a queue.
    Waiting(SiteId, QueueId),
    /// Those waiting in or offered from any queue of a site.
    AllWaiting(SiteId),
    /// Those that agents of a site have.
    AllAssigned(SiteId),
    /// All of a site.
    OfSite(SiteId),
    /// All that are not closed, of every site.
    Open,
    /// Those of every site that are not closed, the longest unchanged first, from a place
    /// on, as `Changed` gives them.
    OpenFrom {
        /// Not before this, by the summary's `last_at`.
        from: Timestamp,
        /// Of those at `from`, only ones with a greater id.
        after: Option<ConversationId>,
    },
    /// A site's, the longest unchanged first, from a place on: page after page gives
    /// every one that was not changed meanwhile, and those that were once more.
    Changed {
        /// The tenant.
        site: SiteId,
        /// Not before this, by the summary's `last_at`.
        from: Timestamp,
        /// Of those at `from`, only ones with a greater id.
        after: Option<ConversationId>,
    },
}

/// The journal.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Raises the epochs of shards, all or none, before anything of them is read.
    /// Claiming the epoch one has is harmless; a lower one is `Fenced`.
    async fn claim(&self, claims: &[(ShardId, Epoch)]) -> Result<(), JournalError>;

    /// Queues an append, in the order of the calls, before this returns; the
    /// future resolves when its group has been committed or refused. Appends of
    /// one conversation may be in flight together: when one is refused, those
    /// behind it are refused too (their expected head is wrong). Dropping the
    /// future does not cancel the append. The queue is bounded: when it is full
    /// the answer is `Unavailable` at once.
    fn append(&self, append: Append) -> BoxFuture<'static, AppendOutcome>;

    /// Empties what stands in a conversation and appends to it, all or nothing. Readers
    /// find the one or the other. Nobody else appends to it meanwhile.
    async fn erase(&self, _: Erasure) -> AppendOutcome {
        AppendOutcome::Unavailable("nothing is ever erased here".into())
    }

    /// Makes sure that the bytes of what was erased are nowhere in files of one's own any
    /// more, and says where they may still be. Appends may wait for it.
    async fn scrub(&self) -> Result<Remains, JournalError> {
        Ok(Remains::UntilVacuum)
    }

    /// Everything activation needs; `None` when the conversation has no events.
    async fn load(&self, conversation: ConversationId) -> Result<Option<Loaded>, JournalError>;

    /// A page of records.
    async fn read(&self, query: ReadQuery) -> Result<RecordPage, JournalError>;

    /// The conversation as the lists show it (its `head`, `public_head`,
    /// `last_at` and read cursors may be older than the journal).
    async fn summary(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Arc<Summary>>, JournalError>;

    /// Lists conversations, at most `limit`, as `summary` shows them; but with the
    /// read cursors last saved, except for those that are not listed for a reader:
    /// `Open`, `OpenFrom`, `AllWaiting`, `AllAssigned`, `Changed`.
    async fn list(&self, query: ListQuery, limit: u32) -> Result<Vec<Arc<Summary>>, JournalError>;

    /// The seq under which a key stands in a conversation.
    async fn find_dedup(
        &self,
        conversation: ConversationId,
        key: &DedupKey,
    ) -> Result<Option<Seq>, JournalError>;

    /// Stores a snapshot unless a newer one is there. Not part of any promise.
    async fn save_snapshot(
        &self,
        conversation: ConversationId,
        snapshot: Snapshot,
    ) -> Result<(), JournalError>;

    /// Moves read cursors forward (never back). Not part of any promise.
    async fn save_cursors(
        &self,
        cursors: Vec<(ConversationId, ReadCursors)>,
    ) -> Result<(), JournalError>;
}
