//! What waits to be written to one connection, and the signals to its task.
//!
//! Bounded by count and by bytes. Hints (typing, read marks, queue positions)
//! are shed above the soft limit. Durable events never overflow it: above the
//! soft limit their reader falls behind and is filled from history once there
//! is room. What remains (replies, notices) ends the connection with a
//! resumable code at the hard limit. Nothing here waits.

use crate::codec::{MAX_BATCH_BYTES, MAX_BATCH_FRAMES, WireFormat};
use crate::pieces::Pieces;
use frontdesk_core::ids::ConversationId;
use frontdesk_proto::status::CloseCode;
use frontdesk_telemetry::traces::Span;
use futures::task::AtomicWaker;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU8, Ordering};
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
pub(crate) const HARD_PIECES: usize = 4_096;
/// Signals that wait for the connection's task; it takes them all at once.
const MAX_SIGNALS: usize = 1_024;
/// Spans of pieces that wait; others end when they are pushed.
const MAX_SPANS: usize = 64;

// What can be seen without the lock.
const CLOSING: u8 = 1;
const HAS_SIGNALS: u8 = 2;
const NO_ROOM: u8 = 4;
const NOT_LOW: u8 = 8;
const HAS_PIECES: u8 = 16;

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

/// The span of a piece, and how many are to be taken until it is.
struct Waits {
    span: Span,
    behind: usize,
}

#[derive(Default)]
struct Inner {
    pieces: Pieces,
    /// While a Hello is looked into: what must not come before its Welcome.
    held: Option<Pieces>,
    signals: Vec<Signal>,
    /// Of pieces whose traces are recorded, until they are taken to be written; mostly
    /// none.
    spans: Vec<Waits>,
    close: Option<CloseCode>,
}

impl Inner {
    /// Where the next piece goes.
    fn last(&mut self) -> &mut Pieces {
        self.held.as_mut().unwrap_or(&mut self.pieces)
    }

    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.pieces.append(&held);
        }
    }

    fn len(&self) -> usize {
        self.pieces.len() + self.held.as_ref().map_or(0, Pieces::len)
    }

    fn bytes(&self) -> usize {
        self.pieces.bytes() + self.held.as_ref().map_or(0, Pieces::bytes)
    }

    fn has_room(&self) -> bool {
        self.bytes() < SOFT_BYTES && self.len() < SOFT_PIECES
    }

    fn glance(&self) -> u8 {
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        bit(self.close.is_some(), CLOSING)
            | bit(!self.signals.is_empty(), HAS_SIGNALS)
            | bit(!self.has_room(), NO_ROOM)
            | bit(self.bytes() >= LOW_BYTES, NOT_LOW)
            | bit(!self.pieces.is_empty(), HAS_PIECES)
    }
}

/// The queue of one connection: many fill it, the connection's task empties it.
pub(crate) struct Outbox {
    format: WireFormat,
    inner: Mutex<Inner>,
    /// `Inner::glance` as it was when the lock was last given back: the task looks
    /// at it several times for each thing it handles.
    glance: AtomicU8,
    task: AtomicWaker,
}

/// The lock; what has changed shows in `glance` when it is given back.
struct Locked<'a> {
    inner: MutexGuard<'a, Inner>,
    glance: &'a AtomicU8,
}

impl Deref for Locked<'_> {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.glance.store(self.inner.glance(), Ordering::Release);
    }
}

impl Outbox {
    pub(crate) fn new(format: WireFormat) -> Self {
        let glance = AtomicU8::new(Inner::default().glance());
        Self { format, inner: Mutex::default(), glance, task: AtomicWaker::new() }
    }

    /// Format of its pieces.
    pub(crate) fn format(&self) -> WireFormat {
        self.format
    }

    /// Adds a piece.
    pub(crate) fn push(&self, piece: &[u8], class: Class) -> Pushed {
        self.put(class, |bytes| bytes.extend_from_slice(piece))
    }

    /// Has a piece written behind what waits.
    pub(crate) fn put(&self, class: Class, write: impl FnOnce(&mut Vec<u8>)) -> Pushed {
        let mut inner = self.lock();
        if inner.close.is_some() {
            return Pushed::Closed;
        }
        if class == Class::Hint && !inner.has_room() {
            return Pushed::Shed;
        }
        inner.last().push(write);
        let too_much = inner.bytes() > HARD_BYTES || inner.len() > HARD_PIECES;
        if too_much {
            inner.last().undo();
            inner.close = Some(CloseCode::TooSlow);
        }
        drop(inner);
        self.task.wake();
        if too_much { Pushed::Closed } else { Pushed::Queued }
    }

    /// Keeps back what is pushed from now on until `open_with`.
    pub(crate) fn hold(&self) {
        self.lock().held.get_or_insert_default();
    }

    /// Adds a piece before all that was kept back.
    pub(crate) fn open_with(&self, piece: &[u8]) {
        let mut inner = self.lock();
        inner.pieces.push(|bytes| bytes.extend_from_slice(piece));
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
        if self.shows(CLOSING) { self.lock().close } else { None }
    }

    /// Below the soft limit: live events may be pushed and requests be read.
    pub(crate) fn has_room(&self) -> bool {
        !self.shows(NO_ROOM)
    }

