//! The generator doubts itself: how late its tasks run when they are woken, and
//! what CPU it uses.

use super::common::Common;
use super::metronome::Alarm;
use frontdesk_results::Latency;
use hdrhistogram::Histogram;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often it looks.
const INTERVAL: Duration = Duration::from_micros(INTERVAL_US);
const INTERVAL_US: u64 = 10_000;

/// A probe at work; it ends when it is dropped.
pub(super) struct Probe {
    lag: Arc<Mutex<Histogram<u64>>>,
    task: JoinHandle<()>,
}

impl Probe {
    pub(super) fn start(common: Arc<Common>) -> Self {
        let lag = Arc::new(Mutex::new(Latency::recorder()));
        let into = lag.clone();
        // Owned by the probe, ended with it.
        let task = tokio::spawn(async move {
            let mut alarm = Alarm::default();
            loop {
                let meant = Instant::now() + INTERVAL;
                alarm.set(&common.metronome, meant);
                alarm.rings().await;
                let micros = u64::try_from(meant.elapsed().as_micros()).unwrap_or(u64::MAX);
                let mut lag = into.lock().unwrap_or_else(PoisonError::into_inner);
                // A long sleep counts for every look that it has swallowed.
                lag.record_correct(micros.max(1), INTERVAL_US)
                    .expect("histograms that grow take any value");
            }
        });
        Self { lag, task }
    }

    /// Microseconds late, for each look since the last call.
    pub(super) fn take(&self) -> Histogram<u64> {
        let mut lag = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut lag, Latency::recorder())
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}
