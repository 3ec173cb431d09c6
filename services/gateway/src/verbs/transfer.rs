//! Handing a conversation on.

use super::{Handling, Prepared, colleagues, submit};
use crate::connection::Client;
use frontdesk_core::conversation::{Command, TransferTarget};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId};
use frontdesk_core::presence::AgentView;
use frontdesk_core::skill::Skills;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::skills_from_proto;
use frontdesk_proto::v1::{self, server_frame::Frame, transfer_conversation::Target};
use std::sync::Arc;

enum Wanted {
    Queue(QueueId),
    Agent(AgentId),
    Skill(Skills),
}

impl Wanted {
    fn parse(target: Option<Target>) -> Result<Self, ApiError> {
        Ok(match target {
            Some(Target::Queue(queue)) => Self::Queue(queue.parse()?),
            Some(Target::AgentId(agent)) => Self::Agent(agent.parse()?),
            Some(Target::Skill(skill)) => {
                let skills = skills_from_proto(skill.skills);
                Self::Skill(skills.map_err(|e| ApiError::Invalid(e.to_string()))?)
            }
            None => return Err(ApiError::Invalid("target is absent".into())),
        })
    }
}

/// Hands the conversation on.
pub(super) fn transfer(
    client: &Arc<Client>,
    r: v1::TransferConversation,
) -> Result<Handling, ApiError> {
    client.agent()?;
    let id: ConversationId = r.conversation_id.parse()?;
    let wanted = Wanted::parse(r.target)?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move {
        let target = match resolve(&client, id, wanted).await {
            Ok(target) => target,
            Err(error) => return Prepared::answer(Err(error)),
        };
        let command = Command::Transfer { target, note: r.note.into(), warm: r.warm };
        let outcome = submit(&client, id, command);
        Prepared::Wait(Box::pin(
            async move { outcome.await.map(|_| Some(Frame::Done(v1::Done {}))) },
        ))
    })))
}

/// The target must exist on this site; an agent, or one with the skills, must be there
/// to take it.
async fn resolve(
    client: &Client,
    id: ConversationId,
    wanted: Wanted,
) -> Result<TransferTarget, ApiError> {
    match wanted {
        Wanted::Queue(queue) => {
            let site = colleagues::own_site(client).await?;
            if site.queues.iter().all(|q| q.id != queue) {
                return Err(ApiError::Invalid(format!("there is no queue {queue}")));
            }
            Ok(TransferTarget::Queue(queue))
        }
        Wanted::Agent(agent) => {
            Ok(TransferTarget::Agent(colleagues::present(client, agent).await?))
        }
        Wanted::Skill(skills) => {
            let queue = client.summary(id).await?.queue;
            let agents = colleagues::all_present(client).await?;
            let others = agents.iter().filter(|agent| agent.id.as_uuid() != client.who().id);
            let can = |agent: &Arc<AgentView>| {
                agent.serves(&queue) && agent.profile.skills.satisfy(&skills)
            };
            if !others.into_iter().any(can) {
                let why = format!("no other agent of {queue} who is there has these skills");
                return Err(ApiError::State(why));
            }
            Ok(TransferTarget::Skill(skills))
        }
    }
}
