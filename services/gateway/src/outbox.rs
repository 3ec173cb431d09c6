//! What waits to be written to one connection, and the signals to its task.
//!
//! Bounded by count and by bytes. Hints (typing, read marks, queue positions)
//! are shed above the soft limit. Durable events never overflow it: above the
//! soft limit their reader falls behind and is filled from history once there
//! is room. What remains (replies, notices) ends the connection with a
//! resumable code at the hard limit. Nothing here waits.

use crate::codec::{self, MAX_BATCH_BYTES, MAX_BATCH_FRAMES, WireFormat};
use bytes::Bytes;
use frontdesk_core::ids::ConversationId;
use frontdesk_proto::status::CloseCode;
use futures::task::AtomicWaker;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Above this many bytes hints are shed, live readers fall behind and the
/// client's requests are no longer read. Two full batches: one in the socket's
/// buffer, one to follow it.
const SOFT_BYTES: usize = 2 * MAX_BATCH_BYTES;
/// The same by count: 8 full batches of small frames.
const SOFT_PIECES: usize = 8 * MAX_BATCH_FRAMES;
/// History is read for a reader only below this many bytes, so that one page
/// (256 KiB, thrice that as JSON of many escapes) stays below the hard limit:
/// 64 + 3 × 256 < 2,048 KiB.
const LOW_BYTES: usize = MAX_BATCH_BYTES;
/// 64 answers to requests in flight (256 KiB pages are read one at a time), a
/// page of history and notices fit; more means that the reader does not read.
const HARD_BYTES: usize = 2 * 1024 * 1024;
/// The same by count.
const HARD_PIECES: usize = 4_096;
/// Signals that wait for the connection's task; it takes them all at once.
const MAX_SIGNALS: usize = 1_024;
/// Capacity that an idle queue keeps.
const IDLE_CAPACITY: usize = 4;

/// Whether a frame may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Durable,
    Hint,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Shed,
    /// The connection is ending.
    Closed,
}

/// Something the connection's task is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Fill this conversation from history.
    Fill(ConversationId),
    /// Follow this conversation from its beginning unless it does so already.
    Follow(ConversationId),
}

#[derive(Default)]
struct Inner {
    pieces: VecDeque<Bytes>,
    /// While a Hello is looked into: what must not come before its Welcome.
    held: Option<VecDeque<Bytes>>,
    bytes: usize,
    signals: Vec<Signal>,
    close: Option<CloseCode>,
}

impl Inner {
    /// Where the next piece goes.
    fn last(&mut self) -> &mut VecDeque<Bytes> {
        self.held.as_mut().unwrap_or(&mut self.pieces)
    }

    fn release(&mut self) {
        self.pieces.extend(self.held.take().into_iter().flatten());
    }
}

/// The queue of one connection: many fill it, the connection's task empties it.
pub(crate) struct Outbox {
    format: WireFormat,
    inner: Mutex<Inner>,
    task: AtomicWaker,
}

impl Outbox {
    pub(crate) fn new(format: WireFormat) -> Self {
        Self { format, inner: Mutex::default(), task: AtomicWaker::new() }
    }

    /// Format of its pieces.
    pub(crate) fn format(&self) -> WireFormat {
        self.format
    }

    /// Adds a piece.
    pub(crate) fn push(&self, piece: Bytes, class: Class) -> Pushed {
        let mut inner = self.lock();
        if inner.close.is_some() {
            return Pushed::Closed;
        }
        if class == Class::Hint && !has_room(&inner) {
            return Pushed::Shed;
        }
        let pieces = inner.pieces.len() + inner.held.as_ref().map_or(0, VecDeque::len);
        if inner.bytes + piece.len() > HARD_BYTES || pieces >= HARD_PIECES {
            inner.close = Some(CloseCode::TooSlow);
            drop(inner);
            self.task.wake();
            return Pushed::Closed;
        }
        inner.bytes += piece.len();
        inner.last().push_back(piece);
        drop(inner);
        self.task.wake();
        Pushed::Queued
    }