    /// Below the low-water mark: a page of history may be read.
    pub(crate) fn is_low(&self) -> bool {
        !self.shows(NOT_LOW)
    }

    /// Wakes this task at the next push, signal or close.
    pub(crate) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    /// Whether signals wait.
    pub(crate) fn has_signals(&self) -> bool {
        self.shows(HAS_SIGNALS)
    }

    /// Takes the signals.
    pub(crate) fn take_signals(&self) -> Vec<Signal> {
        std::mem::take(&mut self.lock().signals)
    }

    /// Appends the next batch to `out`: as many pieces as fit into one.
    /// Gives the number of frames; 0 when nothing waits.
    pub(crate) fn take_batch(&self, out: &mut Vec<u8>) -> usize {
        if !self.shows(HAS_PIECES) {
            return 0;
        }
        let mut inner = self.lock();
        let taken = inner.pieces.take_batch(self.format, out);
        if !inner.spans.is_empty() {
            let written = inner.spans.extract_if(.., |waits| waits.behind < taken);
            written.for_each(|waits| waits.span.end());
            inner.spans.iter_mut().for_each(|waits| waits.behind -= taken);
        }
        taken
    }

    /// The piece that is pushed next is of this span, which ends when it is taken to be
    /// written.
    pub(crate) fn trace_next(&self, span: Span) {
        let mut inner = self.lock();
        if inner.spans.len() < MAX_SPANS {
            let behind = inner.len();
            inner.spans.push(Waits { span, behind });
        }
    }

    /// Replaces all that waits by one last piece, which always fits.
    pub(crate) fn end_with(&self, piece: &[u8], discard: bool) {
        let mut inner = self.lock();
        inner.release();
        if discard {
            inner.spans.clear();
            inner.pieces = Pieces::default();
        }
        inner.pieces.push(|bytes| bytes.extend_from_slice(piece));
    }

    /// Pieces that wait and their bytes, those kept back included.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.len(), inner.bytes())
    }

    /// Pieces that wait.
    pub(crate) fn depth(&self) -> usize {
        if self.shows(HAS_PIECES) { self.lock().pieces.len() } else { 0 }
    }

    fn shows(&self, bit: u8) -> bool {
        self.glance.load(Ordering::Acquire) & bit != 0
    }

    fn lock(&self) -> Locked<'_> {
        // Every critical section leaves the queue whole, even if it panics.
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { inner, glance: &self.glance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use prost::Message as _;

    fn bytes(len: usize) -> Vec<u8> {
        vec![b'x'; len]
    }

    #[test]
    fn hints_are_shed_first() {
        let outbox = Outbox::new(WireFormat::Json);
        assert_eq!(outbox.push(&bytes(10), Class::Hint), Pushed::Queued);
        assert_eq!(outbox.push(&bytes(SOFT_BYTES), Class::Durable), Pushed::Queued);
        assert_eq!(outbox.push(&bytes(10), Class::Hint), Pushed::Shed);
        assert_eq!(outbox.push(&bytes(10), Class::Durable), Pushed::Queued);
        assert!(!outbox.has_room());
        assert_eq!(outbox.closing(), None);
    }

    #[test]
    fn the_hard_limits_end_the_connection() {
        let outbox = Outbox::new(WireFormat::Json);
        assert_eq!(outbox.push(&bytes(HARD_BYTES), Class::Durable), Pushed::Queued);
        assert_eq!(outbox.push(&bytes(1), Class::Durable), Pushed::Closed);
        assert_eq!(outbox.closing(), Some(CloseCode::TooSlow));

        let outbox = Outbox::new(WireFormat::Json);
        for _ in 0..HARD_PIECES {
            assert_eq!(outbox.push(&bytes(1), Class::Durable), Pushed::Queued);
        }
        assert_eq!(outbox.push(&bytes(1), Class::Durable), Pushed::Closed);
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
            outbox.push(&codec::piece(WireFormat::Protobuf, &frame(id)), Class::Durable);
        }
        let mut ids = Vec::new();
        for expected in [64, 64, 22, 0] {
            let mut out = Vec::new();
            assert_eq!(outbox.take_batch(&mut out), expected);
            let batch = frontdesk_proto::v1::ServerBatch::decode(&*out).unwrap();
            ids.extend(batch.frames.iter().map(|f| f.id));
        }
        assert_eq!(ids, (1..=150).collect::<Vec<_>>());
        assert_eq!(outbox.lock().bytes(), 0);
    }

    #[test]
    fn a_piece_larger_than_a_batch_travels_alone() {
        let outbox = Outbox::new(WireFormat::Json);
        for len in [10, 3 * MAX_BATCH_BYTES, 10] {
            outbox.push(&bytes(len), Class::Durable);
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
        outbox.push(b"2", Class::Durable);
        assert_eq!(outbox.take_batch(&mut Vec::new()), 0);
        outbox.open_with(b"1");
        outbox.push(b"3", Class::Durable);
        let mut out = Vec::new();
        assert_eq!(outbox.take_batch(&mut out), 3);
        assert_eq!(out, br#"{"frames":[1,2,3]}"#);

        let outbox = Outbox::new(WireFormat::Json);
        outbox.hold();
        outbox.push(b"1", Class::Durable);
        outbox.end_with(b"2", false);
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
