//! Telling the first of a run of the same thing from those that follow, so that what
//! strangers repeat is written down once. Pure; the caller says what time it is, counted
//! from any fixed point.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Runs by key. Bounded: with too many under way a new one counts as one that goes on, for
/// it is better to write nothing than without end.
#[derive(Debug)]
pub struct Runs<K> {
    quiet: Duration,
    keys: usize,
    last: HashMap<K, Duration>,
}

impl<K: Eq + Hash> Runs<K> {
    /// A run ends when nothing was heard of it for `quiet`; at most `keys` at once.
    pub fn new(quiet: Duration, keys: usize) -> Self {
        Self { quiet, keys, last: HashMap::new() }
    }

    /// It has happened again; whether this is the first time of a run.
    pub fn is_first(&mut self, key: K, now: Duration) -> bool {
        let goes_on = |last: &Duration| now.saturating_sub(*last) < self.quiet;
        if let Some(last) = self.last.get_mut(&key) {
            let first = !goes_on(last);
            *last = now;
            return first;
        }
        if self.last.len() >= self.keys {
            self.last.retain(|_, last| goes_on(last));
        }
        let has_room = self.last.len() < self.keys;
        if has_room {
            self.last.insert(key, now);
        }
        has_room
    }

    /// It is over: the next time is a first one.
    pub fn end(&mut self, key: &K) {
        self.last.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUIET: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_run_has_one_first_and_ends_with_silence_or_by_itself() {
        let mut runs = Runs::new(QUIET, 10);
        let first = (0..1_000).filter(|n| runs.is_first("a", at(n * 59))).count();
        assert_eq!(first, 1, "however long it goes on");
        assert!(runs.is_first("a", at(999 * 59 + 60)), "after silence");
        assert!(runs.is_first("b", at(0)));
        runs.end(&"b");
        assert!(runs.is_first("b", at(1)), "once it was over");
    }

    proptest! {
        /// Of each key at most one a silence, of all together never more than fit.
        #[test]
        fn there_are_never_more_firsts_than_can_be(
            steps in prop::collection::vec((0..20_u8, 0..30_u64), 1..300)
        ) {
            let mut runs = Runs::new(QUIET, 4);
            let (mut now, mut firsts) = (0, Vec::new());
            for (key, later) in steps {
                now += later;
                if runs.is_first(key, at(now)) {
                    firsts.push((key, now));
                }
                prop_assert!(runs.last.len() <= 4);
            }
            for (n, (key, then)) in firsts.iter().enumerate() {
                let since = firsts[..n].iter().filter(|(_, before)| then - before < 60);
                let since: Vec<_> = since.collect();
                prop_assert!(since.len() < 4);
                prop_assert!(since.iter().all(|(other, _)| other != key));
            }
        }
    }
}
