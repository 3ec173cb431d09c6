//! Logs, metrics and traces of a process: set up once by the binary, used by every role
//! through `tracing`, `metrics` and `traces`. Holds no state of any role.

pub mod catalog;
mod logs;
mod metrics;
mod process;
mod settings;
pub mod tasks;
pub mod threads;
pub mod traces;

pub use logs::{LogControl, LogError, LogFormat, LogLevel, LogSettings, init_logs};
pub use metrics::{MetricsError, MetricsHandle, init_metrics};
pub use settings::TelemetrySettings;
