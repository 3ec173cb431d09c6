//! Tells queueing and routing what has changed, after the commit, off the
//! shards' path. May drop when full: their reconcilers look again.

use crate::metrics::Meters;
use frontdesk_core::conversation::Summary;
use frontdesk_proto::api::WorkObserver;
use frontdesk_telemetry::tasks;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::warn;

/// Changes that may wait: at about 1 KiB each, 8 MiB.
const WAITING: usize = 8_192;
/// Changes handed over at a time.
const BATCH: usize = 256;
/// The longest one hand-over may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The shards' end.
#[derive(Clone)]
pub(crate) struct Notifier {
    changes: mpsc::Sender<Arc<Summary>>,
}

impl Notifier {
    /// Starts one task, which ends when all notifiers are dropped.
    pub(crate) fn start(observers: Vec<Arc<dyn WorkObserver>>) -> (Self, JoinHandle<()>) {
        let (changes, waiting) = mpsc::channel(WAITING);
        (Self { changes }, tasks::spawn("sessions.news", hand_over(waiting, observers)))
    }

    pub(crate) fn tell(&self, summary: Arc<Summary>, meters: &Meters) {
        if self.changes.try_send(summary).is_err() {
            meters.observer_drops.increment(1);
        }
    }
}

async fn hand_over(
    mut waiting: mpsc::Receiver<Arc<Summary>>,
    observers: Vec<Arc<dyn WorkObserver>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        for observer in &observers {
            let told = tokio::time::timeout(DEADLINE, observer.observe(batch.clone())).await;
            match told {
                Ok(Ok(())) => {}
                Ok(Err(error)) => warn!(%error, "an observer did not take changes"),
                Err(_) => warn!("an observer took too long"),
            }
        }
        batch.clear();
    }
}
