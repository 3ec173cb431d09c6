//! What becomes of a conversation that its queue does not serve, and how its visitor may
//! be reached afterwards. Never ends one that somebody has or is being asked to take.

use super::check::check_contact;
use super::command::{Instead, Reject};
use super::event::{Body, ClosedReason, Contact, Event, QueuedReason, Unserved};
use super::state::{Conversation, Phase};
use crate::ids::QueueId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How a conversation came to the queue it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: QueuedReason,
}

/// Whether the visitor can be reached when it is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// It may leave word.
    Asked,
    /// It has.
    Left,
}

impl Conversation {
    pub(super) fn unserved(
        &self,
        queue: &QueueId,
        why: Unserved,
        instead: &Instead,
        opens_at: Option<Timestamp>,
    ) -> Vec<Body> {
        let asked = Body::ContactAsked { why, opens_at };
        if self.phase != Phase::Waiting || self.queue != *queue {
            return vec![];
        }
        match instead {
            Instead::Queue(to) if to == queue => vec![],
            Instead::Queue(to) => {
                vec![Body::Queued { queue: to.clone(), reason: QueuedReason::Unserved(why) }]
            }
            Instead::Form => vec![asked, Body::Closed { reason: ClosedReason::Unserved(why) }],
            Instead::Callback if self.reachable == Reachable::Unknown => vec![asked],
            Instead::Callback => vec![],
        }
    }

    pub(super) fn leave_contact(&self, contact: &Contact) -> Result<Vec<Body>, Reject> {
        let ended_unserved = self.is_closed() && self.reachable == Reachable::Asked;
        if self.contact.as_deref() == Some(contact) && !ended_unserved {
            return Ok(vec![]);
        }
        match self.phase {
            Phase::Waiting | Phase::Offered(_) => {}
            Phase::Closed { .. } if ended_unserved => {}
            Phase::Assigned { .. } | Phase::Closed { .. } => {
                return Err(Reject::State("nobody asked for it: the conversation does not wait"));
            }
        }
        check_contact(contact)?;
        let mut bodies = vec![Body::ContactLeft(contact.clone())];
        if ended_unserved {
            let queue = self.queue.clone();
            bodies.push(Body::Queued { queue, reason: QueuedReason::ContactLeft });
        }
        Ok(bodies)
    }

    /// How the visitor may be reached after an event.
    pub(super) fn note_reachable(&mut self, event: &Event) {
        match &event.body {
            Body::ContactAsked { .. } => self.reachable = Reachable::Asked,
            Body::ContactLeft(contact) => {
                self.reachable = Reachable::Left;
                self.contact = Some(Box::new(contact.clone()));
            }
            Body::Assigned { .. } | Body::Reopened if self.reachable == Reachable::Asked => {
                self.reachable = Reachable::Unknown;
            }
            _ => {}
        }
    }
}
