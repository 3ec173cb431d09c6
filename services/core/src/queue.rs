//! The order in which conversations wait.

use crate::ids::{AgentId, ConversationId, Seq};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One conversation that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its head when this was known; an older one never replaces a newer.
    pub version: Seq,
    /// When it began to wait.
    pub waiting_since: Timestamp,
    /// Head start in minutes of waiting.
    pub priority_minutes: u32,
    /// Slots it will take.
    pub weight: u32,
    /// Agents not to be asked before the others were.
    pub excluded: Vec<AgentId>,
    /// Agent it is meant for, and until when only for that one.
    pub target: Option<(AgentId, Timestamp)>,
    /// Agent who had it before.
    pub previous: Option<AgentId>,
}
