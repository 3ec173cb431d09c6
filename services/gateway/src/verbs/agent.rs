//! What only agents and supervisors may do.

use super::{Answer, Handling, Prepared, colleagues, common, supervisor};
use crate::connection::Client;
use crate::shared::{CALL_DEADLINE, COMMAND_DEADLINE, within};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{Command, MAX_REASON_BYTES};
use frontdesk_core::ids::{ConversationId, OfferId};
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::{agent_status_from_proto, agent_view_to_proto};
use frontdesk_proto::v1::{self, server_frame::Frame};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a status's reason.
const MAX_STATUS_REASON_BYTES: usize = 100;

/// Sets the agent's status.
pub(super) fn set_status(client: &Arc<Client>, r: v1::SetStatus) -> Result<Handling, ApiError> {
    let agent = client.agent()?;
    let status = agent_status_from_proto(r.status())
        .ok_or_else(|| ApiError::Invalid("status is absent or not known".into()))?;
    if r.reason.len() > MAX_STATUS_REASON_BYTES {
        return Err(ApiError::Invalid("reason is at most 100 bytes".into()));
    }
    let client = client.clone();
    // Two changes in a row must take effect in their order.
    Ok(Handling::Ordered(Box::pin(async move {
        let site = &client.who().site;
        let set = client.shared.deps.presence.set_status(site, agent, status, &r.reason);
        let view = within(CALL_DEADLINE, "presence", set).await;
        Prepared::answer(view.map(|v| Some(Frame::AgentState(agent_view_to_proto(&v)))))
    })))
}

/// Takes an offered conversation and follows it from its beginning.
pub(super) fn accept(client: &Arc<Client>, r: &v1::AcceptOffer) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let offer: OfferId = r.offer_id.parse()?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(
        async move { Prepared::answer(accepted(&client, id, offer).await) },
    )))
}

async fn accepted(client: &Arc<Client>, id: ConversationId, offer: OfferId) -> Answer {
    let accept = client.shared.deps.routing.accept(client.who(), id, offer);
    within(COMMAND_DEADLINE, "routing", accept).await?;
    // The notice of the assignment may have been quicker and have subscribed us.
    common::follow_or_show(client, id).await
}

/// Refuses an offer.
pub(super) fn decline(client: &Arc<Client>, r: v1::DeclineOffer) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let offer: OfferId = r.offer_id.parse()?;
    if r.reason.len() > MAX_REASON_BYTES {
        return Err(ApiError::Invalid("reason is at most 200 bytes".into()));
    }
    let client = client.clone();
    Ok(Handling::Concurrent(Box::pin(async move {
        let decline = client.shared.deps.routing.decline(client.who(), id, offer, &r.reason);
        within(COMMAND_DEADLINE, "routing", decline).await?;
        Ok(Some(Frame::Done(v1::Done {})))
    })))
}

/// Replaces the tags.
pub(super) fn tags(client: &Arc<Client>, r: v1::SetTags) -> Result<Handling, ApiError> {
    client.agent()?;
    let tags = r.tags.into_iter().map(Into::into).collect();
    let command = Command::SetTags { tags };
    if client.supervisor().is_err() {
        return super::command(client, &r.conversation_id, command);
    }
    let id: ConversationId = r.conversation_id.parse()?;
    Ok(supervisor::change(client.clone(), id, Act::SET_TAGS, json!({}), command))
}

/// Who a conversation could be handed to.
pub(super) fn team(client: &Arc<Client>) -> Result<Handling, ApiError> {
    client.agent()?;
    let client = client.clone();
    Ok(Handling::Concurrent(Box::pin(async move {
        let agents = colleagues::all_present(&client).await?;
        let site = colleagues::own_site(&client).await?;
        let others = agents.iter().filter(|agent| agent.id.as_uuid() != client.who().id);
        let mut skills: HashMap<String, u32> = HashMap::new();
        for (skill, level) in others.flat_map(|agent| agent.profile.skills.iter()) {
            let best = skills.entry(skill.to_string()).or_default();
            *best = u32::from(level.get()).max(*best);
        }
        Ok(Some(Frame::Team(v1::Team {
            skills,
            agents: agents.iter().map(|agent| agent_view_to_proto(agent)).collect(),
            queues: site.queues.iter().map(|q| q.id.to_string()).collect(),
        })))
    })))
}
