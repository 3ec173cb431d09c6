//! The settings of the presence role.

use frontdesk_cluster::Peer;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// A voter of the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSettings {
    /// Its id, never used again for another.
    pub id: u64,
    /// Where the others reach it; may be empty in a group of one.
    pub address: String,
}

/// Settings of the presence role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceSettings {
    /// Folder of the Raft log and snapshots; this process's alone.
    pub folder: PathBuf,
    /// This voter's id.
    pub voter: u64,
    /// The founders, the same for all of them; none for a voter that joins later.
    pub members: Vec<MemberSettings>,
    /// Longest wait for a leader at the start, in seconds; 1–600.
    pub ready_within_secs: u64,
    /// Seconds without a heartbeat after which a node counts as dead; 0 when all
    /// roles are in this process.
    pub node_ttl_secs: u64,
}

impl PresenceSettings {
    /// A group of one with its files in `folder`.
    pub fn alone(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            voter: 1,
            members: vec![MemberSettings { id: 1, address: String::new() }],
            ready_within_secs: 30,
            node_ttl_secs: 0,
        }
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        self.members.iter().map(|m| Peer { id: m.id, address: m.address.clone() }).collect()
    }

    /// `None` when nobody's life is to be watched.
    pub(crate) fn node_ttl(&self) -> Option<Duration> {
        (self.node_ttl_secs > 0).then(|| Duration::from_secs(self.node_ttl_secs))
    }

    pub(crate) fn ready_within(&self) -> Duration {
        Duration::from_secs(self.ready_within_secs.clamp(1, 600))
    }
}
