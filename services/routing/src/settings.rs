//! What can be set of this role.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of the routing role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingSettings {
    /// Seconds between two searches for half-done steps.
    pub reconcile_secs: u64,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self { reconcile_secs: 10 }
    }
}

impl RoutingSettings {
    pub(crate) fn reconcile_every(&self) -> Duration {
        Duration::from_secs(self.reconcile_secs.max(1))
    }
}
