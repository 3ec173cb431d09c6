//! Pauses between attempts to connect, so that processes that lost Redis at the
//! same moment do not return at the same moment.

use rand::RngExt as _;
use std::time::Duration;

/// The first pause is at most this.
const FIRST: Duration = Duration::from_millis(100);
/// No pause is shorter, however the draw falls.
const LEAST: Duration = Duration::from_millis(10);

/// Full jitter: each pause is drawn below a limit that doubles.
#[derive(Debug)]
pub(super) struct Backoff {
    limit: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts at 100 ms; no pause is longer than `longest`.
    pub(super) fn new(longest: Duration) -> Self {
        Self { limit: FIRST, longest }
    }

    /// The pause before the next attempt.
    pub(super) fn pause(&mut self) -> Duration {
        let limit = self.limit.min(self.longest);
        self.limit = limit.saturating_mul(2);
        limit.mul_f64(rand::rng().random::<f64>()).max(LEAST)
    }

    /// The connection has proven itself.
    pub(super) fn reset(&mut self) {
        self.limit = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_below_a_limit_that_doubles() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for limit in [100, 200, 400, 800, 1_000, 1_000] {
            let pause = backoff.pause();
            assert!(pause >= LEAST && pause <= Duration::from_millis(limit), "{pause:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}
