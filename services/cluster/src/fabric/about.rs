//! What a process tells of itself to whoever looks after the cluster.

use frontdesk_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// See the module. Fields are only ever added; one that is absent is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Its name in the settings.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// Its clock.
    pub now: Timestamp,
    /// `host:port` at which it tells of its health; the host may be any of its own.
    pub health: Option<String>,
    /// Files and sockets it has open.
    pub open_files: Option<u64>,
    /// Files and sockets it may have open.
    pub max_files: Option<u64>,
    /// Connections it lets in; of a gateway.
    pub max_connections: Option<u64>,
    /// Bytes that are free for its data; of who keeps any.
    pub data_free_bytes: Option<u64>,
}
