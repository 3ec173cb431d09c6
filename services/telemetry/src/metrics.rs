//! The process's metrics in Prometheus text form. What they are is in `catalog`.

use crate::catalog::{self, Kind, Metric, Scale};
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// From 50 µs to 10 s, about three to a decade.
const SECONDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];
/// What people wait: from a second to an hour.
const WAITS: [f64; 10] = [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0];
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
    let known = catalog::all();
    let mut builder = PrometheusBuilder::new();
    for metric in known.iter().filter(|metric| metric.kind == Kind::Histogram) {
        let buckets: &[f64] = match metric.scale() {
            Scale::Work => &SECONDS,
            Scale::Waiting => &WAITS,
            Scale::Counts => &COUNTS,
        };
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.into()), buckets)?;
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
    known.iter().for_each(describe);
    Ok(MetricsHandle(handle))
}

fn describe(metric: &Metric) {
    match metric.kind {
        Kind::Counter => describe_counter!(metric.name, metric.help),
        Kind::Gauge => describe_gauge!(metric.name, metric.help),
        Kind::Histogram => describe_histogram!(metric.name, metric.help),
    }
}
