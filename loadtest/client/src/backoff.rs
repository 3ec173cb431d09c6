//! Pauses between attempts to connect: full jitter, growing while nothing
//! helps, so that thousands of clients never come back in one wave.

use super::close::Advice;
use std::time::Duration;

/// The first ceiling of pauses after a normal end.
const SOON: Duration = Duration::from_secs(1);
/// What is waited at least when the server is overloaded.
const LATER: Duration = Duration::from_secs(5);
/// The highest ceiling.
const MOST: Duration = Duration::from_secs(30);

/// Counts attempts that led to nothing.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A connection was opened and welcomed.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause; `chance` is uniform in 0–1. `None`: do not come back.
    pub(super) fn pause(&mut self, advice: Advice, chance: f64) -> Option<Duration> {
        let (least, first) = match advice {
            Advice::Soon => (Duration::ZERO, SOON),
            Advice::Later => (LATER, LATER),
            Advice::Never => return None,
        };
        let ceiling = first.saturating_mul(1 << self.failures.min(8)).min(MOST);
        self.failures += 1;
        Some(least + ceiling.mul_f64(chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_lie_within_their_bands_and_grow() {
        let mut backoff = Backoff::default();
        let mut ceiling = |advice| backoff.pause(advice, 1.0).unwrap().as_secs();
        assert_eq!([1, 2, 4], [0; 3].map(|_| ceiling(Advice::Soon)));
        assert_eq!(Backoff::default().pause(Advice::Soon, 0.0), Some(Duration::ZERO));
        assert_eq!(Backoff::default().pause(Advice::Later, 0.0), Some(LATER));
        assert_eq!(Backoff::default().pause(Advice::Never, 0.5), None);
    }

    #[test]
    fn pauses_are_bounded_and_start_again() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.pause(Advice::Later, 1.0).unwrap() <= LATER + MOST);
        }
        backoff.reset();
        assert_eq!(backoff.pause(Advice::Soon, 1.0), Some(SOON));
    }
}
