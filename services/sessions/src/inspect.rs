//! What shards tell of themselves to whoever operates the node: numbers and ids, never
//! what is said. Shards write it in passing and never wait for a reader.

use frontdesk_core::ids::ConversationId;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Slow commits that a shard remembers.
const SLOWEST: usize = 8;
/// For how long.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A shard that is owned here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardView {
    /// Its number.
    pub shard: u16,
    /// Under which it is owned.
    pub epoch: u64,
    /// What waits in its mailbox.
    pub mailbox_depth: usize,
    /// What its mailbox holds at most.
    pub mailbox_limit: usize,
    /// Conversations in memory.
    pub live: usize,
    /// Appends that the journal has not answered.
    pub appends: usize,
    /// Conversations that are being loaded.
    pub loads: usize,
    /// It has another owner, and this one says nothing more.
    pub fenced: bool,
}

/// A commit that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowCommit {
    /// Whose.
    pub conversation: String,
    /// Its shard.
    pub shard: u16,
    /// How long it took.
    pub commit_micros: u64,
    /// How long ago it ended.
    pub seconds_ago: u64,
}

/// What one shard's loop keeps up to date.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) live: AtomicUsize,
    pub(crate) appends: AtomicUsize,
    pub(crate) loads: AtomicUsize,
    pub(crate) fenced: AtomicBool,
    slowest: Mutex<Vec<Slow>>,
}

#[derive(Debug, Clone, Copy)]
struct Slow {
    conversation: ConversationId,
    took: Duration,
    at: Instant,
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, Vec<Slow>> {
        // Every critical section leaves a whole list.
        self.slowest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A commit has ended. Gives the time that later ones must exceed to be remembered.
    pub(crate) fn slow(
        &self,
        conversation: ConversationId,
        took: Duration,
        at: Instant,
    ) -> Duration {
        let mut slowest = self.lock();
        slowest.retain(|slow| at.saturating_duration_since(slow.at) < REMEMBERED);
        let place = slowest.partition_point(|slow| slow.took >= took);
        slowest.insert(place, Slow { conversation, took, at });
        slowest.truncate(SLOWEST);
        match slowest.last() {
            Some(last) if slowest.len() == SLOWEST => last.took,
            _ => Duration::ZERO,
        }
    }

    /// The slowest commits of late.
    pub(crate) fn slowest(&self, shard: u16, now: Instant) -> Vec<SlowCommit> {
        let ago = |slow: &Slow| now.saturating_duration_since(slow.at);
        let slowest = self.lock();
        let recent = slowest.iter().filter(|slow| ago(slow) < REMEMBERED);
        let view = |slow: &Slow| SlowCommit {
            conversation: slow.conversation.to_string(),
            shard,
            commit_micros: u64::try_from(slow.took.as_micros()).unwrap_or(u64::MAX),
            seconds_ago: ago(slow).as_secs(),
        };
        recent.map(view).collect()
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test(start_paused = true)]
    async fn the_slowest_of_late_are_remembered() {
        let watched = Watched::default();
        let id = |n: u128| ConversationId::from_uuid(Uuid::from_u128(n));
        let mut floor = Duration::ZERO;
        for n in 1..=20_u64 {
            floor = watched.slow(id(n.into()), Duration::from_millis(n), Instant::now());
        }
        assert_eq!(floor, Duration::from_millis(13));
        let slowest = watched.slowest(3, Instant::now());
        let took: Vec<_> = slowest.iter().map(|slow| slow.commit_micros / 1_000).collect();
        assert_eq!(took, [20, 19, 18, 17, 16, 15, 14, 13]);
        tokio::time::advance(REMEMBERED).await;
        assert!(watched.slowest(3, Instant::now()).is_empty());
        let floor = watched.slow(id(1), Duration::from_millis(1), Instant::now());
        assert_eq!(floor, Duration::ZERO, "there is room again");
    }
}
