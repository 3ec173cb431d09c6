//! A supervisor takes a conversation over: the room first, then the conversation, then
//! the room of whoever had it.

use super::answer::{Answered, reading};
use super::sites::queue_of;
use super::{Report, Saga};
use crate::call;
use crate::metrics;
use crate::work::Held;
use frontdesk_core::conversation::{Command, Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId};
use frontdesk_core::party::{Participant, Principal, Role};
use frontdesk_core::presence::Claim;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{ApiError, ReserveRequest};
use std::sync::Arc;

/// Time to confirm the room that is taken.
const CONFIRM_WITHIN: Millis = Millis::from_secs(10);

impl Saga {
    /// The room is confirmed before the conversation changes hands, or the supervisor
    /// could be given more than it can carry. May be repeated.
    pub(crate) async fn take_over(
        &self,
        who: &Principal,
        conversation: ConversationId,
    ) -> Answered {
        let (summary, agent) = match self.may_take(who, conversation).await {
            Ok(found) => found,
            Err(e) => return (Report::default(), Err(e)),
        };
        if has(&summary, agent) {
            return (reading(summary), Ok(()));
        }
        if let Err(e) = self.make_room(&summary, agent).await {
            // It may have been taken all the same: given back when nobody needs it.
            let report = self.settle(conversation, summary.site.clone(), vec![agent]).await;
            return (report, Err(e));
        }
        self.seize(summary, agent, who.participant()).await
    }

    async fn may_take(
        &self,
        who: &Principal,
        conversation: ConversationId,
    ) -> Result<(Arc<Summary>, AgentId), ApiError> {
        let agent = who.agent_id().filter(|_| who.role == Role::Supervisor);
        let agent =
            agent.ok_or_else(|| ApiError::Forbidden("only a supervisor may do this".into()))?;
        let summary = self.read(conversation).await?;
        if summary.site != who.site {
            return Err(ApiError::NotFound("conversation".into()));
        }
        if matches!(summary.phase, Phase::Closed { .. }) {
            return Err(ApiError::State("the conversation is closed".into()));
        }
        Ok((summary, agent))
    }

    async fn make_room(&self, summary: &Summary, agent: AgentId) -> Result<(), ApiError> {
        let config = self.site(&summary.site).await?;
        let queue = queue_of(&config, &summary.queue);
        // Counted like any other of its queue, but no cap keeps a supervisor out.
        let is_counted = queue.is_some_and(|queue| {
            queue.rules.max_per_agent.is_some() || queue.rules.max_active.is_some()
        });
        let claim = is_counted.then(|| Claim { queue: summary.queue.clone(), max: None });
        let request = ReserveRequest {
            site: summary.site.clone(),
            agent,
            conversation: summary.id,
            weight: queue.map_or(1, |queue| queue.weight),
            expires_at: self.now() + CONFIRM_WITHIN,
            claim,
        };
        let presence = &self.deps.presence;
        call::step("presence.reserve", || presence.reserve(request.clone())).await?;
        self.confirm(&summary.site, agent, summary.id).await
    }

    async fn seize(
        &self,
        before: Arc<Summary>,
        agent: AgentId,
        supervisor: Participant,
    ) -> Answered {
        let (site, conversation) = (before.site.clone(), before.id);
        let submitted = self.submit(conversation, Command::TakeOver { supervisor }).await;
        let answer = submitted.map(|_| ());
        // Who was asked may be the supervisor.
        let former = before.holder().filter(|former| *former != agent);
        let mut suspects: Vec<AgentId> = former.into_iter().chain([agent]).collect();
        let Ok(summary) = self.read(conversation).await else {
            let held = Some(Some(Held { agent, weight: 0 }));
            return (Report { held, ..Report::unfinished() }, answer);
        };
        if !has(&summary, agent) {
            return (self.settle(conversation, site, suspects).await, answer);
        }
        metrics::taken_over();
        if let Some(former) = former {
            match self.wrap_up_of(&before, former).await {
                // Settled: another release would end the wrap-up.
                Ok(()) => suspects = vec![agent],
                Err(e) => {
                    tracing::debug!(%conversation, error = %e, "room could not be released");
                }
            }
        }
        (self.settle(conversation, site, suspects).await, Ok(()))
    }

    /// Whoever had it has the queue's wrap-up, as after a close; who was only asked is
    /// free at once.
    async fn wrap_up_of(&self, before: &Summary, former: AgentId) -> Result<(), ApiError> {
        let config = self.site(&before.site).await?;
        let wrap_up = queue_of(&config, &before.queue).map_or(Millis::ZERO, |queue| queue.wrap_up);
        let was_theirs = matches!(before.phase, Phase::Assigned { .. });
        let wrap_up = if was_theirs { wrap_up } else { Millis::ZERO };
        self.release(&before.site, former, before.id, wrap_up).await
    }
}

fn has(summary: &Summary, agent: AgentId) -> bool {
    matches!(&summary.phase, Phase::Assigned { agent: has, .. } if has.agent_id() == Some(agent))
}
