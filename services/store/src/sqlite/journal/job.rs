//! What waits for the writer, and how its caller learns the outcome.

use super::erase::Blank;
use crate::journal::{Append, AppendOutcome, Erasure, JournalError, ReadCursors, Record, Snapshot};
use crate::shape;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch};
use frontdesk_core::shard::ShardId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Bytes counted per record or write besides its payload: keys, ids, the job
/// itself.
const OVERHEAD_BYTES: usize = 256;

/// Something to commit.
#[derive(Debug)]
pub(super) enum Job {
    /// Events.
    Append(AppendJob),
    /// Anything else.
    Write(WriteJob),
}

/// Events, and what became of them in the open group.
#[derive(Debug)]
pub(super) struct AppendJob {
    /// As the caller gave it; well formed.
    pub(super) append: Append,
    /// Its summary as JSON.
    pub(super) summary_json: Option<String>,
    /// What takes the place of the events before.
    pub(super) blank: Option<Box<Blank>>,
    /// Holds once the group is committed.
    pub(super) outcome: AppendOutcome,
    reply: oneshot::Sender<AppendOutcome>,
}

/// A write that is no append, and what became of it in the open group.
#[derive(Debug)]
pub(super) struct WriteJob {
    /// What to write.
    pub(super) write: Write,
    /// Holds once the group is committed.
    pub(super) result: Result<(), JournalError>,
    reply: oneshot::Sender<Result<(), JournalError>>,
}

/// A write that is no append.
#[derive(Debug)]
pub(super) enum Write {
    /// Raise epochs, all or none.
    Claim(Vec<(ShardId, Epoch)>),
    /// Store a snapshot.
    Snapshot(ConversationId, Snapshot),
    /// Move cursors forward.
    Cursors(Vec<(ConversationId, ReadCursors)>),
    /// Write the file anew once the group is committed.
    Rewrite,
    /// Empty the log once the group is committed, unless much of it is not copied yet or
    /// somebody reads it.
    CutLog,
}

/// Why a whole group is not known to be committed.
#[derive(Debug, Clone)]
pub(super) enum GroupFailure {
    /// It surely is not.
    NotCommitted(String),
    /// It may be.
    Uncertain(String),
}

impl GroupFailure {
    /// In a word, for traces.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::NotCommitted(_) => "not_committed",
            Self::Uncertain(_) => "uncertain",
        }
    }
}

impl Job {
    /// An append and where its outcome will be. Fails when the append is
    /// malformed, which is a defect of the caller.
    pub(super) fn append(
        append: Append,
    ) -> Result<(Self, oneshot::Receiver<AppendOutcome>), String> {
        shape::check(&append)?;
        let summary_json =
            append.summary.as_deref().map(summary_json).transpose().map_err(|e| e.to_string())?;
        let (reply, outcome) = oneshot::channel();
        let outcome_yet = AppendOutcome::Ok;
        let job = AppendJob { append, summary_json, blank: None, outcome: outcome_yet, reply };
        Ok((Self::Append(job), outcome))
    }

    /// An erasure and where its outcome will be.
    pub(super) fn erase(
        erasure: Erasure,
    ) -> Result<(Self, oneshot::Receiver<AppendOutcome>), String> {
        let Erasure { append, payloads, snapshot } = erasure;
        if payloads.len() != append.expected_head.get() as usize {
            return Err(format!("{} payloads for other events", payloads.len()));
        }
        let (mut job, outcome) = Self::append(append)?;
        if let Self::Append(job) = &mut job {
            job.blank = Some(Box::new(Blank { payloads, snapshot }));
        }
        Ok((job, outcome))
    }

    /// Whether there is more to do once its group is committed.
    pub(super) fn is_for_later(&self) -> bool {
        matches!(self, Self::Write(WriteJob { write: Write::Rewrite | Write::CutLog, .. }))
    }

    /// Another write and where its result will be.
    pub(super) fn write(write: Write) -> (Self, oneshot::Receiver<Result<(), JournalError>>) {
        let (reply, result) = oneshot::channel();
        (Self::Write(WriteJob { write, result: Ok(()), reply }), result)
    }

    /// The records it has appended to a conversation, in the open group.
    pub(super) fn appended_to(&self, conversation: ConversationId) -> Option<&[Record]> {
        match self {
            Self::Append(AppendJob { append, outcome: AppendOutcome::Ok, .. })
                if append.conversation == conversation =>
            {
                Some(&append.records)
            }
            Self::Append(_) | Self::Write(_) => None,
        }
    }

    /// Records it adds to a group; at least 1.
    pub(super) fn records(&self) -> usize {
        match self {
            Self::Append(job) => job.append.records.len(),
            Self::Write(job) => match &job.write {
                Write::Claim(claims) => claims.len().max(1),
                Write::Snapshot(..) | Write::Rewrite | Write::CutLog => 1,
                Write::Cursors(cursors) => cursors.len().max(1),
            },
        }
    }

    /// Bytes it holds while it waits, about.
    pub(super) fn bytes(&self) -> usize {
        let payload: usize = match self {
            Self::Append(job) => {
                let records: usize = job.append.records.iter().map(|r| r.payload.len()).sum();
                let blank = job.blank.iter().flat_map(|blank| &blank.payloads);
                records
                    + blank.map(|p| p.len()).sum::<usize>()
                    + job.summary_json.as_ref().map_or(0, String::len)
            }
            Self::Write(WriteJob { write: Write::Snapshot(_, s), .. }) => s.payload.len(),
            Self::Write(_) => 0,
        };
        payload + self.records() * OVERHEAD_BYTES
    }

    /// Tells the caller; the group is on stable storage. Whoever asked may have
    /// gone away.
    pub(super) fn finish(self) {
        match self {
            Self::Append(job) => drop(job.reply.send(job.outcome)),
            Self::Write(job) => drop(job.reply.send(job.result)),
        }
    }

    /// Tells the caller that the group is not known to be committed.
    pub(super) fn fail(self, failure: &GroupFailure) {
        match self {
            Self::Append(job) => drop(job.reply.send(match failure.clone() {
                GroupFailure::NotCommitted(why) => AppendOutcome::Unavailable(why),
                GroupFailure::Uncertain(why) => AppendOutcome::Unknown(why),
            })),
            Self::Write(job) => drop(job.reply.send(Err(match failure.clone() {
                GroupFailure::NotCommitted(why) | GroupFailure::Uncertain(why) => {
                    JournalError::Unavailable(why)
                }
            }))),
        }
    }
}

pub(super) fn summary_json(summary: &Summary) -> serde_json::Result<String> {
    serde_json::to_string(summary)
}

/// A summary that callers may share.
pub(super) fn parse_summary(json: &str) -> serde_json::Result<Arc<Summary>> {
    serde_json::from_str(json).map(Arc::new)
}
