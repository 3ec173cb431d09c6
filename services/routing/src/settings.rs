//! What can be set of this role.

use frontdesk_core::matching::Policy;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which of several suitable agents is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The smallest share of capacity taken.
    #[default]
    LeastLoaded,
    /// The longest without a new chat.
    LongestIdle,
}

/// Settings of the routing role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingSettings {
    /// Which of several suitable agents is asked.
    pub choice: Choice,
    /// Seconds between two searches for half-done steps.
    pub reconcile_secs: u64,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self { choice: Choice::default(), reconcile_secs: 10 }
    }
}

impl RoutingSettings {
    pub(crate) fn policy(&self) -> Policy {
        match self.choice {
            Choice::LeastLoaded => Policy::LeastLoaded,
            Choice::LongestIdle => Policy::LongestIdle,
        }
    }

    pub(crate) fn reconcile_every(&self) -> Duration {
        Duration::from_secs(self.reconcile_secs.max(1))
    }
}
