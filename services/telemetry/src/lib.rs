//! Logs and metrics of a process: set up once by the binary, used by every role
//! through `tracing` and `metrics`. Holds no state of any role.

mod logs;
mod metrics;
mod process;

pub use logs::{LogError, LogFormat, LogSettings, init_logs};
pub use metrics::{MetricsError, MetricsHandle, init_metrics};
