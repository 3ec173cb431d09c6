//! What a process must know to be part of a cluster; the same file serves all of
//! them, and flags say which one this is.

use frontdesk_cluster::tls::TlsFiles;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A founder of the presence group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoterSettings {
    /// Its id, never used again for another; below 1,000.
    pub(crate) id: u64,
    /// Name of its process.
    pub(crate) name: String,
    /// `host:port` of its internal listener.
    pub(crate) address: String,
}

/// The `[cluster]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClusterSection {
    /// This process's name, its own in the cluster: `[a-z0-9-]`, at most 51 bytes.
    pub(crate) name: String,
    /// Where the other processes reach it.
    pub(crate) listen: SocketAddr,
    /// `host:port` to tell them when that is another one.
    pub(crate) advertise: String,
    /// Plain HTTP for `/livez`, `/readyz` and `/metrics`; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health_listen: Option<SocketAddr>,
    /// The founders of the presence group: 1, 3 or 5.
    pub(crate) voters: Vec<VoterSettings>,
    /// How long a stop waits for the others to take over this process's shards.
    pub(crate) drain_seconds: u64,
    /// Seconds without a heartbeat after which a process counts as dead.
    pub(crate) node_ttl_seconds: u64,
    /// Certificates between processes; without them anybody who reaches the
    /// internal port gets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsFiles>,
}

impl Default for ClusterSection {
    fn default() -> Self {
        Self {
            name: String::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7100)),
            advertise: String::new(),
            health_listen: None,
            voters: Vec::new(),
            drain_seconds: 15,
            node_ttl_seconds: 3,
            tls: None,
        }
    }
}

impl ClusterSection {
    /// Where the others reach it, given where it really listens.
    pub(crate) fn address(&self, listening: SocketAddr) -> Arc<str> {
        if self.advertise.is_empty() {
            Arc::from(listening.to_string())
        } else {
            Arc::from(self.advertise.as_str())
        }
    }

    /// The addresses of the founders.
    pub(crate) fn voter_addresses(&self) -> Vec<Arc<str>> {
        self.voters.iter().map(|voter| Arc::from(voter.address.as_str())).collect()
    }
}
