//! The process's metrics in Prometheus text form.
//!
//! Names are `frontdesk_<role>_<what>_<unit>`, labels are bounded words.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// From 50 µs to 10 s, about three to a decade.
const SECONDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];
/// What people wait: from a second to an hour.
const WAITS: [f64; 10] = [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0];
/// Metrics that are measured in people's time.
const WAITING: [&str; 3] = [
    "frontdesk_queueing_wait_seconds",
    "frontdesk_queueing_estimate_error_seconds",
    "frontdesk_routing_match_seconds",
];
/// Powers of four, for counts per batch and for depths.
const COUNTS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0];

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A bucket list is not valid.
    #[error("metrics: {0}")]
    Build(#[from] BuildError),
    /// They were set up before.
    #[error("metrics were set up twice")]
    Twice,
}

/// Renders the metrics of this process.
#[derive(Debug, Clone)]
pub struct MetricsHandle(PrometheusHandle);

impl MetricsHandle {
    /// All metrics now, in Prometheus text form, with what the process uses.
    pub fn render(&self) -> String {
        let mut page = self.0.render();
        crate::process::append(&mut page);
        page
    }

    /// Folds recorded samples into their histograms; call every few seconds, so
    /// that samples do not pile up while nobody scrapes.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Starts recording for the process.
pub fn init_metrics() -> Result<MetricsHandle, MetricsError> {
    let mut builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets(&COUNTS)?;
    for name in WAITING {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.into()), &WAITS)?;
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
    Ok(MetricsHandle(handle))
}
