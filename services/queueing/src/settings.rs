//! What can be set of this role.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of the queueing role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueingSettings {
    /// Tasks over which the sites are spread, 1–64.
    pub groups: usize,
    /// Seconds between two comparisons with the conversations themselves.
    pub reconcile_secs: u64,
}

impl Default for QueueingSettings {
    fn default() -> Self {
        Self { groups: 4, reconcile_secs: 10 }
    }
}

impl QueueingSettings {
    pub(crate) fn groups(&self) -> usize {
        self.groups.clamp(1, 64)
    }

    pub(crate) fn reconcile_every(&self) -> Duration {
        Duration::from_secs(self.reconcile_secs.max(1))
    }
}
