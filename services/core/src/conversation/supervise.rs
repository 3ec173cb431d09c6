//! What a supervisor does to a conversation of others. That the supervisor has room for
//! what it takes over is routing's to know.

use super::check::check_text;
use super::command::Reject;
use super::decide::ended;
use super::event::{Body, OfferOutcome, QueuedReason, ReleasedReason};
use super::limits::MAX_EXTRA_MINUTES;
use super::state::{Conversation, Phase};
use crate::ids::{AgentId, ClientMsgId};
use crate::party::Participant;
use std::sync::Arc;

impl Conversation {
    pub(super) fn whisper(&self, id: &ClientMsgId, text: &Arc<str>) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        check_text(text, &[])?;
        Ok(vec![Body::Whisper { client_msg_id: id.clone(), text: text.clone() }])
    }

    pub(super) fn take_over(&self, supervisor: &Participant) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        if supervisor.agent_id().is_none() {
            return Err(Reject::Invalid("only a supervisor takes over"));
        }
        let mut bodies = match &self.phase {
            Phase::Assigned { agent, .. } if agent.id == supervisor.id => return Ok(vec![]),
            Phase::Assigned { agent, .. } => {
                vec![Body::Released { agent: agent.clone(), reason: ReleasedReason::TakenOver }]
            }
            Phase::Offered(offer) => vec![ended(offer, OfferOutcome::Withdrawn, "")],
            Phase::Waiting | Phase::Closed { .. } => vec![],
        };
        bodies.extend(self.given_to(supervisor));
        Ok(bodies)
    }

    /// Only what somebody has is put back: what waits is where it should be.
    pub(super) fn force_release(&self, from: Option<AgentId>) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        let Phase::Assigned { agent, .. } = &self.phase else { return Ok(vec![]) };
        if from.is_some_and(|from| agent.agent_id() != Some(from)) {
            return Ok(vec![]);
        }
        Ok(vec![
            Body::Released { agent: agent.clone(), reason: ReleasedReason::Forced },
            Body::Queued { queue: self.queue.clone(), reason: QueuedReason::Released },
        ])
    }

    pub(super) fn set_priority(&self, minutes: i32) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        if !(-MAX_EXTRA_MINUTES..=MAX_EXTRA_MINUTES).contains(&minutes) {
            return Err(Reject::Invalid("extra minutes are not within -1440 to 1440"));
        }
        let same = minutes == self.extra_minutes;
        Ok(if same { vec![] } else { vec![Body::PriorityChanged { minutes }] })
    }
}
