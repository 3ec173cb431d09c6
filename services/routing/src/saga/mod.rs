//! The steps by which a conversation comes to an agent and leaves it again.
//!
//! Each saga runs alone for its conversation, may die between any two steps, and
//! reports what it found out. Room is released only for agents whom the
//! conversation, freshly read, does not name.

mod answer;
mod offer;
mod seize;
mod settle;
mod sites;

pub(crate) use offer::{OfferPlan, claim};

use crate::call;
use crate::service::Deps;
use crate::work::Held;
use frontdesk_core::conversation::{Command, Outcome, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::party::Origin;
use frontdesk_core::presence::AgentView;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Envelope, SiteConfig};
use sites::Sites;
use std::sync::Arc;

/// Reserved room outlives its offer by this, so that an answer in the last
/// moment still finds it.
const RESERVE_MARGIN: Millis = Millis::from_secs(10);
/// Before what could not be finished is looked at again.
const LOOK_AGAIN: Millis = Millis::from_secs(1);

/// What a saga has found out.
#[derive(Default)]
pub(crate) struct Report {
    /// The conversation as last read.
    pub(crate) latest: Option<Arc<Summary>>,
    /// There is no such conversation.
    pub(crate) gone: bool,
    /// Who holds room now, when the saga knows.
    pub(crate) held: Option<Option<Held>>,
    /// The agent, read again.
    pub(crate) agent: Option<Arc<AgentView>>,
    /// Something is left to do.
    pub(crate) look_again_in: Option<Millis>,
    /// Not to be matched again before this has passed.
    pub(crate) pause: Option<Millis>,
}

impl Report {
    fn unfinished() -> Self {
        Self { look_again_in: Some(LOOK_AGAIN), ..Self::default() }
    }
}

/// The hands of routing: shared by all sagas.
#[derive(Clone)]
pub(crate) struct Saga {
    deps: Deps,
    sites: Arc<Sites>,
}

impl Saga {
    pub(crate) fn new(deps: Deps) -> Self {
        let sites = Arc::new(Sites::new(deps.desk.clone()));
        Self { deps, sites }
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.deps
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.deps.clock)()
    }

    /// A site's configuration, or the last known while `desk` is away.
    pub(crate) async fn site(&self, site: &SiteId) -> Result<Arc<SiteConfig>, ApiError> {
        self.sites.get(site).await
    }

    async fn read(&self, conversation: ConversationId) -> Result<Arc<Summary>, ApiError> {
        let sessions = &self.deps.sessions;
        let read = || sessions.summary(conversation, None);
        call::step("sessions.summary", read).await.map(Arc::new)
    }

    async fn submit(
        &self,
        conversation: ConversationId,
        command: Command,
    ) -> Result<Outcome, ApiError> {
        let envelope = Envelope { conversation, origin: Origin::System, command };
        call::step("sessions.submit", || self.deps.sessions.submit(envelope.clone())).await
    }

    async fn confirm(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        let presence = &self.deps.presence;
        call::step("presence.confirm", || presence.confirm(site, agent, conversation)).await
    }

    async fn release(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        wrap_up: Millis,
    ) -> Result<(), ApiError> {
        let presence = &self.deps.presence;
        let release = || presence.release(site, agent, conversation, wrap_up);
        call::step("presence.release", release).await
    }

    /// Room whose offer came to nothing is free again at once; a report of it.
    async fn give_back(&self, summary: Arc<Summary>, held: Held) -> Report {
        let (site, conversation) = (&summary.site, summary.id);
        match self.release(site, held.agent, conversation, Millis::ZERO).await {
            Ok(()) => Report { latest: Some(summary), held: Some(None), ..Report::default() },
            Err(e) => {
                tracing::debug!(%conversation, error = %e, "room could not be released; looking again");
                Report { latest: Some(summary), held: Some(Some(held)), ..Report::unfinished() }
            }
        }
    }
}
