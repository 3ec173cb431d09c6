//! What a baseline watches, in which direction it is worse, and how far apart
//! two good runs may always be.

use crate::RunResult;
use crate::metric::{Metric, Percentile, ServerFigure, Statistic, Tally};
use serde::{Deserialize, Serialize};

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Latencies, costs and errors.
    Lower,
    /// Throughput.
    Higher,
}

/// A metric that a baseline watches.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) metric: Metric,
    pub(crate) better: Better,
    /// The band is at least this part of the median…
    pub(crate) relative_floor: f64,
    /// …and at least this much, in the metric's base unit.
    pub(crate) absolute_floor: f64,
}

impl Watched {
    /// Whether the run has so many values that this figure is one of theirs and
    /// not one value's: at least ten beyond a percentile.
    pub(crate) fn enough_values(&self, run: &RunResult) -> bool {
        const BEYOND: f64 = 10.0;
        let Metric::Latency(name, Statistic::Percentile(percentile)) = &self.metric else {
            return true;
        };
        let count = run.latencies.get(*name).map_or(0, |latency| latency.count);
        count as f64 * (1.0 - percentile.quantile()) >= BEYOND * 0.999
    }
}

/// Medians and 99th percentiles of thousands of values move by some percent with
/// where processes and memory happen to lie, which three runs in a row do not
/// show; changes below a tenth are what profiles are for.
const LATENCY_FLOOR: f64 = 0.10;

/// A 99.9th percentile hangs on a thousandth of the values.
const TAIL_FLOOR: f64 = 0.25;

/// Waking a task costs about this, microseconds: what is smaller is no work of
/// the server's.
const LATENCY_FLOOR_US: f64 = 100.0;

/// A schedule fixes the throughput, but for the edges of the counted part.
const RATE_FLOOR: f64 = 0.02;

/// CPU time and memory vary less than latencies, but clocks and allocators vary.
const COST_FLOOR: f64 = 0.05;

/// One error in a thousand messages more is not a trend.
const ERROR_FLOOR: f64 = 0.001;

/// All that is watched, in the order it is shown.
pub(crate) fn watched() -> Vec<Watched> {
    let latency = |name, percentile| Watched {
        metric: Metric::Latency(name, Statistic::Percentile(percentile)),
        better: Better::Lower,
        relative_floor: if percentile > Percentile::P99 { TAIL_FLOOR } else { LATENCY_FLOOR },
        absolute_floor: LATENCY_FLOOR_US,
    };
    let server = |figure| Watched {
        metric: Metric::Server(figure),
        better: Better::Lower,
        relative_floor: COST_FLOOR,
        absolute_floor: 0.0,
    };
    let errors = |name| Watched {
        metric: Metric::Counter(name, Tally::Share),
        better: Better::Lower,
        relative_floor: LATENCY_FLOOR,
        absolute_floor: ERROR_FLOOR,
    };
    vec![
        Watched {
            metric: Metric::Counter("delivered", Tally::Rate),
            better: Better::Higher,
            relative_floor: RATE_FLOOR,
            absolute_floor: 0.0,
        },
        latency("ack", Percentile::P50),
        latency("ack", Percentile::P99),
        latency("ack", Percentile::P999),
        latency("receipt", Percentile::P50),
        latency("receipt", Percentile::P99),
        latency("receipt", Percentile::P999),
        latency("start", Percentile::P99),
        latency("assign", Percentile::P99),
        latency("connect", Percentile::P99),
        errors("deferred"),
        errors("refused"),
        errors("unsent"),
        Watched {
            metric: Metric::Recovery(None),
            better: Better::Lower,
            relative_floor: TAIL_FLOOR,
            absolute_floor: 1e6,
        },
        server(ServerFigure::CpuPerMessage),
        server(ServerFigure::BytesPerConnection),
        server(ServerFigure::Resident),
    ]
}
