//! The log as the consensus core sees it: the end of it in memory, all of it in
//! the file. An entry can be read as soon as `append` has returned.

use super::file::{Change, Held};
use super::writer::Writer;
use crate::network::encode;
use crate::types::{Entry, LogId, TypeConfig, Vote};
use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries held in memory, about 500 bytes each: 8 MB. A follower that is further
/// behind is served from the file.
pub(super) const TAIL: usize = 16_384;
/// Entries read from the file at once when a follower is far behind.
const READ_AT_ONCE: u64 = 2_048;

/// The log; clones share it.
#[derive(Clone)]
pub(crate) struct LogStore {
    held: Arc<Mutex<Held>>,
    writer: Writer,
}

impl LogStore {
    pub(super) fn new(held: Held, writer: Writer) -> Self {
        Self { held: Arc::new(Mutex::new(held)), writer }
    }

    /// Never held over an await.
    fn lock(&self) -> MutexGuard<'_, Held> {
        // Each holder leaves it whole before anything that can panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let (start, from_memory) = {
            let held = self.lock();
            let start = held.purged.map_or(start, |id| start.max(id.index + 1));
            if start >= end {
                return Ok(Vec::new());
            }
            match held.tail.first_key_value() {
                Some((first, _)) if *first <= start => {
                    (start, Some(held.tail.range(start..end).map(|(_, e)| e.clone()).collect()))
                }
                _ => (start, None),
            }
        };
        match from_memory {
            Some(entries) => Ok(entries),
            None => self.writer.entries(start, end).await,
        }
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end).await
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.lock().vote)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start, end.min(start.saturating_add(READ_AT_ONCE))).await
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let held = self.lock();
        // The tail is only empty when the whole log is.
        let last = held.tail.last_key_value().map(|(_, entry)| entry.log_id);
        Ok(LogState { last_purged_log_id: held.purged, last_log_id: last.or(held.purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.writer.write(Change::Vote(*vote)).await?;
        self.lock().vote = Some(*vote);
        Ok(())
    }

    /// Lost with a crash at worst: then what was committed is learnt from the
    /// group again, which `PresenceGroup::ready` waits for.
    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        self.lock().committed = committed;
        match committed {
            Some(id) => self.writer.write_lazily(Change::Committed(id)).await,
            None => Ok(()),
        }
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.lock().committed)
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let encoded = entries
            .iter()
            .map(|entry| Ok((entry.log_id.index, encode(entry)?)))
            .collect::<io::Result<Vec<_>>>()?;
        self.lock().tail.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
        self.writer.append(encoded, flushed).await?;
        // Only now: what leaves memory has to be in reach of the writer's queue.
        let mut held = self.lock();
        while held.tail.len() > TAIL {
            held.tail.pop_first();
        }
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let after = last.map(|id| id.index);
        let emptied = {
            let mut held = self.lock();
            let _ = held.tail.split_off(&after.map_or(0, |index| index + 1));
            held.tail.is_empty()
        };
        self.writer.write(Change::Truncate(after)).await?;
        if emptied && let Some(after) = after {
            // More was cut off than memory held: its end comes from the file.
            let start = (after + 1).saturating_sub(TAIL as u64);
            let tail = self.read(start, after + 1).await?;
            self.lock().tail.extend(tail.into_iter().map(|entry| (entry.log_id.index, entry)));
        }
        Ok(())
    }

    /// Lost with a crash at worst: then the log is longer than it need be.
    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        {
            let mut held = self.lock();
            held.tail = held.tail.split_off(&(upto.index + 1));
            held.purged = held.purged.max(Some(upto));
        }
        self.writer.write_lazily(Change::Purged(upto)).await
    }
}
