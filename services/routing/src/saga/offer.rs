//! Reserve room, then offer the conversation to the agent.

use super::{RESERVE_MARGIN, Report, Saga};
use crate::call;
use crate::metrics::{self, Offer};
use crate::work::Held;
use frontdesk_core::conversation::{Command, Phase, Summary};
use frontdesk_core::ids::{ConversationId, OfferId, QueueId, SiteId};
use frontdesk_core::matching::{Acceptance, Rules};
use frontdesk_core::party::Participant;
use frontdesk_core::presence::{AgentView, Claim};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, ReserveRequest};
use frontdesk_telemetry::traces::{self, Kind};
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

/// What was decided on old news and refused is not tried again before this has
/// passed, or it would be at once with the same news.
const AFTER_REFUSAL: Millis = Millis::from_secs(1);

/// A decision to carry out.
#[derive(Debug, Clone)]
pub(crate) struct OfferPlan {
    pub(crate) site: SiteId,
    pub(crate) conversation: ConversationId,
    /// Where it waits.
    pub(crate) queue: QueueId,
    /// What the room counts for.
    pub(crate) claim: Option<Claim>,
    /// Who accepts.
    pub(crate) acceptance: Acceptance,
    /// Whom to ask, and the slots.
    pub(crate) held: Held,
    /// As events name the agent.
    pub(crate) agent: Participant,
    /// How long the agent has to answer.
    pub(crate) timeout: Millis,
}

/// What an agent's room for a queue's conversation counts for; `None` when nothing of
/// the queue is counted.
pub(crate) fn claim(rules: &Rules, queue: &QueueId, agent: &AgentView) -> Option<Claim> {
    let claim = || Claim { queue: queue.clone(), max: rules.max_per_agent };
    rules.counts(queue, agent).then(claim)
}

/// An offer in traces, with all that is asked of others for it.
const SPAN: &str = "routing.offer";

impl Saga {
    /// An offer begins a trace of its own: between a start and its offer lie a queue and
    /// minutes, and the round of matching that ends the wait is many conversations' work.
    /// The conversation's id is in both.
    pub(crate) async fn make_offer(&self, plan: &OfferPlan) -> Report {
        let began = SystemTime::now();
        let span = traces::begin(SPAN, Kind::Internal, None);
        let report = match &span {
            None => self.offered(plan).await,
            Some(span) => traces::within(span.context(), self.offered(plan)).await,
        };
        let outcome = report.look_again_in.map_or(Ok(()), |_| Err("unfinished"));
        let span = match (span, outcome) {
            (None, Err(_)) => traces::begin_failed(SPAN, Kind::Internal, None),
            (span, _) => span,
        };
        if let Some(mut span) = span {
            span.began(began);
            span.set("conversation", plan.conversation.to_string());
            span.set("agent", plan.held.agent.to_string());
            span.finish(outcome);
        }
        report
    }

    async fn offered(&self, plan: &OfferPlan) -> Report {
        let expires_at = self.now() + plan.timeout;
        if let Err(e) = self.reserve(plan, expires_at + RESERVE_MARGIN).await {
            return self.not_reserved(plan, &e).await;
        }
        let offer = OfferId::from_uuid(Uuid::now_v7());
        let command = Command::Offer { offer, agent: plan.agent.clone(), expires_at };
        let submitted = self.submit(plan.conversation, command).await;
        let Ok(summary) = self.read(plan.conversation).await else {
            metrics::offer(Offer::Unknown);
            return Report { held: Some(Some(plan.held)), ..Report::unfinished() };
        };
        if is_open(&summary, offer) {
            metrics::offer(Offer::Made);
            if plan.acceptance == Acceptance::Auto {
                // Should this end in the middle, it is an offer like any other.
                return self.take(summary, plan.held.agent, offer).await.0;
            }
            let held = Some(Some(plan.held));
            return Report { latest: Some(summary), held, ..Report::default() };
        }
        let unknown = submitted.as_ref().is_err_and(ApiError::retryable);
        metrics::offer(if unknown { Offer::Unknown } else { Offer::Gone });
        if summary.holder() == Some(plan.held.agent) {
            // Answered already: the room is in use.
            let held = Some(Some(plan.held));
            return Report { latest: Some(summary), held, ..Report::default() };
        }
        let report = self.give_back(summary, plan.held).await;
        Report { pause: Some(AFTER_REFUSAL), ..report }
    }

    async fn reserve(&self, plan: &OfferPlan, until: Timestamp) -> Result<(), ApiError> {
        let request = ReserveRequest {
            site: plan.site.clone(),
            agent: plan.held.agent,
            conversation: plan.conversation,
            weight: plan.held.weight,
            expires_at: until,
            claim: plan.claim.clone(),
        };
        let presence = &self.deps.presence;
        call::step("presence.reserve", || presence.reserve(request.clone())).await
    }

    async fn not_reserved(&self, plan: &OfferPlan, e: &ApiError) -> Report {
        if e.retryable() {
            // It may have been reserved all the same.
            metrics::offer(Offer::Unknown);
            tracing::debug!(conversation = %plan.conversation, error = %e, "room could not be reserved");
            return Report { held: Some(Some(plan.held)), ..Report::unfinished() };
        }
        metrics::offer(Offer::NoRoom);
        let presence = &self.deps.presence;
        let read = || presence.agent(&plan.site, plan.held.agent);
        // When it cannot be read, the pause alone keeps from asking at once.
        let agent = call::step("presence.agent", read).await.ok().flatten();
        Report { agent: agent.map(Arc::new), pause: Some(AFTER_REFUSAL), ..Report::default() }
    }
}

fn is_open(summary: &Summary, offer: OfferId) -> bool {
    matches!(&summary.phase, Phase::Offered(open) if open.id == offer)
}
