//! Agents beside the one who has the conversation: inviting and mentioning them, and
//! what they do themselves.

use super::{Answer, Handling, Prepared, Saying, colleagues, command, common, submit, supervisor};
use crate::audit;
use crate::connection::Client;
use crate::shared::within;
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{AskedTo, Command, MAX_INVITATION_BYTES, MAX_MENTIONS, Summary};
use frontdesk_core::ids::{AgentId, ClientMsgId, ConversationId, Seq};
use frontdesk_core::party::Participant;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::{invitation_push, mention_push};
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::traces;
use serde_json::json;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

/// Conversations that an agent is shown as a guest's.
const MAX_GUEST_IN: usize = 50;
/// A list does not wait longer for them: what an agent has is more urgent.
const LIST_DEADLINE: Duration = Duration::from_secs(1);

/// Asks an agent to join, and tells that agent.
pub(super) fn invite(client: &Arc<Client>, r: v1::InviteAgent) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let agent: AgentId = r.agent_id.parse()?;
    if r.note.len() > MAX_INVITATION_BYTES {
        return Err(ApiError::Invalid("note is at most 1,000 bytes".into()));
    }
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move {
        Prepared::answer(invited(&client, id, agent, &r.note).await)
    })))
}

async fn invited(client: &Client, id: ConversationId, agent: AgentId, note: &str) -> Answer {
    // Whoever may not know of the conversation learns nothing of colleagues either.
    let summary = client.summary(id).await?;
    let whom = colleagues::present(client, agent).await?;
    let details = json!({ "agent": agent.to_string() });
    audit::change(client, Act::INVITE, id, details).await?;
    submit(client, id, Command::Invite { agent: whom, note: note.into() }).await?;
    // Its place lets the agent's pages know it again. It holds without.
    let asked = client.summary(id).await.map(|summary| summary.asked).unwrap_or_default();
    let invitation = asked.iter().find(|it| it.agent == agent && it.to == AskedTo::Join);
    let seq = invitation.map_or(Seq::ZERO, |it| it.seq);
    let push = invitation_push(&summary, &client.who().participant(), note, seq);
    colleagues::tell(client, agent, Frame::Invitation(push));
    Ok(Some(Frame::Done(v1::Done {})))
}

/// Takes part, and follows the conversation from its beginning.
pub(super) fn join(client: &Arc<Client>, id: &str) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = id.parse()?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move { Prepared::answer(joined(&client, id).await) })))
}

async fn joined(client: &Arc<Client>, id: ConversationId) -> Answer {
    if client.supervisor().is_ok() {
        supervisor::about_to(client, id, Act::JOIN, json!({})).await?;
    }
    submit(client, id, Command::Join).await?;
    common::follow_or_show(client, id).await
}

/// Takes part no longer, or sends another guest away.
pub(super) fn leave(client: &Arc<Client>, r: &v1::LeaveConversation) -> Result<Handling, ApiError> {
    client.agent()?;
    let own = r.agent_id.is_empty() || r.agent_id == client.who().id.to_string();
    if own {
        return command(client, &r.conversation_id, Command::Leave { agent: None });
    }
    let leave = Command::Leave { agent: Some(r.agent_id.parse()?) };
    if client.supervisor().is_err() {
        return command(client, &r.conversation_id, leave);
    }
    let id: ConversationId = r.conversation_id.parse()?;
    let details = json!({ "agent": r.agent_id });
    Ok(supervisor::carry_out(client.clone(), id, Act::DISMISS, details, leave))
}

/// Adds those in which an agent takes part as a guest, as far as they are known, and puts
/// all in their order again.
pub(super) async fn add_to(client: &Client, list: &mut Vec<Summary>) {
    let Some(agent) = client.who().agent_id() else { return };
    let asked = client.shared.deps.routing.guest_in(&client.who().site, agent);
    let found = match within(LIST_DEADLINE, "routing", asked).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%agent, %error, "where an agent is a guest is not known");
            return;
        }
    };
    for id in found.into_iter().take(MAX_GUEST_IN) {
        if list.iter().any(|summary| summary.id == id) {
            continue;
        }
        // What cannot be had now is listed the next time.
        list.extend(client.summary(id).await);
    }
    list.sort_by_key(|summary| Reverse(summary.last_at));
}

/// Adds a private note, and tells those whom it mentions.
pub(super) fn note(client: &Arc<Client>, r: v1::AddNote) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let client_msg_id: ClientMsgId = r.client_msg_id.parse()?;
    if r.mention_agent_ids.len() > MAX_MENTIONS {
        return Err(ApiError::Invalid("a note mentions at most 16 agents".into()));
    }
    let text: Arc<str> = r.text.into();
    let whom: Vec<AgentId> =
        r.mention_agent_ids.iter().map(|agent| agent.parse()).collect::<Result<_, _>>()?;
    if whom.is_empty() && client.supervisor().is_err() {
        let note = Command::Note { client_msg_id: client_msg_id.clone(), text, mentions: vec![] };
        let saying = Saying::begin(client, id, client_msg_id, note, traces::current());
        return Ok(Handling::Concurrent(Box::pin(saying.answer())));
    }
    let client = client.clone();
    // Colleagues are looked up first; what the client sends next must not overtake.
    Ok(Handling::Ordered(Box::pin(async move {
        let mentions = match mentioned(&client, id, &whom).await {
            Ok(mentions) => mentions,
            Err(error) => return Prepared::answer(Err(error)),
        };
        if let Err(error) = audit::change(&client, Act::NOTE, id, json!({})).await {
            return Prepared::answer(Err(error));
        }
        let note =
            Command::Note { client_msg_id: client_msg_id.clone(), text: text.clone(), mentions };
        let saying = Saying::begin(&client, id, client_msg_id, note, traces::current());
        Prepared::Wait(Box::pin(async move {
            let answer = saying.answer().await?;
            if let Some(Frame::Sent(sent)) = &answer {
                tell_mentioned(&client, &whom, sent, &text);
            }
            Ok(answer)
        }))
    })))
}

async fn mentioned(
    client: &Client,
    id: ConversationId,
    whom: &[AgentId],
) -> Result<Vec<Participant>, ApiError> {
    // Whoever may not know of the conversation learns nothing of colleagues either.
    client.summary(id).await?;
    let mut mentions = Vec::with_capacity(whom.len());
    for agent in whom {
        mentions.push(colleagues::named(client, *agent).await?);
    }
    Ok(mentions)
}

fn tell_mentioned(client: &Client, whom: &[AgentId], sent: &v1::Sent, text: &str) {
    let by = client.who().participant();
    let push = mention_push(&sent.conversation_id, &by, text, Seq::new(sent.seq));
    for agent in whom {
        colleagues::tell(client, *agent, Frame::Mention(push.clone()));
    }
}
