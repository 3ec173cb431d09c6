//! What a queue allows one agent at once. A reservation says which queue it counts for
//! only where there is something to count: a cluster in which nobody has set a cap
//! writes nothing that earlier versions would not heed.

use crate::ids::QueueId;
use serde::{Deserialize, Serialize};

/// The queue that room is taken for, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The queue.
    pub queue: QueueId,
    /// Most of its conversations that an agent may have at once, wrap-up included; the
    /// agent's own cap counts, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}
