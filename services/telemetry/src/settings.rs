//! What can be set about telling how the process does, besides its log.

use crate::traces::TraceSettings;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The `[telemetry]` section. `Debug` hides the token.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Whoever bears it may change the log's level and see `/debug` pages on the health
    /// listener: 16 characters or more. Without one nobody may.
    pub admin_token: String,
    /// Where traces go.
    pub traces: TraceSettings,
}

impl fmt::Debug for TelemetrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetrySettings").field("traces", &self.traces).finish_non_exhaustive()
    }
}
