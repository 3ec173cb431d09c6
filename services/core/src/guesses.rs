//! How guessing is slowed down: who fails again and again waits longer each time. Pure;
//! the caller says what time it is, counted from any fixed point, and keeps it bounded in
//! nothing but what is given here.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How fast somebody may fail.
#[derive(Debug, Clone, Copy)]
pub struct GuessLimits {
    /// Failures without a delay.
    pub free: u32,
    /// The delay after the next one; it doubles with each further failure.
    pub first: Duration,
    /// The longest delay.
    pub most: Duration,
    /// Failures are forgotten when there was none for so long.
    pub forget: Duration,
    /// Keys that are remembered; past that those whose last failure is the oldest are
    /// forgotten.
    pub keys: usize,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
    /// See `note`.
    noted: bool,
}

/// Failures by key: an account, an address.
#[derive(Debug)]
pub struct Guesses<K> {
    limits: GuessLimits,
    failures: HashMap<K, Failures>,
}

impl<K: Eq + Hash + Clone> Guesses<K> {
    /// Nobody has failed yet.
    pub fn new(limits: GuessLimits) -> Self {
        Self { limits, failures: HashMap::new() }
    }

    /// Begins an attempt, which counts as failed until it is said to have succeeded, so
    /// that many at once are no way around; or says how long to wait.
    ///
    /// # Errors
    /// The time until the next attempt is looked at.
    pub fn begin(&mut self, key: K, now: Duration) -> Result<(), Duration> {
        let known = self.failures.get(&key).copied();
        let known = known.filter(|it| now.saturating_sub(it.last) < self.limits.forget);
        if let Some(it) = known {
            let wait = (it.last + self.delay(it.count)).saturating_sub(now);
            if !wait.is_zero() {
                return Err(wait);
            }
        }
        self.make_room(&key, now);
        let count = known.map_or(0, |it| it.count).saturating_add(1);
        let noted = known.is_some_and(|it| it.noted);
        self.failures.insert(key, Failures { count, last: now, noted });
        Ok(())
    }

    /// Whether this is the first time that this is asked of a key since it last had no
    /// failures: so a refusal is told once, however many follow.
    pub fn note(&mut self, key: &K) -> bool {
        let Some(it) = self.failures.get_mut(key) else { return false };
        !std::mem::replace(&mut it.noted, true)
    }

    /// The attempt was right: all is forgotten.
    pub fn clear(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// The attempt was right: it alone is taken back.
    pub fn forgive(&mut self, key: &K) {
        if let Some(it) = self.failures.get_mut(key) {
            it.count = it.count.saturating_sub(1);
            if it.count == 0 {
                self.failures.remove(key);
            }
        }
    }

    /// After so many failures.
    fn delay(&self, count: u32) -> Duration {
        match count.checked_sub(self.limits.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => {
                let factor = 2_u32.saturating_pow(over - 1);
                self.limits.first.saturating_mul(factor).min(self.limits.most)
            }
        }
    }

    fn make_room(&mut self, key: &K, now: Duration) {
        if self.failures.len() < self.limits.keys || self.failures.contains_key(key) {
            return;
        }
        let forget = self.limits.forget;
        self.failures.retain(|_, it| now.saturating_sub(it.last) < forget);
        if self.failures.len() >= self.limits.keys {
            // Half of them at once, so that this is seldom.
            let mut lasts: Vec<Duration> = self.failures.values().map(|it| it.last).collect();
            lasts.sort_unstable();
            let middle = lasts[lasts.len() / 2];
            self.failures.retain(|_, it| it.last > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: GuessLimits = GuessLimits {
        free: 3,
        first: Duration::from_secs(1),
        most: Duration::from_secs(5),
        forget: Duration::from_secs(60),
        keys: 4,
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_failure_past_the_free_ones_doubles_the_delay_up_to_the_longest() {
        let mut guesses = Guesses::new(LIMITS);
        for _ in 0..4 {
            assert_eq!(guesses.begin("a", at(0)), Ok(()));
        }
        let mut now = at(0);
        for wait in [1, 2, 4, 5, 5] {
            assert_eq!(guesses.begin("a", now), Err(at(wait)));
            assert_eq!(guesses.begin("b", now + at(100)), Ok(()), "others do not wait");
            guesses.clear(&"b");
            now += at(wait);
            assert_eq!(guesses.begin("a", now), Ok(()));
        }
        // A refused attempt prolongs nothing; silence ends all.
        assert_eq!(guesses.begin("a", now + at(60)), Ok(()));
        assert_eq!(guesses.begin("a", now + at(60)), Ok(()));
    }

    #[test]
    fn who_was_right_begins_anew_or_has_one_taken_back() {
        let mut guesses = Guesses::new(LIMITS);
        for _ in 0..4 {
            assert_eq!(guesses.begin("a", at(0)), Ok(()));
        }
        assert!(guesses.begin("a", at(0)).is_err());
        guesses.forgive(&"a");
        assert_eq!(guesses.begin("a", at(0)), Ok(()));
        assert!(guesses.begin("a", at(0)).is_err());
        guesses.clear(&"a");
        for _ in 0..4 {
            assert_eq!(guesses.begin("a", at(0)), Ok(()));
        }
    }

    #[test]
    fn a_refusal_is_noted_once_in_a_run_of_failures() {
        let mut guesses = Guesses::new(LIMITS);
        assert!(!guesses.note(&"a"), "nothing has failed");
        let mut noted = 0;
        let mut guess = |guesses: &mut Guesses<_>, now| {
            let refused = guesses.begin("a", at(now)).is_err();
            noted += u32::from(refused && guesses.note(&"a"));
            noted
        };
        let seen = (0..500).map(|now| guess(&mut guesses, now)).last();
        assert_eq!(seen, Some(1), "let in now and then, but never right");
        guesses.clear(&"a");
        assert_eq!((600..603).map(|_| guess(&mut guesses, 600)).last(), Some(1), "none is refused");
        assert_eq!((0..9).map(|_| guess(&mut guesses, 600)).last(), Some(2), "another run");
        assert_eq!((0..9).map(|_| guess(&mut guesses, 700)).last(), Some(3), "after silence");
    }

    #[test]
    fn attempts_that_are_under_way_count() {
        let mut guesses = Guesses::new(LIMITS);
        let let_in = (0..100).filter(|_| guesses.begin("a", at(0)).is_ok()).count();
        assert_eq!(let_in, 4);
    }

    #[test]
    fn there_are_never_too_many_keys() {
        let mut guesses = Guesses::new(LIMITS);
        for key in 0..100 {
            assert_eq!(guesses.begin(key, at(key)), Ok(()));
            assert!(guesses.failures.len() <= LIMITS.keys);
        }
        assert!(guesses.failures.contains_key(&99), "the newest are kept");
    }
}
