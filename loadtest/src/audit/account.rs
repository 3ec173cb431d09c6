//! What one speaker knows of its own messages.

use super::Numbers;
use std::collections::BTreeSet;

/// An order-independent checksum of (number, seq) pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Digest {
    /// Adds a pair.
    pub fn add(&mut self, number: u32, seq: u32) {
        // The finaliser of SplitMix64: every bit of the pair reaches every bit.
        let mut x = (u64::from(number) << 32 | u64::from(seq)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.0 = self.0.wrapping_add(x ^ (x >> 31));
    }
}

/// One speaker of one conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The last number it sent; they run from 1.
    pub sent: u32,
    /// What it was told is durable.
    pub acknowledged: Numbers,
    /// The numbers with the seqs it was told.
    pub digest: Digest,
    /// Sent more than once: these may come after later ones.
    pub repeated: BTreeSet<u32>,
}

impl Account {
    /// The server said so; `seq` unless the answer does not tell it.
    pub fn acknowledge(&mut self, number: u32, seq: Option<u32>) {
        if self.acknowledged.insert(number)
            && let Some(seq) = seq
        {
            self.digest.add(number, seq);
        }
    }

    /// Of the same speaker, by another connection of the same person.
    pub fn is_empty(&self) -> bool {
        self.sent == 0
    }
}
