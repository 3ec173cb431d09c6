//! Pieces of batches that wait, one behind the other in one buffer: a burst
//! costs a few allocations however many pieces it has, and what is idle holds
//! none.

use crate::codec::{self, MAX_BATCH_BYTES, MAX_BATCH_FRAMES, WireFormat};
use std::collections::VecDeque;

/// What the first piece sets aside: some ordinary messages and answers.
const FIRST_BYTES: usize = 1_024;
/// Lengths for which an empty queue keeps room.
const IDLE_PIECES: usize = 8;

/// A queue of pieces.
#[derive(Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    /// Where the first piece begins; what is before it has been taken.
    at: usize,
    lens: VecDeque<u32>,
}

impl Pieces {
    pub(crate) fn len(&self) -> usize {
        self.lens.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lens.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Has a piece written behind the others.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(FIRST_BYTES);
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        // Pieces are far below the hard limit of an outbox, and that below 4 GiB.
        self.lens.push_back((self.bytes.len() - start) as u32);
    }

    /// Takes the last piece back.
    pub(crate) fn undo(&mut self) {
        if let Some(len) = self.lens.pop_back() {
            self.bytes.truncate(self.bytes.len() - len as usize);
        }
    }

    /// Puts others behind these.
    pub(crate) fn append(&mut self, others: &Self) {
        self.bytes.extend_from_slice(&others.bytes[others.at..]);
        self.lens.extend(&others.lens);
    }

    /// Appends the next batch to `out`: as many pieces as fit into one. Gives the
    /// number of frames; 0 when nothing waits.
    pub(crate) fn take_batch(&mut self, format: WireFormat, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let mut frames = 0;
        while let Some(&len) = self.lens.front() {
            let len = len as usize;
            if frames == 0 {
                codec::open_batch(format, out);
            }
            // Four bytes for JSON's comma and closing brackets.
            let full = out.len() - start + len + 4 > MAX_BATCH_BYTES;
            if frames == MAX_BATCH_FRAMES || (full && frames > 0) {
                break;
            }
            let piece = &self.bytes[self.at..self.at + len];
            codec::add_piece(format, out, piece, frames == 0);
            self.at += len;
            self.lens.pop_front();
            frames += 1;
        }
        if frames > 0 {
            codec::close_batch(format, out);
            self.give_back();
        }
        frames
    }

    /// What was taken needs no memory any more.
    fn give_back(&mut self) {
        if self.lens.is_empty() {
            self.bytes = Vec::new();
            self.lens.shrink_to(IDLE_PIECES);
            self.at = 0;
        } else if self.at >= MAX_BATCH_BYTES {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
    }
}
