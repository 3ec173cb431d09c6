//! The caller's site and the agents of it, as verbs that name them need them.

use crate::connection::Client;
use crate::shared::{CALL_DEADLINE, within};
use frontdesk_core::ids::AgentId;
use frontdesk_core::party::{Participant, Party, Role};
use frontdesk_core::presence::{AgentStatus, AgentView};
use frontdesk_proto::api::{ApiError, SiteConfig};
use frontdesk_proto::v1::{ServerFrame, server_frame::Frame};
use frontdesk_telemetry::tasks;
use prost::Message as _;
use std::sync::Arc;

pub(super) async fn own_site(client: &Client) -> Result<Arc<SiteConfig>, ApiError> {
    let asked = client.shared.deps.desk.site(&client.who().site);
    within(CALL_DEADLINE, "desk", asked).await?.ok_or_else(|| ApiError::NotFound("site".into()))
}

/// An agent of the caller's site, as events name it.
pub(super) async fn named(client: &Client, agent: AgentId) -> Result<Participant, ApiError> {
    let asked = client.shared.deps.desk.agent(&client.who().site, agent);
    let account = within(CALL_DEADLINE, "desk", asked)
        .await?
        .filter(|account| !account.disabled)
        .ok_or_else(|| ApiError::NotFound(format!("agent {agent}")))?;
    let mut named = Participant::agent(agent, account.profile.name.clone());
    if account.role == Role::Supervisor {
        named.party = Party::Supervisor;
    }
    Ok(named)
}

/// The same, when the agent is there.
pub(super) async fn present(client: &Client, agent: AgentId) -> Result<Participant, ApiError> {
    let named = named(client, agent).await?;
    let asked = client.shared.deps.presence.agent(&client.who().site, agent);
    let view = within(CALL_DEADLINE, "presence", asked).await?;
    if view.is_none_or(|view| view.status == AgentStatus::Offline) {
        return Err(ApiError::State("that agent is offline".into()));
    }
    Ok(named)
}

/// The agents of the caller's site that are not offline.
pub(super) async fn all_present(client: &Client) -> Result<Vec<Arc<AgentView>>, ApiError> {
    let asked = client.shared.deps.presence.agents(Some(&client.who().site));
    let mut agents = within(CALL_DEADLINE, "presence", asked).await?;
    agents.retain(|agent| agent.status != AgentStatus::Offline);
    Ok(agents)
}

/// Tells all connections of an agent, wherever they are, as far as that succeeds. Who
/// asked for it does not wait; the task ends with the answer or its deadline.
pub(super) fn tell(client: &Client, agent: AgentId, frame: Frame) {
    let frame = ServerFrame { id: 0, frame: Some(frame) }.encode_to_vec();
    let (shared, site) = (client.shared.clone(), client.who().site.clone());
    tasks::spawn_tracked(&client.shared.tasks, "gateway.colleagues", async move {
        let told = shared.deps.routing.tell(&site, agent, frame);
        if let Err(error) = within(CALL_DEADLINE, "routing", told).await {
            tracing::debug!(%agent, %error, "an agent could not be told");
        }
    });
}
