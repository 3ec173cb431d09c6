//! A set of message numbers in bounded memory: runs of consecutive numbers are
//! kept as ranges, and what is complete is one range.

use std::collections::BTreeMap;

/// Holes that are remembered; beyond, the oldest is given up as missing.
const MAX_HOLES: usize = 4_096;

/// Numbers from 1 on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// First → last, never touching.
    pub(super) ranges: BTreeMap<u32, u32>,
    pub(super) count: u32,
    /// Numbers of holes that were given up.
    pub(super) given_up: u32,
}

impl Numbers {
    /// Adds a number; `false` when it was there.
    pub fn insert(&mut self, number: u32) -> bool {
        let before = self.ranges.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= number) {
            return false;
        }
        self.count += 1;
        let first = match before {
            Some((first, last)) if last + 1 == number => first,
            _ => number,
        };
        let last = match number.checked_add(1) {
            Some(next) => self.ranges.remove(&next).unwrap_or(number),
            None => number,
        };
        self.ranges.insert(first, last);
        if self.ranges.len() > MAX_HOLES {
            self.give_up_oldest_hole();
        }
        true
    }

    fn give_up_oldest_hole(&mut self) {
        if let (Some((first, last)), Some((next, end))) =
            (self.ranges.pop_first(), self.ranges.pop_first())
        {
            self.given_up += next - last - 1;
            self.ranges.insert(first, end);
        }
    }

    /// Whether a number is there.
    pub fn contains(&self, number: u32) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, last)| *last >= number)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The largest; 0 for none.
    pub fn largest(&self) -> u32 {
        self.ranges.last_key_value().map_or(0, |(_, last)| *last)
    }

    /// Those of `self` that are not in `other`, and how many more were given up
    /// there and cannot be named.
    pub fn missing_in<'a>(&'a self, other: &'a Self) -> (impl Iterator<Item = u32> + 'a, u32) {
        let all = self.ranges.iter().flat_map(|(first, last)| *first..=*last);
        (all.filter(|number| !other.contains(*number)), other.given_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_set(list in prop::collection::vec(1u32..60, 0..80)) {
            let (mut numbers, mut set) = (Numbers::default(), BTreeSet::new());
            for n in list {
                prop_assert_eq!(numbers.insert(n), set.insert(n));
            }
            prop_assert_eq!(numbers.count() as usize, set.len());
            prop_assert_eq!(numbers.largest(), set.last().copied().unwrap_or(0));
            for n in 0..61 {
                prop_assert_eq!(numbers.contains(n), set.contains(&n));
            }
            let mut whole = Numbers::default();
            for n in 1..60 {
                whole.insert(n);
            }
            let (missing, unnamed) = whole.missing_in(&numbers);
            prop_assert_eq!(missing.count() + set.len(), 59);
            prop_assert_eq!(unnamed, 0);
        }
    }

    #[test]
    fn holes_are_bounded_and_never_forgotten() {
        let mut numbers = Numbers::default();
        for n in 0..2 * MAX_HOLES as u32 {
            numbers.insert(2 * n + 1);
        }
        assert!(numbers.ranges.len() <= MAX_HOLES);
        assert_eq!(numbers.given_up, MAX_HOLES as u32);
    }
}
