//! What waits at one subscription. It never holds more than its named limit and
//! never loses anything without saying `Lagged`.

use crate::{MAX_WAITING_BATCHES, MAX_WAITING_BYTES, Received};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A bounded queue with one receiver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Bytes>,
    bytes: usize,
    lagged: bool,
    ended: bool,
}

impl Waiting {
    fn is_full(&self, more: usize) -> bool {
        self.batches.len() >= MAX_WAITING_BATCHES || self.bytes + more > MAX_WAITING_BYTES
    }

    /// `Err` when nothing waits; the end comes after all that waits.
    fn take(&mut self) -> Result<Option<Received>, ()> {
        if std::mem::take(&mut self.lagged) {
            // What still waits was published before the loss and is covered by
            // the check that `Lagged` asks for.
            self.batches.clear();
            self.bytes = 0;
            return Ok(Some(Received::Lagged));
        }
        match self.batches.pop_front() {
            Some(batch) => {
                self.bytes -= batch.len();
                Ok(Some(Received::Batch(batch)))
            }
            None if self.ended => Ok(None),
            None => Err(()),
        }
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room for it; if not, `Lagged` is next.
    pub(crate) fn push(&self, payload: Bytes) -> bool {
        let mut waiting = self.lock();
        if waiting.is_full(payload.len()) {
            waiting.lagged = true;
            return false;
        }
        waiting.bytes += payload.len();
        waiting.batches.push_back(payload);
        let may_sleep = waiting.batches.len() == 1;
        drop(waiting);
        // Only the first needs to wake; the receiver empties the queue.
        if may_sleep {
            self.arrived.notify_one();
        }
        true
    }

    /// Batches that wait, and their bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.batches.len(), waiting.bytes)
    }

    /// Something was lost before what is pushed from now on.
    pub(crate) fn lagged(&self) {
        self.lock().lagged = true;
        self.arrived.notify_one();
    }

    /// Nothing more will be pushed.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_one();
    }

    /// The next; `None` at the end. Safe to cancel, for one receiver only.
    pub(crate) async fn recv(&self) -> Option<Received> {
        loop {
            let taken = self.lock().take();
            if let Ok(received) = taken {
                return received;
            }
            self.arrived.notified().await;
        }
    }
}
