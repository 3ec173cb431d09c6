//! Brings a conversation and the room held for it back into agreement, whatever
//! happened before.

use super::sites::queue_of;
use super::{Report, Saga, claim};
use crate::call;
use crate::metrics::{self, Offer};
use crate::work::Held;
use frontdesk_core::conversation::{Command, OfferOutcome, Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::presence::{AgentStatus, AgentView, Hold};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{ApiError, ReserveRequest};
use std::sync::Arc;

/// Time to confirm room that is taken again.
const TAKE_AGAIN: Millis = Millis::from_secs(10);

/// What looking after an agent has changed about its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tended {
    /// Nothing.
    Well,
    /// It is the agent's no longer.
    Changed,
    /// The agent has not answered the offer in time.
    Missed,
}

impl Saga {
    /// Ends what has expired, takes the conversation from an agent who has gone,
    /// takes room again for one who has it, and releases the room of every
    /// suspect whom the conversation does not name. May be repeated.
    pub(crate) async fn settle(
        &self,
        conversation: ConversationId,
        site: SiteId,
        suspects: Vec<AgentId>,
    ) -> Report {
        match self.try_settle(conversation, &site, suspects).await {
            Ok(report) => report,
            Err(e) => {
                tracing::debug!(%conversation, error = %e, "could not be settled; looking again");
                Report::unfinished()
            }
        }
    }

    async fn try_settle(
        &self,
        conversation: ConversationId,
        site: &SiteId,
        mut suspects: Vec<AgentId>,
    ) -> Result<Report, ApiError> {
        let mut summary = match self.read(conversation).await {
            Err(ApiError::NotFound(_)) => {
                for agent in suspects {
                    self.release(site, agent, conversation, Millis::ZERO).await?;
                }
                return Ok(Report { gone: true, held: Some(None), ..Report::default() });
            }
            read => read?,
        };
        let mut missed_by = None;
        if let Some(agent) = summary.holder() {
            suspects.push(agent);
            let tended = self.tend(&summary, agent).await?;
            if tended != Tended::Well {
                summary = self.read(conversation).await?;
            }
            missed_by = Some(agent).filter(|_| tended == Tended::Missed);
        }
        if self.see_off(&summary, &suspects).await? {
            summary = self.read(conversation).await?;
        }
        let wrap_up = self.wrap_up(&summary).await?;
        let holder = summary.holder();
        for agent in suspects.into_iter().filter(|agent| Some(*agent) != holder) {
            let away_after = match missed_by == Some(agent) {
                // Without the configuration the room is freed all the same.
                true => self.site(site).await.ok().and_then(|site| site.away_after_missed),
                false => None,
            };
            match away_after {
                Some(most) => self.miss(site, agent, conversation, most).await?,
                None => self.release(site, agent, conversation, wrap_up).await?,
            }
        }
        let held = holder.map(|agent| Held { agent, weight: 0 });
        Ok(Report { latest: Some(summary), held: Some(held), ..Report::default() })
    }

    /// Looks after the agent a conversation names.
    async fn tend(&self, summary: &Summary, agent: AgentId) -> Result<Tended, ApiError> {
        let (site, conversation) = (&summary.site, summary.id);
        let presence = &self.deps.presence;
        let view = call::step("presence.agent", || presence.agent(site, agent)).await?;
        let Some(view) = view.filter(|view| view.status != AgentStatus::Offline) else {
            self.take_away(summary, agent).await?;
            return Ok(Tended::Changed);
        };
        match &summary.phase {
            Phase::Offered(open) if self.now() >= open.expires_at => {
                metrics::offer(Offer::Expired);
                let (offer, outcome) = (open.id, OfferOutcome::Expired);
                let reason = Arc::from("");
                let command = Command::EndOffer { offer, outcome, reason };
                self.submit(conversation, command).await?;
                Ok(Tended::Missed)
            }
            Phase::Assigned { .. } if !has_room(&view, conversation) => {
                let is_back = self.hold_again(summary, &view).await?;
                Ok(if is_back { Tended::Changed } else { Tended::Well })
            }
            _ => Ok(Tended::Well),
        }
    }

    /// Guests among the suspects who have gone take part no longer. Whether that changed
    /// the conversation.
    async fn see_off(&self, summary: &Summary, suspects: &[AgentId]) -> Result<bool, ApiError> {
        let presence = &self.deps.presence;
        let mut changed = false;
        for agent in suspects {
            if summary.guests.iter().all(|guest| guest.agent_id() != Some(*agent)) {
                continue;
            }
            let read = || presence.agent(&summary.site, *agent);
            let view = call::step("presence.agent", read).await?;
            if view.is_none_or(|view| view.status == AgentStatus::Offline) {
                self.submit(summary.id, Command::AgentLost { agent: *agent }).await?;
                changed = true;
            }
        }
        Ok(changed)
    }

    async fn take_away(&self, summary: &Summary, agent: AgentId) -> Result<(), ApiError> {
        if matches!(summary.phase, Phase::Offered(_)) {
            metrics::offer(Offer::Withdrawn);
        }
        self.submit(summary.id, Command::AgentLost { agent }).await?;
        Ok(())
    }

    /// As `release`, for an offer that was not answered.
    async fn miss(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        away_after: u32,
    ) -> Result<(), ApiError> {
        let presence = &self.deps.presence;
        let miss = || presence.miss(site, agent, conversation, away_after);
        call::step("presence.miss", miss).await
    }

    /// An agent has a conversation without the room for it. When the room cannot
    /// be taken again because others fill it, the conversation goes back to the
    /// queue: nobody carries more than its capacity. An agent who is not online
    /// gets no room but keeps the conversation; it is tried again.
    async fn hold_again(&self, summary: &Summary, view: &AgentView) -> Result<bool, ApiError> {
        let (site, conversation) = (&summary.site, summary.id);
        match self.confirm(site, view.id, conversation).await {
            Err(ApiError::State(_) | ApiError::NotFound(_)) => {}
            done => return done.map(|()| false),
        }
        let config = self.site(site).await?;
        let queue = queue_of(&config, &summary.queue);
        let request = ReserveRequest {
            site: site.clone(),
            agent: view.id,
            conversation,
            weight: queue.map_or(1, |queue| queue.weight),
            expires_at: self.now() + TAKE_AGAIN,
            claim: queue.and_then(|queue| claim(&queue.rules, &queue.id, view)),
        };
        let presence = &self.deps.presence;
        match call::step("presence.reserve", || presence.reserve(request.clone())).await {
            Ok(()) => self.confirm(site, view.id, conversation).await.map(|()| false),
            Err(e) if e.retryable() => Err(e),
            Err(_) if view.status == AgentStatus::Online && !view.gateways.is_empty() => {
                tracing::warn!(%conversation, agent = %view.id, "no room left: back to the queue");
                self.take_away(summary, view.id).await.map(|()| true)
            }
            Err(_) => Ok(false),
        }
    }

    /// After a close the queue's wrap-up, which presence grants only to who had
    /// the conversation; otherwise none.
    async fn wrap_up(&self, summary: &Summary) -> Result<Millis, ApiError> {
        if !matches!(summary.phase, Phase::Closed { .. }) {
            return Ok(Millis::ZERO);
        }
        let config = self.site(&summary.site).await?;
        Ok(queue_of(&config, &summary.queue).map_or(Millis::ZERO, |queue| queue.wrap_up))
    }
}

fn has_room(view: &AgentView, conversation: ConversationId) -> bool {
    let active = |hold: &Hold| matches!(hold, Hold::Active);
    view.reservations.iter().any(|r| r.conversation == conversation && active(&r.hold))
}
