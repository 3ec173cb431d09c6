//! Where the leader takes the time from that it stamps into commands.

use async_trait::async_trait;
use frontdesk_core::time::{Millis, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest sleep before the wall clock is read again, as it may have been set.
const RECHECK: Duration = Duration::from_secs(60);

/// Tells the time. It may jump; the state machine takes care of that.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Returns when `now` is `at` or later. Dropping the future is harmless.
    async fn sleep_until(&self, at: Timestamp);
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::ZERO + Millis::from(since_epoch)
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.since(self.now()).to_duration();
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(RECHECK)).await;
        }
    }
}
