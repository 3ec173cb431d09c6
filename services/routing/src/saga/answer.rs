//! The agent's answer to an offer.

use super::{Report, Saga};
use crate::metrics::{self, Offer as OfferMetric};
use crate::work::Held;
use frontdesk_core::conversation::{
    Command, MAX_REASON_BYTES, Offer, OfferOutcome, Phase, Summary,
};
use frontdesk_core::ids::{AgentId, ConversationId, OfferId};
use frontdesk_core::party::{Principal, Role};
use frontdesk_proto::api::ApiError;
use std::sync::Arc;

/// What a saga found out, and what the agent is told.
pub(crate) type Answered = (Report, Result<(), ApiError>);

/// Where the agent stands with an offer it answers.
enum Standing {
    Open(Offer),
    /// The agent has the conversation.
    Accepted,
    /// The agent was asked, and refused or was too late.
    Refused,
}

impl Saga {
    /// Confirms the room, then assigns; the other way round an agent could be
    /// given more than it can carry.
    pub(crate) async fn accept(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
    ) -> Answered {
        let (summary, agent, standing) = match self.look(who, conversation, offer).await {
            Ok(found) => found,
            Err(e) => return (Report::default(), Err(e)),
        };
        let open = match standing {
            Standing::Accepted => return (reading(summary), Ok(())),
            Standing::Refused => return (reading(summary), Err(offer_gone())),
            Standing::Open(open) => open,
        };
        if self.now() >= open.expires_at {
            return (reading(summary), Err(offer_gone()));
        }
        self.take(summary, agent, offer).await
    }

    /// Confirms the room for an open offer, then assigns.
    pub(super) async fn take(
        &self,
        summary: Arc<Summary>,
        agent: AgentId,
        offer: OfferId,
    ) -> Answered {
        match self.confirm(&summary.site, agent, summary.id).await {
            Ok(()) => self.assign(summary, agent, offer).await,
            Err(e) if e.retryable() => (Report::unfinished(), Err(e)),
            Err(_) => self.withdraw(summary, agent, offer).await,
        }
    }

    async fn assign(&self, before: Arc<Summary>, agent: AgentId, offer: OfferId) -> Answered {
        let conversation = before.id;
        let submitted = self.submit(conversation, Command::Accept { offer, agent }).await;
        let held = Held { agent, weight: 0 };
        let Ok(summary) = self.read(conversation).await else {
            let report = Report { held: Some(Some(held)), ..Report::unfinished() };
            return (report, submitted.map(|_| ()));
        };
        match &summary.phase {
            Phase::Assigned { agent: has, since } if has.agent_id() == Some(agent) => {
                metrics::offer(OfferMetric::Accepted);
                metrics::matched(since.since(summary.waiting_since));
                (Report { held: Some(Some(held)), ..reading(summary) }, Ok(()))
            }
            // Still open: it can be accepted again until it expires.
            Phase::Offered(open) if open.id == offer => {
                let answer = submitted.map(|_| ());
                (Report { held: Some(Some(held)), ..reading(summary) }, answer)
            }
            // Assigned and already over, or gone before it could be assigned.
            _ => {
                let answer = submitted.map(|_| ());
                (self.settle(conversation, before.site.clone(), vec![agent]).await, answer)
            }
        }
    }

    /// The room is lost and there is none to take again.
    async fn withdraw(&self, before: Arc<Summary>, agent: AgentId, offer: OfferId) -> Answered {
        let ended = self.end(&before, agent, offer, OfferOutcome::Withdrawn, "").await;
        let report = ended.unwrap_or_else(|_| Report::unfinished());
        metrics::offer(OfferMetric::NoRoom);
        (report, Err(ApiError::State("there is no room for another conversation".into())))
    }

    /// The conversation waits again at its old place.
    pub(crate) async fn decline(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
        reason: &str,
    ) -> Answered {
        if reason.len() > MAX_REASON_BYTES {
            let e = ApiError::Invalid("the reason is longer than 200 bytes".into());
            return (Report::default(), Err(e));
        }
        let (summary, agent, standing) = match self.look(who, conversation, offer).await {
            Ok(found) => found,
            Err(e) => return (Report::default(), Err(e)),
        };
        match standing {
            Standing::Refused => (reading(summary), Ok(())),
            Standing::Accepted => {
                let e = ApiError::State("the conversation has been accepted".into());
                (reading(summary), Err(e))
            }
            Standing::Open(_) => {
                metrics::offer(OfferMetric::Declined);
                match self.end(&summary, agent, offer, OfferOutcome::Declined, reason).await {
                    Ok(report) => (report, Ok(())),
                    Err(e) => (Report::unfinished(), Err(e)),
                }
            }
        }
    }

    /// Ends an offer, then frees the room if the conversation does not name the
    /// agent any more.
    pub(super) async fn end(
        &self,
        before: &Summary,
        agent: AgentId,
        offer: OfferId,
        outcome: OfferOutcome,
        reason: &str,
    ) -> Result<Report, ApiError> {
        let command = Command::EndOffer { offer, outcome, reason: reason.into() };
        self.submit(before.id, command).await?;
        let summary = self.read(before.id).await?;
        let held = Held { agent, weight: 0 };
        if summary.holder() == Some(agent) {
            return Ok(Report { held: Some(Some(held)), ..reading(summary) });
        }
        Ok(self.give_back(summary, held).await)
    }

    /// The conversation and where the caller stands with the offer.
    async fn look(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
    ) -> Result<(Arc<Summary>, AgentId, Standing), ApiError> {
        let agent = who
            .agent_id()
            .ok_or_else(|| ApiError::Forbidden("only an agent answers offers".into()))?;
        let summary = self.read(conversation).await?;
        if summary.site != who.site {
            return Err(ApiError::NotFound("conversation".into()));
        }
        let standing = match &summary.phase {
            Phase::Offered(open) if open.id == offer && open.agent.id == who.id => {
                Standing::Open(open.clone())
            }
            Phase::Assigned { agent: has, .. } if has.id == who.id => Standing::Accepted,
            _ if summary.excluded.contains(&agent) => Standing::Refused,
            _ if may_know(&summary, who) => return Err(offer_gone()),
            _ => return Err(ApiError::NotFound("conversation".into())),
        };
        Ok((summary, agent, standing))
    }
}

pub(super) fn reading(summary: Arc<Summary>) -> Report {
    Report { latest: Some(summary), ..Report::default() }
}

fn may_know(summary: &Summary, who: &Principal) -> bool {
    let had_it = summary.last_agent.as_ref().is_some_and(|agent| agent.id == who.id);
    let is_named = summary.phase.holder().is_some_and(|agent| agent.id == who.id);
    who.role == Role::Supervisor || had_it || is_named
}

fn offer_gone() -> ApiError {
    ApiError::State("the offer is gone".into())
}
