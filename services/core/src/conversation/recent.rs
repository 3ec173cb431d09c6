//! The last sender ids of a conversation, so that a retry is answered from
//! memory. The journal's unique index stands behind it for older ones.

use super::limits::RECENT_IDS;
use crate::ids::{ClientMsgId, Seq};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    sender: Uuid,
    id: ClientMsgId,
    seq: Seq,
    at: Timestamp,
}

/// Holds at most `RECENT_IDS` entries, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecentIds(VecDeque<Entry>);

impl RecentIds {
    pub(super) fn find(&self, sender: Uuid, id: &ClientMsgId) -> Option<(Seq, Timestamp)> {
        // Newest first: a retry is nearly always of the last message.
        self.0.iter().rev().find(|e| e.sender == sender && e.id == *id).map(|e| (e.seq, e.at))
    }

    pub(super) fn remember(&mut self, sender: Uuid, id: ClientMsgId, seq: Seq, at: Timestamp) {
        // A stored state may hold more, from when more were remembered.
        while self.0.len() >= RECENT_IDS {
            self.0.pop_front();
        }
        self.0.push_back(Entry { sender, id, seq, at });
    }
}