    /// Keeps back what is pushed from now on until `open_with`.
    pub(crate) fn hold(&self) {
        self.lock().held.get_or_insert_default();
    }

    /// Adds a piece before all that was kept back.
    pub(crate) fn open_with(&self, piece: Bytes) {
        let mut inner = self.lock();
        inner.bytes += piece.len();
        inner.pieces.push_back(piece);
        inner.release();
        drop(inner);
        self.task.wake();
    }

    /// Asks the connection's task for something.
    pub(crate) fn signal(&self, signal: Signal) {
        let mut inner = self.lock();
        if !inner.signals.contains(&signal) {
            if inner.signals.len() >= MAX_SIGNALS {
                inner.close.get_or_insert(CloseCode::TooSlow);
            } else {
                inner.signals.push(signal);
            }
        }
        drop(inner);
        self.task.wake();
    }

    /// Asks the connection's task to end the connection. The first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.task.wake();
    }

    /// Why the connection is to end, if it is.
    pub(crate) fn closing(&self) -> Option<CloseCode> {
        self.lock().close
    }

    /// Below the soft limit: live events may be pushed and requests be read.
    pub(crate) fn has_room(&self) -> bool {
        has_room(&self.lock())
    }

    /// Below the low-water mark: a page of history may be read.
    pub(crate) fn is_low(&self) -> bool {
        self.lock().bytes < LOW_BYTES
    }

    /// Wakes this task at the next push, signal or close.
    pub(crate) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    /// Whether signals wait.
    pub(crate) fn has_signals(&self) -> bool {
        !self.lock().signals.is_empty()
    }

    /// Takes the signals.
    pub(crate) fn take_signals(&self) -> Vec<Signal> {
        std::mem::take(&mut self.lock().signals)
    }

    /// Appends the next batch to `out`: as many pieces as fit into one.
    /// Gives the number of frames; 0 when nothing waits.
    pub(crate) fn take_batch(&self, out: &mut Vec<u8>) -> usize {
        let mut inner = self.lock();
        if inner.pieces.is_empty() {
            return 0;
        }
        let start = out.len();
        codec::open_batch(self.format, out);
        let mut frames = 0;
        while let Some(piece) = inner.pieces.front() {
            // Four bytes for JSON's comma and closing brackets.
            let full = out.len() - start + piece.len() + 4 > MAX_BATCH_BYTES;
            if frames == MAX_BATCH_FRAMES || (full && frames > 0) {
                break;
            }
            codec::add_piece(self.format, out, piece, frames == 0);
            inner.bytes -= piece.len();
            inner.pieces.pop_front();
            frames += 1;
        }
        codec::close_batch(self.format, out);
        if inner.pieces.is_empty() && inner.pieces.capacity() > IDLE_CAPACITY {
            inner.pieces.shrink_to(IDLE_CAPACITY);
        }
        frames
    }

    /// Replaces all that waits by one last piece, which always fits.
    pub(crate) fn end_with(&self, piece: Bytes, discard: bool) {
        let mut inner = self.lock();
        inner.release();
        if discard {
            inner.pieces.clear();
            inner.bytes = 0;
        }
        inner.bytes += piece.len();
        inner.pieces.push_back(piece);
    }

    /// Pieces that wait.
    pub(crate) fn depth(&self) -> usize {
        self.lock().pieces.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the queue whole, even if it panics.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_room(inner: &Inner) -> bool {
    inner.bytes < SOFT_BYTES && inner.pieces.len() < SOFT_PIECES
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    fn bytes(len: usize) -> Bytes {
        vec![b'x'; len].into()
    }

    #[test]
    fn hints_are_shed_first() {
        let outbox = Outbox::new(WireFormat::Json);
        assert_eq!(outbox.push(bytes(10), Class::Hint), Pushed::Queued);
        assert_eq!(outbox.push(bytes(SOFT_BYTES), Class::Durable), Pushed::Queued);
        assert_eq!(outbox.push(bytes(10), Class::Hint), Pushed::Shed);
        assert_eq!(outbox.push(bytes(10), Class::Durable), Pushed::Queued);
        assert!(!outbox.has_room());
        assert_eq!(outbox.closing(), None);
    }

    #[test]
    fn the_hard_limits_end_the_connection() {
        let outbox = Outbox::new(WireFormat::Json);
        assert_eq!(outbox.push(bytes(HARD_BYTES), Class::Durable), Pushed::Queued);
        assert_eq!(outbox.push(bytes(1), Class::Durable), Pushed::Closed);
        assert_eq!(outbox.closing(), Some(CloseCode::TooSlow));

        let outbox = Outbox::new(WireFormat::Json);
        for _ in 0..HARD_PIECES {
            assert_eq!(outbox.push(bytes(1), Class::Durable), Pushed::Queued);
        }
        assert_eq!(outbox.push(bytes(1), Class::Durable), Pushed::Closed);
    }

    #[test]
    fn the_first_reason_to_close_counts() {
        let outbox = Outbox::new(WireFormat::Json);
        outbox.close(CloseCode::Draining);
        outbox.close(CloseCode::TooSlow);
        assert_eq!(outbox.closing(), Some(CloseCode::Draining));
    }

    #[test]
    fn batches_respect_both_limits_and_keep_the_order() {
        let outbox = Outbox::new(WireFormat::Protobuf);
        let frame = |id| frontdesk_proto::v1::ServerFrame { id, frame: None };
        for id in 1..=150 {
            outbox.push(codec::piece(WireFormat::Protobuf, &frame(id)), Class::Durable);
        }
        let mut ids = Vec::new();
        for expected in [64, 64, 22, 0] {
            let mut out = Vec::new();
            assert_eq!(outbox.take_batch(&mut out), expected);
            let batch = frontdesk_proto::v1::ServerBatch::decode(&*out).unwrap();
            ids.extend(batch.frames.iter().map(|f| f.id));
        }
        assert_eq!(ids, (1..=150).collect::<Vec<_>>());
        assert!(outbox.lock().pieces.capacity() <= 2 * IDLE_CAPACITY);
    }

    #[test]
    fn a_piece_larger_than_a_batch_travels_alone() {
        let outbox = Outbox::new(WireFormat::Json);
        for len in [10, 3 * MAX_BATCH_BYTES, 10] {
            outbox.push(bytes(len), Class::Durable);
        }
        let mut sizes = Vec::new();
        loop {
            let mut out = Vec::new();
            if outbox.take_batch(&mut out) == 0 {
                break;
            }
            sizes.push(out.len());
        }
        assert_eq!(sizes, [23, 3 * MAX_BATCH_BYTES + 13, 23]);
        assert!(outbox.is_low());
    }

    #[test]
    fn nothing_comes_before_the_welcome() {
        let outbox = Outbox::new(WireFormat::Json);
        outbox.hold();
        outbox.push("2".into(), Class::Durable);
        assert_eq!(outbox.take_batch(&mut Vec::new()), 0);
        outbox.open_with("1".into());
        outbox.push("3".into(), Class::Durable);
        let mut out = Vec::new();
        assert_eq!(outbox.take_batch(&mut out), 3);
        assert_eq!(out, br#"{"frames":[1,2,3]}"#);

        let outbox = Outbox::new(WireFormat::Json);
        outbox.hold();
        outbox.push("1".into(), Class::Durable);
        outbox.end_with("2".into(), false);
        assert_eq!(outbox.take_batch(&mut Vec::new()), 2);
    }

    #[test]
    fn signals_are_not_repeated() {
        let outbox = Outbox::new(WireFormat::Json);
        let id = ConversationId::from_uuid(uuid::Uuid::from_u128(1));
        outbox.signal(Signal::Fill(id));
        outbox.signal(Signal::Fill(id));
        outbox.signal(Signal::Follow(id));
        assert_eq!(outbox.take_signals(), [Signal::Fill(id), Signal::Follow(id)]);
        assert!(outbox.take_signals().is_empty());
    }
}
