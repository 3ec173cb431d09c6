//! Places in order that are counted all the time: how many are before one is known without
//! walking the queue. With 100,000 places a question or a change looks at some hundred
//! numbers.

use super::entry::OrderKey;

/// Places of a block; a fuller one becomes two. 512 × 32 bytes are moved in a microsecond.
const BLOCK: usize = 512;

/// A set of places, in blocks that are in order, none of them empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranks {
    blocks: Vec<Vec<OrderKey>>,
    len: usize,
}

impl Ranks {
    /// The first block that ends at or behind a place.
    fn block_of(&self, place: &OrderKey) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|last| last < place))
    }

    pub(super) fn insert(&mut self, place: OrderKey) {
        if self.blocks.is_empty() {
            self.blocks.push(Vec::new());
        }
        let at = self.block_of(&place).min(self.blocks.len() - 1);
        let block = &mut self.blocks[at];
        let Err(i) = block.binary_search(&place) else { return };
        block.insert(i, place);
        self.len += 1;
        if block.len() > BLOCK {
            let rest = block.split_off(BLOCK / 2);
            self.blocks.insert(at + 1, rest);
        }
    }

    pub(super) fn remove(&mut self, place: &OrderKey) {
        let at = self.block_of(place);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let Ok(i) = block.binary_search(place) else { return };
        block.remove(i);
        self.len -= 1;
        if block.is_empty() {
            self.blocks.remove(at);
        }
    }

    /// How many are before a place, whether or not it is in here itself.
    pub(super) fn before(&self, place: &OrderKey) -> usize {
        let at = self.block_of(place);
        let whole: usize = self.blocks[..at].iter().map(Vec::len).sum();
        whole + self.blocks.get(at).map_or(0, |block| block.partition_point(|p| p < place))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn place(n: u64) -> OrderKey {
        OrderKey::of_newcomer(Timestamp::from_millis(n), 0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against a walk through an ordinary set; enough of them for blocks to be split and
        /// emptied.
        #[test]
        fn counts_are_those_of_a_walk(
            steps in prop::collection::vec((prop::bool::weighted(0.7), 0..4_000u64), 0..3_000),
            asked in prop::collection::vec(0..4_100u64, 20),
            emptied in 0..4_000u64,
        ) {
            let (mut ranks, mut walked) = (Ranks::default(), BTreeSet::new());
            for (comes, n) in steps {
                if comes {
                    ranks.insert(place(n));
                    walked.insert(place(n));
                } else {
                    ranks.remove(&place(n));
                    walked.remove(&place(n));
                }
            }
            for n in 0..emptied {
                ranks.remove(&place(n));
                walked.remove(&place(n));
            }
            prop_assert_eq!(ranks.len(), walked.len());
            for n in asked {
                prop_assert_eq!(ranks.before(&place(n)), walked.range(..place(n)).count());
            }
            prop_assert!(ranks.blocks.iter().all(|b| !b.is_empty() && b.len() <= BLOCK));
        }
    }
}
