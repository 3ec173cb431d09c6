//! The bounded queue before the writer: many callers push, one thread takes all
//! that waits, up to the size of a group.

use super::job::Job;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs that may wait. At 100,000 appends a second this is 80 ms of work: more
/// than a slow sync, less than what a client would take for an outage.
pub(super) const MAX_WAITING_JOBS: usize = 8 * 1024;
/// Bytes that may wait: 8,192 jobs of 8 KiB, or 680 of the largest payload.
pub(super) const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// Records of one group: the gain of a larger one is below 5 %, and each caller
/// waits for the whole group.
pub(super) const MAX_GROUP_RECORDS: usize = 1024;
/// Bytes of one group: keeps its dirty pages within a quarter of the page cache.
pub(super) const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Why a job was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PushError {
    /// As much waits as may wait.
    #[error("too many appends wait for the journal")]
    Full,
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    state: Mutex<State>,
    /// Signalled when the writer sleeps and there is something for it.
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    waiting_bytes: usize,
    writer_sleeps: bool,
    closed: bool,
}

impl WriteQueue {
    /// Queues a job; one that cannot wait goes to `refused` instead.
    pub(super) fn push(&self, job: Job, refused: impl FnOnce(Job, PushError)) {
        let bytes = job.bytes();
        let mut state = self.lock();
        let full = state.waiting.len() >= MAX_WAITING_JOBS
            || state.waiting_bytes.saturating_add(bytes) > MAX_WAITING_BYTES;
        let why = match (state.closed, full) {
            (true, _) => Some(PushError::Closed),
            (false, true) => Some(PushError::Full),
            (false, false) => None,
        };
        if let Some(why) = why {
            drop(state);
            return refused(job, why);
        }
        state.waiting_bytes += bytes;
        state.waiting.push_back(job);
        let wake = std::mem::take(&mut state.writer_sleeps);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Waits for jobs and moves the next group into `group`, which is empty;
    /// gives how many still wait. `None` once closed and empty.
    pub(super) fn take(&self, group: &mut Vec<Job>) -> Option<usize> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state.writer_sleeps = true;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writer_sleeps = false;
        let (mut records, mut bytes) = (0, 0);
        while let Some(job) = state.waiting.front() {
            records += job.records();
            bytes += job.bytes();
            let over = records > MAX_GROUP_RECORDS || bytes > MAX_GROUP_BYTES;
            if over && !group.is_empty() {
                break;
            }
            state.waiting_bytes -= job.bytes();
            group.extend(state.waiting.pop_front());
        }
        Some(state.waiting.len())
    }

    /// Refuses further jobs; those that wait are still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Refuses further jobs and gives back those that wait.
    pub(super) fn abort(&self) -> VecDeque<Job> {
        let mut state = self.lock();
        state.closed = true;
        state.waiting_bytes = 0;
        let abandoned = std::mem::take(&mut state.waiting);
        drop(state);
        self.wake.notify_one();
        abandoned
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::Write;
    use super::*;
    use crate::journal::{ReadCursors, Snapshot};
    use bytes::Bytes;
    use frontdesk_core::ids::{ConversationId, Seq};
    use uuid::Uuid;

    fn conversation() -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(7))
    }

    /// Pushes and gives the refusal, if any.
    fn push(queue: &WriteQueue, job: Job) -> Option<PushError> {
        let mut refusal = None;
        queue.push(job, |_, why| refusal = Some(why));
        refusal
    }

    fn cursors(n: usize) -> Job {
        Job::write(Write::Cursors(vec![(conversation(), ReadCursors::default()); n])).0
    }

    fn snapshot(bytes: usize) -> Job {
        let snapshot = Snapshot { seq: Seq::new(1), payload: Bytes::from(vec![0; bytes]) };
        Job::write(Write::Snapshot(conversation(), snapshot)).0
    }

    #[test]
    fn jobs_and_bytes_are_bounded() {
        let queue = WriteQueue::default();
        for _ in 0..MAX_WAITING_JOBS {
            assert_eq!(push(&queue, cursors(1)), None);
        }
        assert_eq!(push(&queue, cursors(1)), Some(PushError::Full));

        let queue = WriteQueue::default();
        assert_eq!(push(&queue, snapshot(MAX_WAITING_BYTES - 1024)), None);
        assert_eq!(push(&queue, snapshot(1024)), Some(PushError::Full));
        let mut group = Vec::new();
        assert_eq!(queue.take(&mut group), Some(0));
        assert_eq!(push(&queue, snapshot(1024)), None);
    }

    #[test]
    fn a_group_is_bounded_but_takes_at_least_one_job() {
        let queue = WriteQueue::default();
        assert_eq!(push(&queue, cursors(MAX_GROUP_RECORDS - 1)), None);
        assert_eq!(push(&queue, cursors(1)), None);
        assert_eq!(push(&queue, cursors(MAX_GROUP_RECORDS + 1)), None);
        let mut sizes = Vec::new();
        let mut group = Vec::new();
        queue.close();
        while queue.take(&mut group).is_some() {
            sizes.push(group.len());
            group.clear();
        }
        assert_eq!(sizes, [2, 1]);
        assert_eq!(push(&queue, cursors(1)), Some(PushError::Closed));
    }

    #[test]
    fn abort_gives_back_what_waits() {
        let queue = WriteQueue::default();
        assert_eq!(push(&queue, cursors(1)), None);
        assert_eq!(queue.abort().len(), 1);
        assert_eq!(queue.take(&mut Vec::new()), None);
    }
}
