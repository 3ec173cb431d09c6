//! What can be set of the sessions role.

use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::time::Duration;

/// What can be set of the sessions role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Commands that may wait for one shard. At 1,024 × 256 shards × about 400
    /// bytes, 100 MiB when every mailbox of the node is full.
    pub mailbox_commands: NonZeroUsize,
    /// Appends of one shard that may be in flight to the journal.
    pub inflight_appends: NonZeroUsize,
    /// Seconds without a command after which a conversation leaves memory.
    pub idle_seconds: u64,
    /// Conversations that one shard keeps in memory; the longest idle goes first.
    pub live_per_shard: usize,
    /// Events after which a snapshot is stored.
    pub snapshot_events: u32,
    /// Times a command is run again after its append was refused.
    pub attempts: u8,
    /// Whether gateways are told, a second after the last events, how far a
    /// conversation has come. For a bus that may lose what is published.
    pub beacons: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mailbox_commands: const { NonZeroUsize::new(1_024).expect("not zero") },
            inflight_appends: const { NonZeroUsize::new(64).expect("not zero") },
            idle_seconds: 120,
            live_per_shard: 4_096,
            snapshot_events: 200,
            attempts: 3,
            beacons: false,
        }
    }
}

impl Settings {
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }
}
