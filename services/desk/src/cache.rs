//! Values that were read a moment ago. Bounded in number and in age; what is
//! absent is never remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Values kept. At about 500 bytes each, 5 MiB.
const MAX_ENTRIES: usize = 10_000;

/// Values that were read a moment ago.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    keep_for: Duration,
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// Keeps each value for `keep_for`.
    pub(crate) fn new(keep_for: Duration) -> Self {
        Self { keep_for, entries: Mutex::default() }
    }

    /// A value that is young enough.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, value) = entries.get(key)?;
        (read_at.elapsed() < self.keep_for).then(|| value.clone())
    }

    /// Keeps a value. When there are too many, the old ones go, and if none is
    /// old, all.
    pub(crate) fn put(&self, key: K, value: V) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, (read_at, _)| read_at.elapsed() < self.keep_for);
        }
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(key, (Instant::now(), value));
    }

    /// Forgets everything, after a change.
    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn values_grow_old() {
        let cache = Cache::new(Duration::from_secs(5));
        cache.put("a", 1);
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert_eq!(cache.get(&"a"), Some(1));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(cache.get(&"a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_too_many() {
        let cache = Cache::new(Duration::from_secs(5));
        (0..=MAX_ENTRIES).for_each(|n| cache.put(n, n));
        assert_eq!((cache.get(&0), cache.get(&MAX_ENTRIES)), (None, Some(MAX_ENTRIES)));
        cache.clear();
        assert_eq!(cache.get(&MAX_ENTRIES), None);
    }
}
