//! What supervisors do to conversations of others. Each verb that is theirs alone begins
//! with `about_to`, and does nothing when that fails; so do guests' verbs that a supervisor
//! uses as one. What agents do in their own conversations is written down of a supervisor
//! who does it in somebody else's (`change`).

use super::common::follow_or_show;
use super::{Answer, Handling, Prepared, Saying, submit};
use crate::audit;
use crate::connection::Client;
use crate::shared::{COMMAND_DEADLINE, within};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{Command, MAX_REASON_BYTES};
use frontdesk_core::ids::{AgentId, ClientMsgId, ConversationId};
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::traces;
use serde_json::{Value, json};
use std::sync::Arc;

/// The one place that every act of a supervisor passes before it is carried out: there
/// must be such a conversation at the supervisor's site, and the act is written down.
pub(super) async fn about_to(
    client: &Client,
    id: ConversationId,
    act: Act,
    details: Value,
) -> Result<(), ApiError> {
    client.summary(id).await?;
    audit::record(client, act, id, details).await
}

/// Says something to the staff only.
pub(super) fn whisper(client: &Arc<Client>, r: v1::WhisperRequest) -> Result<Handling, ApiError> {
    client.supervisor()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let client_msg_id: ClientMsgId = r.client_msg_id.parse()?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move {
        if let Err(error) = about_to(&client, id, Act::WHISPER, json!({})).await {
            return Prepared::answer(Err(error));
        }
        let said = client_msg_id.clone();
        let command = Command::Whisper { client_msg_id: said, text: r.text.into() };
        let saying = Saying::begin(&client, id, client_msg_id, command, traces::current());
        Prepared::Wait(Box::pin(saying.answer()))
    })))
}

/// Becomes the agent who has it, and follows it from its beginning.
pub(super) fn take_over(client: &Arc<Client>, id: &str) -> Result<Handling, ApiError> {
    client.supervisor()?;
    let id: ConversationId = id.parse()?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move { Prepared::answer(taken_over(&client, id).await) })))
}

async fn taken_over(client: &Arc<Client>, id: ConversationId) -> Answer {
    about_to(client, id, Act::TAKE_OVER, json!({})).await?;
    let take_over = client.shared.deps.routing.take_over(client.who(), id);
    within(COMMAND_DEADLINE, "routing", take_over).await?;
    follow_or_show(client, id).await
}

/// Puts it back to its place in the queue.
pub(super) fn force_release(
    client: &Arc<Client>,
    r: v1::ForceRelease,
) -> Result<Handling, ApiError> {
    client.supervisor()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let agent: Option<AgentId> =
        if r.agent_id.is_empty() { None } else { Some(r.agent_id.parse()?) };
    if r.reason.len() > MAX_REASON_BYTES {
        return Err(ApiError::Invalid("reason is at most 200 bytes".into()));
    }
    let command = Command::ForceRelease { agent };
    let details = json!({ "reason": r.reason });
    Ok(carry_out(client.clone(), id, Act::FORCE_RELEASE, details, command))
}

/// Moves it forwards or back among those who wait.
pub(super) fn set_priority(
    client: &Arc<Client>,
    r: &v1::SetPriority,
) -> Result<Handling, ApiError> {
    client.supervisor()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let command = Command::SetPriority { minutes: r.extra_minutes };
    let details = json!({ "extra_minutes": r.extra_minutes });
    Ok(carry_out(client.clone(), id, Act::SET_PRIORITY, details, command))
}

/// The same as `carry_out` for what agents may do as well: in its own conversation a
/// supervisor is one of them.
pub(super) fn change(
    client: Arc<Client>,
    id: ConversationId,
    act: Act,
    details: Value,
    command: Command,
) -> Handling {
    let asks = client.clone();
    let written = async move { audit::change(&asks, act, id, details).await };
    once_written(client, id, command, written)
}

/// Submits a command that is answered with Done, once the act may be.
pub(super) fn carry_out(
    client: Arc<Client>,
    id: ConversationId,
    act: Act,
    details: Value,
    command: Command,
) -> Handling {
    let asks = client.clone();
    let written = async move { about_to(&asks, id, act, details).await };
    once_written(client, id, command, written)
}

/// Nothing is submitted that could not be written down.
fn once_written(
    client: Arc<Client>,
    id: ConversationId,
    command: Command,
    written: impl Future<Output = Result<(), ApiError>> + Send + 'static,
) -> Handling {
    Handling::Ordered(Box::pin(async move {
        match written.await {
            Ok(()) => submitted(&client, id, command),
            Err(error) => Prepared::answer(Err(error)),
        }
    }))
}

fn submitted(client: &Client, id: ConversationId, command: Command) -> Prepared {
    let outcome = submit(client, id, command);
    Prepared::Wait(Box::pin(async move { outcome.await.map(|_| Some(Frame::Done(v1::Done {}))) }))
}
