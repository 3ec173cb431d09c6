//! What only agents and supervisors may do.

use super::{Answer, Handling, Prepared, Saying, command, common, submit};
use crate::connection::Client;
use crate::shared::{CALL_DEADLINE, COMMAND_DEADLINE, within};
use frontdesk_core::conversation::{Command, MAX_REASON_BYTES, TransferTarget};
use frontdesk_core::ids::{AgentId, ClientMsgId, ConversationId, OfferId, QueueId, Seq};
use frontdesk_core::party::Participant;
use frontdesk_core::presence::AgentStatus;
use frontdesk_proto::api::{ApiError, SiteConfig};
use frontdesk_proto::convert::{agent_status_from_proto, agent_view_to_proto};
use frontdesk_proto::v1::{self, server_frame::Frame, transfer_conversation::Target};
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
    if client.shared.registry.follows(id, &client.reader) {
        // The notice of the assignment was quicker and has subscribed us.
        let summary = client.summary(id).await?;
        return Ok(Some(Frame::Conversation(client.state(&summary).await)));
    }
    common::follow(client, id, Seq::ZERO).await
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

/// Adds a private note.
pub(super) fn note(client: &Arc<Client>, r: v1::AddNote) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let client_msg_id: ClientMsgId = r.client_msg_id.parse()?;
    let note = Command::Note { client_msg_id: client_msg_id.clone(), text: r.text.into() };
    let saying = Saying::begin(client, id, client_msg_id, note);
    Ok(Handling::Concurrent(Box::pin(saying.answer())))
}

/// Replaces the tags.
pub(super) fn tags(client: &Arc<Client>, r: v1::SetTags) -> Result<Handling, ApiError> {
    client.agent()?;
    let tags = r.tags.into_iter().map(Into::into).collect();
    command(client, &r.conversation_id, Command::SetTags { tags })
}

/// Hands the conversation on.
pub(super) fn transfer(
    client: &Arc<Client>,
    r: v1::TransferConversation,
) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let target = match r.target {
        Some(Target::Queue(queue)) => Wanted::Queue(queue.parse()?),
        Some(Target::AgentId(agent)) => Wanted::Agent(agent.parse()?),
        None => return Err(ApiError::Invalid("target is absent".into())),
    };
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move {
        let target = match resolve(&client, target).await {
            Ok(target) => target,
            Err(error) => return Prepared::answer(Err(error)),
        };
        let outcome = submit(&client, id, Command::Transfer { target, note: r.note.into() });
        Prepared::Wait(Box::pin(
            async move { outcome.await.map(|_| Some(Frame::Done(v1::Done {}))) },
        ))
    })))
}

enum Wanted {
    Queue(QueueId),
    Agent(AgentId),
}

/// The target must exist on this site; an agent must be there to take it.
async fn resolve(client: &Client, wanted: Wanted) -> Result<TransferTarget, ApiError> {
    match wanted {
        Wanted::Queue(queue) => {
            let site = own_site(client).await?;
            if site.queues.iter().all(|q| q.id != queue) {
                return Err(ApiError::Invalid(format!("there is no queue {queue}")));
            }
            Ok(TransferTarget::Queue(queue))
        }
        Wanted::Agent(agent) => {
            let site = &client.who().site;
            let deps = &client.shared.deps;
            let account = within(CALL_DEADLINE, "desk", deps.desk.agent(site, agent))
                .await?
                .filter(|a| !a.disabled)
                .ok_or_else(|| ApiError::NotFound(format!("agent {agent}")))?;
            let view = within(CALL_DEADLINE, "presence", deps.presence.agent(site, agent)).await?;
            if view.is_none_or(|v| v.status == AgentStatus::Offline) {
                return Err(ApiError::State("that agent is offline".into()));
            }
            let name = account.profile.name.clone();
            Ok(TransferTarget::Agent(Participant::agent(agent, name)))
        }
    }
}

async fn own_site(client: &Client) -> Result<Arc<SiteConfig>, ApiError> {
    let asked = client.shared.deps.desk.site(&client.who().site);
    within(CALL_DEADLINE, "desk", asked).await?.ok_or_else(|| ApiError::NotFound("site".into()))
}

/// Who a conversation could be handed to.
pub(super) fn team(client: &Arc<Client>) -> Result<Handling, ApiError> {
    client.agent()?;
    let client = client.clone();
    Ok(Handling::Concurrent(Box::pin(async move {
        let asked = client.shared.deps.presence.agents(Some(&client.who().site));
        let agents = within(CALL_DEADLINE, "presence", asked).await?;
        let site = own_site(&client).await?;
        Ok(Some(Frame::Team(v1::Team {
            agents: agents
                .iter()
                .filter(|a| a.status != AgentStatus::Offline)
                .map(|a| agent_view_to_proto(a))
                .collect(),
            queues: site.queues.iter().map(|q| q.id.to_string()).collect(),
        })))
    })))
}
