//! What a load test came to: the result's model with its JSON schema, the
//! thresholds and baselines it is judged by, and the forms it is shown in (HTML,
//! CSV, JUnit XML). Pure functions over values: no network, no clock, and no
//! knowledge of how load is made.

mod baseline;
mod comparison;
mod csv;
mod html;
mod json;
mod judge;
mod junit;
pub mod latency;
mod markup;
mod metric;
mod model;
#[cfg(test)]
mod sample;
mod schema;
mod svg;
mod table;
mod text;
mod thresholds;
mod unit;
mod watched;
mod words;

pub use baseline::{BASELINE_SCHEMA, Baseline, BaselineError, Expected, LEAST_RUNS};
pub use comparison::{Change, CompareError, Compared, Comparison, Machines, compare};
pub use csv::csv;
pub use html::html;
pub use json::ResultError;
pub use judge::{
    LATE_P99_WHEN_SATURATED_US, LEAST_IDLE, MOST_LAG_P99_US, MOST_LATE_P99_US, MOST_STOLEN, judge,
};
pub use junit::junit;
pub use latency::{Latency, LatencyError};
pub use metric::{
    COUNTERS, GeneratorFigure, LATENCIES, Metric, MetricError, Percentile, RECONNECTS,
    ServerFigure, Statistic, Tally,
};
pub use model::{
    Audit, Counted, Environment, FaultResult, Generator, Model, Offence, PhaseKind, PhaseResult,
    Purpose, Reason, RunResult, SCHEMA, ScenarioInfo, Series, ServerCost, SlopePoint,
    ThresholdResult, Verdict, Violation,
};
pub use schema::RESULT_JSON_SCHEMA;
pub use text::summary;
pub use thresholds::{Operator, Threshold, ThresholdError};
pub use unit::{Quantity, Unit};
pub use watched::Better;
