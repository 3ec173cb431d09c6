//! What a worker counts and times, second by second. Counters belong to the
//! second in which something happened, latencies to the second in which it was
//! meant to happen: a stall shows where it began.

use crate::protocol;
use frontdesk_results::{Latency, latency};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Parts that are written independently of one another.
const SHARDS: usize = 4;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$item_doc])* $item,)* }

        impl $name {
            /// All of them, in the order in which they travel.
            pub const ALL: &'static [Self] = &[$(Self::$item,)*];

            /// As results name it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$item => $text,)* }
            }
        }
    };
}

named! {
    /// What is counted; see [`frontdesk_results::RunResult`].
    Counter {
        /// Messages sent for the first time.
        Sent = "sent",
        /// Messages called durable.
        Acknowledged = "acknowledged",
        /// Messages received by the other party.
        Delivered = "delivered",
        /// Conversations that are durable.
        Started = "started",
        /// Assignments of a conversation to an agent.
        Assigned = "assigned",
        /// Conversations closed.
        Closed = "closed",
        /// Conversations rated.
        Rated = "rated",
        /// Conversations handed back to the queue.
        Transferred = "transferred",
        /// Messages with a file.
        Attachments = "attachments",
        /// Typing hints sent.
        Typing = "typing",
        /// Read receipts sent.
        Read = "read",
        /// Errors that were retried by themselves.
        Deferred = "deferred",
        /// Requests refused for good.
        Refused = "refused",
        /// Messages that were due but never sent.
        Unsent = "unsent",
        /// Connections opened.
        Connected = "connected",
        /// Of which after a person's first.
        Reconnects = "reconnects",
    }
}

named! {
    /// What is timed; see [`frontdesk_results::RunResult`].
    Timer {
        /// Intended time of a message → its acknowledgement.
        Ack = "ack",
        /// Intended time of a message → received by the other party.
        Receipt = "receipt",
        /// Actual sending → acknowledgement.
        Service = "service",
        /// Intended time → actual sending.
        Late = "late",
        /// Intended arrival → the conversation is durable.
        Start = "start",
        /// Intended arrival → an agent has the conversation.
        Assign = "assign",
        /// Begin of connecting → Welcome.
        Connect = "connect",
        /// Intended time of a message → received by a supervisor who watches.
        Watched = "watched",
    }
}

/// What belongs to one second.
#[derive(Debug, Clone)]
pub struct Bucket {
    counters: Vec<u64>,
    times: Vec<Option<Histogram<u64>>>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { counters: vec![0; Counter::ALL.len()], times: vec![None; Timer::ALL.len()] }
    }
}

impl Bucket {
    fn count(&mut self, counter: Counter) {
        self.counters[counter as usize] += 1;
    }

    fn time(&mut self, timer: Timer, taken: Duration) {
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX).max(1);
        let histogram = self.times[timer as usize].get_or_insert_with(Latency::recorder);
        histogram.record(micros).expect("histograms that grow take any value");
    }

    /// How often.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// The distribution, in microseconds, if there was anything.
    pub fn timer(&self, timer: Timer) -> Option<&Histogram<u64>> {
        self.times[timer as usize].as_ref()
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        for (into, from) in self.counters.iter_mut().zip(&other.counters) {
            *into += from;
        }
        for (into, from) in self.times.iter_mut().zip(&other.times) {
            match (into, from) {
                (Some(into), Some(from)) => {
                    into.add(from).expect("histograms that grow take any value");
                }
                (into @ None, Some(from)) => *into = Some(from.clone()),
                (_, None) => {}
            }
        }
    }

    /// As it travels.
    pub fn to_wire(&self, second: u32) -> protocol::Second {
        let times = self.times.iter().enumerate().filter_map(|(what, times)| {
            let histogram = latency::to_bytes(times.as_ref()?).into();
            Some(protocol::Distribution { what: what as u32, histogram })
        });
        protocol::Second { second, counters: self.counters.clone(), distributions: times.collect() }
    }

    /// From the wire; what is not known is left out.
    pub fn from_wire(second: &protocol::Second) -> Result<Self, frontdesk_results::LatencyError> {
        let mut bucket = Self::default();
        for (into, from) in bucket.counters.iter_mut().zip(&second.counters) {
            *into = *from;
        }
        for distribution in &second.distributions {
            if let Some(times) = bucket.times.get_mut(distribution.what as usize) {
                *times = Some(latency::from_bytes(&distribution.histogram)?);
            }
        }
        Ok(bucket)
    }
}

/// Collects from all tasks of a worker.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    shards: [Mutex<BTreeMap<u32, Bucket>>; SHARDS],
}

impl Recorder {
    /// Something has happened `now`, since the run's begin.
    pub(super) fn count(&self, shard: u32, counter: Counter, now: Duration) {
        self.with(shard, now, |bucket| bucket.count(counter));
    }

    /// Something was meant to happen at `intended` and took so long.
    pub(super) fn time(&self, shard: u32, timer: Timer, intended: Duration, taken: Duration) {
        self.with(shard, intended, |bucket| bucket.time(timer, taken));
    }

    fn with(&self, shard: u32, at: Duration, change: impl FnOnce(&mut Bucket)) {
        let shard = &self.shards[shard as usize % SHARDS];
        let second = u32::try_from(at.as_secs()).unwrap_or(u32::MAX);
        change(shard.lock().unwrap_or_else(PoisonError::into_inner).entry(second).or_default());
    }

    /// Everything since the last call.
    pub(super) fn take(&self) -> BTreeMap<u32, Bucket> {
        let mut all: BTreeMap<u32, Bucket> = BTreeMap::new();
        for shard in &self.shards {
            let taken = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for (second, bucket) in taken {
                all.entry(second).or_default().merge(&bucket);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_merged_over_shards_and_survive_the_way() {
        let recorder = Recorder::default();
        for shard in 0..8 {
            let at = Duration::from_millis(1_500);
            recorder.count(shard, Counter::Sent, at);
            recorder.time(shard, Timer::Ack, at, Duration::from_micros(100 + u64::from(shard)));
        }
        recorder.count(0, Counter::Closed, Duration::from_secs(3));
        let taken = recorder.take();
        assert_eq!(taken.keys().copied().collect::<Vec<_>>(), [1, 3]);
        let read = Bucket::from_wire(&taken[&1].to_wire(1)).unwrap();
        assert_eq!((read.counter(Counter::Sent), read.counter(Counter::Closed)), (8, 0));
        assert_eq!(read.timer(Timer::Ack).unwrap().len(), 8);
        assert!(read.timer(Timer::Late).is_none());
        assert!(recorder.take().is_empty());
    }
}
