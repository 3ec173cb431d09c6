//! Handing a conversation on: to a queue, an agent, or whoever has some skills, and
//! what comes with it to the one who takes it.

use super::command::{Reject, TransferTarget};
use super::event::{Body, QueuedReason, ReleasedReason};
use super::limits::{MAX_GUESTS, MAX_HANDOVER_BYTES, MAX_TRANSFER_SKILLS};
use super::state::{Conversation, Phase};
use crate::party::{Participant, Principal};
use crate::skill::Skills;
use std::sync::Arc;

impl Conversation {
    pub(super) fn transfer(
        &self,
        target: &TransferTarget,
        note: &Arc<str>,
        warm: bool,
    ) -> Result<Vec<Body>, Reject> {
        let agent = match &self.phase {
            Phase::Assigned { agent, .. } => agent,
            // Authorised all the same: the repetition of one that was carried out.
            Phase::Waiting | Phase::Offered(_) => return Ok(vec![]),
            Phase::Closed { .. } => return Err(Reject::State("the conversation is closed")),
        };
        if note.len() > MAX_HANDOVER_BYTES {
            return Err(Reject::Invalid("the hand-over note is too long"));
        }
        let here = || self.queue.clone();
        let (to_queue, to_agent, to_skills) = match target {
            TransferTarget::Queue(queue) => (queue.clone(), None, Skills::default()),
            TransferTarget::Agent(to) if to.id == agent.id => {
                return Err(Reject::Invalid("the agent has the conversation already"));
            }
            TransferTarget::Agent(to) if to.agent_id().is_none() => {
                return Err(Reject::Invalid("the target is not an agent"));
            }
            TransferTarget::Agent(to) => (here(), Some(to.clone()), Skills::default()),
            TransferTarget::Skill(skills) if skills.is_empty() => {
                return Err(Reject::Invalid("no skill is asked for"));
            }
            TransferTarget::Skill(skills) if skills.len() > MAX_TRANSFER_SKILLS => {
                return Err(Reject::Invalid("more than 8 skills are asked for"));
            }
            TransferTarget::Skill(skills) => (here(), None, skills.clone()),
        };
        let note = note.clone();
        Ok(vec![
            Body::Transferred { to_queue: to_queue.clone(), to_agent, note, to_skills, warm },
            Body::Released { agent: agent.clone(), reason: ReleasedReason::Transferred },
            Body::Queued { queue: to_queue, reason: QueuedReason::Transferred },
        ])
    }

    /// Whether it waits just as this agent's transfer left it.
    pub(super) fn waits_as_handed_on(
        &self,
        who: &Principal,
        target: &TransferTarget,
        note: &str,
        warm: bool,
    ) -> bool {
        let waits = matches!(self.phase, Phase::Waiting | Phase::Offered(_));
        let was_theirs = self.last_agent.as_ref().is_some_and(|a| a.id == who.id);
        let there = match (target, self.target.as_deref(), self.asked_skills.as_deref()) {
            (TransferTarget::Queue(queue), None, None) => *queue == self.queue,
            (TransferTarget::Agent(to), Some((meant, _)), None) => to.id == meant.id,
            (TransferTarget::Skill(skills), None, Some(asked)) => skills == asked,
            _ => false,
        };
        let said = self.handover_note.as_deref().unwrap_or_default() == note;
        let stays = self.company().companion().is_some_and(|a| a.id == who.id);
        waits && was_theirs && there && said && stays == warm
    }

    /// Somebody takes it; who handed it on warmly joins, as far as there is room.
    pub(super) fn given_to(&self, agent: &Participant) -> Vec<Body> {
        let mut bodies = vec![Body::Assigned { agent: agent.clone() }];
        let company = self.company();
        let others = company.guests().iter().filter(|guest| guest.id != agent.id).count();
        let joins = |companion: &&Participant| {
            companion.id != agent.id && !company.is_guest(companion.id) && others < MAX_GUESTS
        };
        let companion = company.companion().filter(joins);
        bodies.extend(companion.map(|companion| Body::Joined { agent: companion.clone() }));
        bodies
    }
}
