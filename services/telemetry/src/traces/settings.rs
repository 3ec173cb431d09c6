//! What can be set about traces.

use serde::{Deserialize, Serialize};

/// The `[telemetry.traces]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// Where an OTLP collector takes spans over gRPC, such as `http://127.0.0.1:4317`.
    /// Without one nothing is traced.
    pub endpoint: String,
    /// The part of all requests whose traces are recorded, from 0 to 1. What fails is
    /// recorded in any case.
    pub ratio: f64,
    /// Whether requests that come with a `traceparent` belong to that trace, recorded
    /// or not as it says: of those to be recorded 100 a second, and of more the ratio.
    pub incoming: bool,
    /// Spans that may wait for the collector; more are dropped, and counted.
    pub queue_spans: usize,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { endpoint: String::new(), ratio: 0.01, incoming: true, queue_spans: 4_096 }
    }
}

/// Why nothing can be traced.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// No part of a whole.
    #[error("telemetry.traces.ratio: a number from 0 to 1")]
    Ratio,
    /// No room for a batch.
    #[error("telemetry.traces.queue_spans: at least 64")]
    Queue,
    /// The collector's address is none.
    #[error("telemetry.traces.endpoint: {0}")]
    Endpoint(String),
    /// They were set up before.
    #[error("traces were set up twice")]
    Twice,
}

impl TraceSettings {
    pub(super) fn check(&self) -> Result<(), TracesError> {
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(TracesError::Ratio);
        }
        if self.queue_spans < 64 {
            return Err(TracesError::Queue);
        }
        Ok(())
    }
}
