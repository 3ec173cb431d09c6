//! The settings of a group and what follows from them.

use super::GroupError;
use openraft::{Config, SnapshotPolicy};
use std::time::Duration;

/// Settings of one voter. All voters of a group should have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// How often the leader says that it lives.
    pub heartbeat: Duration,
    /// A follower that hears nothing waits a random time between these two
    /// before it stands for election.
    pub election_min: Duration,
    /// See `election_min`.
    pub election_max: Duration,
    /// Entries after which a snapshot is made. At 500 bytes each, 50,000 entries
    /// are 25 MB of log and replay in about half a second.
    pub snapshot_after: u64,
    /// Entries kept behind a snapshot for followers that lag a little.
    pub keep_behind_snapshot: u64,
    /// Longest that a proposal or a linearizable read takes, retries included.
    pub deadline: Duration,
    /// Proposals in flight. 10,000/s × 100 ms = 1,000 in a busy second; four
    /// times that, then callers are told to come back.
    pub max_in_flight: usize,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(200),
            election_min: Duration::from_millis(600),
            election_max: Duration::from_millis(1_200),
            snapshot_after: 50_000,
            keep_behind_snapshot: 1_000,
            deadline: Duration::from_secs(3),
            max_in_flight: 4_096,
        }
    }
}

impl GroupSettings {
    pub(crate) fn to_raft(&self) -> Result<Config, GroupError> {
        if self.max_in_flight == 0 || self.deadline.is_zero() {
            return Err(GroupError::Settings("limits must not be zero".into()));
        }
        let config = Config {
            cluster_name: "frontdesk-presence".into(),
            heartbeat_interval: millis(self.heartbeat),
            election_timeout_min: millis(self.election_min),
            election_timeout_max: millis(self.election_max),
            // A snapshot of 100,000 agents takes seconds over a slow link.
            install_snapshot_timeout: 30_000,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_after),
            max_in_snapshot_log_to_keep: self.keep_behind_snapshot,
            enable_pre_vote: Some(true),
            ..Config::default()
        };
        config.validate().map_err(|e| GroupError::Settings(e.to_string()))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_contradictions_are_not() {
        assert!(GroupSettings::default().to_raft().is_ok());
        let slow = GroupSettings { heartbeat: Duration::from_secs(2), ..GroupSettings::default() };
        assert!(matches!(slow.to_raft(), Err(GroupError::Settings(_))));
    }
}
