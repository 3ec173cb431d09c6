//! An open connection as its requests see it, and what has to be undone when it
//! ends, however it ends.

use crate::audit::Noted;
use crate::following;
use crate::peer::Peer;
use crate::registry::Reader;
use crate::shared::{CALL_DEADLINE, PersonGuard, Shared, within};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId};
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::presence::{AgentProfile, AgentView};
use frontdesk_proto::api::{AgentConnect, ApiError};
use frontdesk_proto::convert::{millis_to_proto, offer_push, summary_to_state, timestamp_to_proto};
use frontdesk_proto::v1;
use frontdesk_telemetry::tasks;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The caller of requests. Dropping the last reference signs the connection off
/// everywhere.
pub(crate) struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) reader: Arc<Reader>,
    /// Where it is.
    pub(crate) peer: Peer,
    /// What it looked at as a supervisor.
    pub(crate) noted: Noted,
    /// What `desk` says of the agent; `None` for a visitor.
    profile: Option<AgentProfile>,
    /// Attributes of the visitor that the token vouches for.
    pub(crate) signed: BTreeMap<String, String>,
    _person: PersonGuard,
}

impl Client {
    pub(crate) fn new(
        shared: Arc<Shared>,
        reader: Arc<Reader>,
        peer: Peer,
        profile: Option<AgentProfile>,
        signed: BTreeMap<String, String>,
        person: PersonGuard,
    ) -> Arc<Self> {
        if let Some(profile) = &profile {
            shared.registry.agents.add(&reader, profile);
        }
        let noted = Noted::default();
        Arc::new(Self { shared, reader, peer, noted, profile, signed, _person: person })
    }

    /// Who it is.
    pub(crate) fn who(&self) -> &Principal {
        &self.reader.who
    }

    /// The visitor, or why not.
    pub(crate) fn visitor(&self) -> Result<&Principal, ApiError> {
        match self.who().role {
            Role::Visitor => Ok(self.who()),
            _ => Err(ApiError::Forbidden("only a visitor may do this".into())),
        }
    }

    /// The agent or supervisor, or why not.
    pub(crate) fn agent(&self) -> Result<AgentId, ApiError> {
        self.who().agent_id().ok_or_else(|| ApiError::Forbidden("only an agent may do this".into()))
    }

    /// The supervisor, or why not.
    pub(crate) fn supervisor(&self) -> Result<AgentId, ApiError> {
        let supervisor = self.who().agent_id().filter(|_| self.who().role == Role::Supervisor);
        supervisor.ok_or_else(|| ApiError::Forbidden("only a supervisor may do this".into()))
    }

    /// Tells presence that the agent is here; `None` for a visitor.
    pub(crate) async fn connect(&self) -> Result<Option<AgentView>, ApiError> {
        let (Some(agent), Some(profile)) = (self.who().agent_id(), &self.profile) else {
            return Ok(None);
        };
        let request = AgentConnect {
            site: self.who().site.clone(),
            agent,
            profile: profile.clone(),
            gateway: self.shared.deps.node_id.clone(),
            connection: self.reader.connection,
        };
        within(CALL_DEADLINE, "presence", self.shared.deps.presence.connect(request))
            .await
            .map(Some)
    }

    /// A conversation as this client may see it, with its place in the queue or
    /// its offer.
    pub(crate) async fn state(&self, summary: &Summary) -> v1::ConversationState {
        let mut state = summary_to_state(summary, self.reader.audience());
        if let Phase::Offered(offer) = &summary.phase
            && self.who().agent_id().is_some_and(|a| a.as_uuid() == offer.agent.id)
        {
            state.offer = Some(offer_push(summary, offer));
        }
        if matches!(summary.phase, Phase::Waiting | Phase::Offered(_)) {
            state.queue_position = self.queue_position(summary).await;
        }
        state
    }

    /// Absent also when `queueing` is away: it is only a hint.
    async fn queue_position(&self, summary: &Summary) -> Option<v1::QueuePush> {
        let asked = self.shared.deps.queueing.position(&summary.site, summary.id);
        let position = within(CALL_DEADLINE, "queueing", asked).await.ok()??;
        Some(v1::QueuePush {
            conversation_id: summary.id.to_string(),
            position: position.position,
            estimated_wait: position.estimated_wait.map(millis_to_proto),
            agents_online: position.agents_online,
            opens_at: position.opens_at.map(timestamp_to_proto),
            estimated_wait_upper: position.estimated_wait_upper.map(millis_to_proto),
        })
    }

    /// The conversation as its owner has it now.
    pub(crate) async fn summary(&self, id: ConversationId) -> Result<Summary, ApiError> {
        let asked = self.shared.deps.sessions.summary(id, Some(self.who()));
        within(CALL_DEADLINE, "sessions", asked).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        for id in self.shared.registry.leave_all(&self.reader) {
            following::detach(&self.shared, id);
        }
        self.shared.registry.agents.remove(&self.reader);
        self.shared.boards.leave(&self.reader);
        let Some(agent) = self.reader.who.agent_id() else {
            return;
        };
        let (shared, reader) = (self.shared.clone(), self.reader.clone());
        // Ends with presence's answer or its deadline; a lost farewell is made
        // good by the gateway's lease.
        tasks::spawn_tracked(&self.shared.tasks, "gateway.farewell", async move {
            let presence = &shared.deps.presence;
            let site = &reader.who.site;
            let leaving = presence.disconnect(site, agent, &shared.deps.node_id, reader.connection);
            if let Err(error) = within(CALL_DEADLINE, "presence", leaving).await {
                tracing::warn!(%agent, %error, "could not sign an agent's connection off");
            }
        });
    }
}
