//! How much of each thing a client may have: token buckets and counts.
//!
//! Everything here is bounded itself: a map of buckets forgets those that are
//! full again, a map of counts those that are zero.

use frontdesk_proto::status::CloseCode;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What somebody was one too many for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Sockets of the gateway.
    Sockets,
    /// Sockets from one address.
    AddressSockets,
    /// TLS handshakes under way.
    Handshakes,
    /// TLS handshakes under way from one address.
    AddressHandshakes,
    /// New connections a second.
    Arrivals,
    /// Live connections of the gateway.
    Connections,
    /// Live connections from one address.
    Address,
    /// Live connections of one visitor or agent.
    Person,
    /// Live connections of one site's people.
    Site,
}

impl Limit {
    /// What a client is told, where it can be told: all of it may pass.
    pub(crate) fn close_code(self) -> CloseCode {
        match self {
            Self::Arrivals => CloseCode::Overloaded,
            _ => CloseCode::TooManyConnections,
        }
    }

    /// For people who read logs.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Sockets => "too many sockets",
            Self::AddressSockets => "too many sockets from this address",
            Self::Handshakes => "too many handshakes at once",
            Self::AddressHandshakes => "too many handshakes at once from this address",
            Self::Arrivals => "too many new connections at once",
            Self::Connections => "too many connections",
            Self::Address => "too many connections from this address",
            Self::Person => "too many connections of this person",
            Self::Site => "too many connections of this site",
        }
    }

    /// The label of the metric.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sockets => "sockets",
            Self::AddressSockets => "address_sockets",
            Self::Handshakes => "handshakes",
            Self::AddressHandshakes => "address_handshakes",
            Self::Arrivals => "arrivals",
            Self::Connections => "connections",
            Self::Address => "address",
            Self::Person => "person",
            Self::Site => "site",
        }
    }
}

/// Lets through `rate` a second on average and `burst` at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenBucket {
    tokens: f32,
    at: Instant,
}

/// How a bucket fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BucketRate {
    /// Tokens a second; above 0.
    pub(crate) per_second: f32,
    /// Tokens at most; at least 1.
    pub(crate) burst: f32,
}

impl BucketRate {
    pub(crate) fn new(per_second: f32, burst: f32) -> Self {
        Self { per_second: per_second.max(0.001), burst: burst.max(1.0) }
    }
}

impl TokenBucket {
    pub(crate) fn full(rate: BucketRate, now: Instant) -> Self {
        Self { tokens: rate.burst, at: now }
    }

    /// Takes one token, or says how long until there is one.
    pub(crate) fn take(&mut self, rate: BucketRate, now: Instant) -> Result<(), Duration> {
        self.refill(rate, now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f32((1.0 - self.tokens) / rate.per_second))
    }

    fn refill(&mut self, rate: BucketRate, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f32();
        self.tokens = (self.tokens + passed * rate.per_second).min(rate.burst);
        self.at = now;
    }
}

/// One bucket for each key, at most `max_keys` of them.
pub(crate) struct KeyedBuckets<K> {
    rate: BucketRate,
    max_keys: usize,
    buckets: Mutex<HashMap<K, TokenBucket>>,
}

impl<K: Eq + Hash> KeyedBuckets<K> {
    pub(crate) fn new(rate: BucketRate, max_keys: usize) -> Self {
        Self { rate, max_keys, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one token of this key. When the map is full of busy keys a new one
    /// is told to wait: guessing at scale is what this is against.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.max_keys && !buckets.contains_key(&key) {
            buckets.retain(|_, b| {
                b.refill(self.rate, now);
                b.tokens < self.rate.burst
            });
            if buckets.len() >= self.max_keys {
                return Err(Duration::from_secs_f32(1.0 / self.rate.per_second));
            }
        }
        let fresh = TokenBucket::full(self.rate, now);
        buckets.entry(key).or_insert(fresh).take(self.rate, now)
    }
}

/// How many of something each key has open.
pub(crate) struct Counts<K: Eq + Hash> {
    max: u32,
    open: Mutex<HashMap<K, u32>>,
}

impl<K: Eq + Hash + Clone> Counts<K> {
    pub(crate) fn new(max: u32) -> Arc<Self> {
        Arc::new(Self { max, open: Mutex::new(HashMap::new()) })
    }

    /// One more of this key until the guard is dropped; `None` when it has enough.
    pub(crate) fn open(self: &Arc<Self>, key: K) -> Option<CountGuard<K>> {
        if self.max == 0 {
            return None;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key.clone()).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(CountGuard { counts: self.clone(), key })
    }
}

/// Counts as open until dropped.
pub(crate) struct CountGuard<K: Eq + Hash + Clone> {
    counts: Arc<Counts<K>>,
    key: K,
}

impl<K: Eq + Hash + Clone> Drop for CountGuard<K> {
    fn drop(&mut self) {
        let mut open = self.counts.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_lets_the_burst_through_and_then_the_rate() {
        let rate = BucketRate::new(20.0, 40.0);
        let mut bucket = TokenBucket::full(rate, Instant::now());
        for _ in 0..40 {
            assert!(bucket.take(rate, Instant::now()).is_ok());
        }
        let wait = bucket.take(rate, Instant::now()).unwrap_err();
        assert!(wait < Duration::from_millis(51), "{wait:?}");
        tokio::time::advance(Duration::from_millis(52)).await;
        assert!(bucket.take(rate, Instant::now()).is_ok());
        assert!(bucket.take(rate, Instant::now()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn keyed_buckets_stay_bounded_and_forget_the_idle() {
        let buckets = KeyedBuckets::new(BucketRate::new(1.0, 1.0), 2);
        let now = Instant::now();
        assert!(buckets.take(1, now).is_ok());
        assert!(buckets.take(2, now).is_ok());
        assert!(buckets.take(3, now).is_err());
        assert!(buckets.take(3, now + Duration::from_secs(2)).is_ok());
        assert!(buckets.buckets.lock().unwrap().len() <= 2);
    }

    #[test]
    fn counts_are_given_back() {
        let counts = Counts::new(2);
        let first = counts.open("a").unwrap();
        let _second = counts.open("a").unwrap();
        assert!(counts.open("a").is_none());
        assert!(counts.open("b").is_some());
        drop(first);
        assert!(counts.open("a").is_some());
        assert_eq!(counts.open.lock().unwrap().len(), 1);
        let none = Counts::new(0);
        assert!(none.open("a").is_none() && none.open.lock().unwrap().is_empty());
    }
}
