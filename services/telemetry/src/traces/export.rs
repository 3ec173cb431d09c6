//! The way of spans to the collector: a bounded queue, a task that sends what waits, and
//! an end within a deadline. Whoever tells a span never waits: what finds no room is
//! dropped, and counted.

use super::ration::Ration;
use super::{Identity, TraceSettings, TracesError};
use metrics::{Counter, counter};
use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Spans of one export: some 100 KiB.
const BATCH: usize = 512;
/// Spans wait so long for others.
const EVERY: Duration = Duration::from_secs(1);
/// The longest an export may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// The longest that a stop waits for what is left.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// Failures of unrecorded work that are told a second; a flood of refusals must not
/// become a flood of spans.
const FAILURES_PER_SECOND: u64 = 100;
/// Requests and calls that are recorded a second because a client says so; how much is
/// spent on traces must not be for strangers to decide.
pub(super) const INCOMING_PER_SECOND: u64 = 100;

/// Where spans go.
#[derive(Debug)]
pub(super) struct Outlet {
    spans: mpsc::Sender<SpanData>,
    full: Counter,
    /// Work that was not recorded and has failed.
    pub(super) failures: Ration,
    /// Work that a client wants recorded.
    pub(super) incoming: Ration,
}

impl Outlet {
    fn new(spans: mpsc::Sender<SpanData>, dropped: impl Fn(&'static str) -> Counter) -> Self {
        Self {
            spans,
            full: dropped("queue_full"),
            failures: Ration::new(FAILURES_PER_SECOND, dropped("too_many_failures")),
            incoming: Ration::new(INCOMING_PER_SECOND, dropped("too_many_incoming")),
        }
    }

    /// To whoever holds the other end, and not counted.
    #[cfg(any(test, feature = "capture"))]
    pub(super) fn uncounted(spans: mpsc::Sender<SpanData>) -> Self {
        Self::new(spans, |_| Counter::noop())
    }

    pub(super) fn put(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.full.increment(1);
        }
    }
}

/// The task that sends spans.
#[derive(Debug)]
pub struct Exporting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporting {
    /// Sends what waits, for a moment, and ends.
    pub async fn stop(self) {
        // It fails only when the task has ended.
        let _ = self.stop.send(());
        if tokio::time::timeout(STOP_WITHIN, self.task).await.is_err() {
            tracing::debug!("the collector does not take the last spans");
        }
    }
}

pub(super) fn start(
    settings: &TraceSettings,
    identity: &Identity,
) -> Result<(Outlet, Exporting), TracesError> {
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&settings.endpoint)
        .with_timeout(DEADLINE)
        .build()
        .map_err(|error| TracesError::Endpoint(error.to_string()))?;
    let facts = [
        KeyValue::new("service.name", "frontdesk"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", identity.instance.clone()),
        KeyValue::new("frontdesk.role", identity.role.clone()),
    ];
    exporter.set_resource(&Resource::builder_empty().with_attributes(facts).build());
    let (spans, waiting) = mpsc::channel(settings.queue_spans);
    let (stop, stopped) = oneshot::channel();
    let dropped = |why| counter!("frontdesk_traces_dropped_spans_total", "reason" => why);
    let outlet = Outlet::new(spans, dropped);
    // Ended by `Exporting::stop`.
    let task = crate::tasks::spawn(
        "traces.export",
        Export { exporter, waiting, is_well: true }.run(stopped),
    );
    Ok((outlet, Exporting { stop, task }))
}

struct Export {
    exporter: SpanExporter,
    waiting: mpsc::Receiver<SpanData>,
    is_well: bool,
}

impl Export {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut goes_on = true;
        while goes_on {
            tokio::select! {
                _ = &mut stopped => goes_on = false,
                _ = every.tick() => {}
                taken = self.waiting.recv_many(&mut batch, BATCH), if batch.len() < BATCH => {
                    if taken > 0 && batch.len() < BATCH {
                        continue;
                    }
                }
            }
            self.send(&mut batch).await;
        }
        self.waiting.close();
        while self.waiting.recv_many(&mut batch, BATCH).await > 0 {
            self.send(&mut batch).await;
        }
    }

    async fn send(&mut self, batch: &mut Vec<SpanData>) {
        if batch.is_empty() {
            return;
        }
        let spans = std::mem::take(batch);
        let count = spans.len() as u64;
        let sent = tokio::time::timeout(DEADLINE, self.exporter.export(spans)).await;
        let sent = sent.map_err(|_| "no answer in time".to_owned());
        let sent = sent.and_then(|sent| sent.map_err(|error| error.to_string()));
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        counter!("frontdesk_traces_exported_spans_total", "outcome" => outcome).increment(count);
        match sent {
            Err(error) if self.is_well => {
                tracing::warn!(
                    error,
                    "the collector takes no spans; they are dropped until it does"
                );
                self.is_well = false;
            }
            Ok(()) if !self.is_well => {
                tracing::info!("the collector takes spans again");
                self.is_well = true;
            }
            Ok(()) | Err(_) => {}
        }
    }
}
