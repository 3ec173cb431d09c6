//! A set of small numbers that mostly fills up from below.

const WORD: usize = u64::BITS as usize;
const FULL: u64 = u64::MAX;

/// Full words at the beginning are only counted, and the last word is never empty,
/// so equal sets are equal values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits {
    full: usize,
    words: Vec<u64>,
}

impl Bits {
    pub(super) fn contains(&self, number: usize) -> bool {
        self.word(number / WORD) & (1 << (number % WORD)) != 0
    }

    /// The set with one more.
    pub(super) fn with(&self, number: usize) -> Self {
        let mut more = self.clone();
        let Some(index) = (number / WORD).checked_sub(more.full) else { return more };
        if more.words.len() <= index {
            more.words.resize(index + 1, 0);
        }
        more.words[index] |= 1 << (number % WORD);
        let filled = more.words.iter().take_while(|word| **word == FULL).count();
        more.words.drain(..filled);
        more.full += filled;
        more
    }

    /// The least number that is not in the set.
    pub(super) fn first_absent(&self) -> usize {
        let partial = self.words.first().map_or(0, |word| word.trailing_ones() as usize);
        self.full * WORD + partial
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        let words = self.full + self.words.len();
        (0..words).all(|index| self.word(index) & !other.word(index) == 0)
    }

    fn word(&self, index: usize) -> u64 {
        match index.checked_sub(self.full) {
            None => FULL,
            Some(index) => self.words.get(index).copied().unwrap_or(0),
        }
    }
}
