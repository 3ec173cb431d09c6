//! So much a second of what others bring about, for all of the process: a flood of it
//! must not become a flood of spans.

use metrics::Counter;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// The lower half of the state.
const COUNT: u64 = u32::MAX as u64;

#[derive(Debug)]
pub(super) struct Ration {
    per_second: u64,
    turned_away: Counter,
    began: Instant,
    /// The second since `began`, and what was taken in it: 32 bits each.
    taken: AtomicU64,
}

impl Ration {
    pub(super) fn new(per_second: u64, turned_away: Counter) -> Self {
        Self { per_second, turned_away, began: Instant::now(), taken: AtomicU64::new(0) }
    }

    /// Whether there is room for one more in this second.
    pub(super) fn takes(&self) -> bool {
        let second = self.began.elapsed().as_secs() & COUNT;
        let took = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
            let (of, taken) = (state >> 32, state & COUNT);
            // Another thread may have seen the next second first.
            let (of, taken) = if of < second { (second, 0) } else { (of, taken) };
            (taken < self.per_second).then_some(of << 32 | (taken + 1))
        });
        if took.is_err() {
            self.turned_away.increment(1);
        }
        took.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn so_many_are_taken_a_second() {
        let ration = Ration::new(100, Counter::noop());
        let taken = || (0..500).filter(|_| ration.takes()).count();
        assert_eq!((taken(), taken()), (100, 0));
        tokio::time::advance(Duration::from_millis(999)).await;
        assert_eq!(taken(), 0, "it is the same second");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(taken(), 100);
        // What was not taken is not kept for later.
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!((taken(), taken()), (100, 0));
    }
}
