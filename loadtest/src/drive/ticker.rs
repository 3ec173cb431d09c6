//! Reports once a second what a worker has counted.

use super::RunError;
use super::common::Common;
use super::probe::Probe;
use crate::cost;
use crate::protocol::{Count, FromWorker, Tick, from_worker::Message};
use frontdesk_results::latency;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

const INTERVAL: Duration = Duration::from_secs(1);

/// A ticker at work.
pub(super) struct Ticker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Ticker {
    /// Reports what is left.
    pub(super) async fn finish(self) -> Result<(), RunError> {
        // Fails only when the task has ended, which the next line tells.
        let _ = self.stop.send(());
        self.task.await?
    }
}

/// Owned by the worker, which ends it.
pub(super) fn start(common: Arc<Common>) -> Ticker {
    let (stop, mut stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let probe = Probe::start(common.clone());
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last = false;
        while !last {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = &mut stopped => last = true,
            }
            let tick = Message::Tick(tick(&common, &probe)?);
            // The coordinator is gone: whoever leads the worker will see.
            let _ = common.reports.send(FromWorker { message: Some(tick) }).await;
        }
        Ok(())
    });
    Ticker { stop, task }
}

fn tick(common: &Common, probe: &Probe) -> Result<Tick, RunError> {
    let value = |gauge: &AtomicU64| gauge.load(Ordering::Relaxed);
    let gauges = &common.gauges;
    let found =
        std::mem::take(&mut *common.findings.lock().unwrap_or_else(PoisonError::into_inner));
    let notes = std::mem::take(&mut *common.notes.lock().unwrap_or_else(PoisonError::into_inner));
    let json = |value: &frontdesk_results::Offence| {
        serde_json::to_string(value).expect("plain values are JSON")
    };
    let violation = |violation: &frontdesk_results::Violation| {
        serde_json::to_string(violation).expect("plain values are JSON")
    };
    let counts = found.counts.iter();
    Ok(Tick {
        seconds: common.recorder.take().iter().map(|(s, bucket)| bucket.to_wire(*s)).collect(),
        connections: value(&gauges.connections),
        conversations: value(&gauges.conversations),
        waiting: value(&gauges.waiting),
        sent: value(&gauges.sent),
        answered: value(&gauges.answered),
        delivered: value(&gauges.delivered),
        cpu_seconds: cost::cpu_time(std::process::id())?.as_secs_f64(),
        lag: latency::to_bytes(&probe.take()).into(),
        violations: counts
            .map(|(kind, count)| Count { violation: violation(kind), count: *count })
            .collect(),
        offences: found.offences.iter().map(json).collect(),
        notes,
    })
}
