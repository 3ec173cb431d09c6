//! What colleagues ask of an agent, as a new connection is told it: their invitations and
//! mentions that have no answer yet. Routing knows where, the owner what, and the journal
//! in which words. Decides nothing, and is never waited for.

use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::conversation::{Asked, Body, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, Seq, SiteId};
use frontdesk_proto::api::{ApiError, HistoryQuery};
use frontdesk_proto::convert::{decode_event, invitation_push, mention_push};
use frontdesk_proto::v1::server_frame::Frame;

/// Conversations that are looked into for one agent: no page shows more cards.
const MAX_ASKED_IN: usize = 20;

/// What an agent is asked for, the oldest conversation first. What cannot be had now is
/// left out: it is told to the next connection.
pub(crate) async fn frames(shared: &Shared, site: &SiteId, agent: AgentId) -> Vec<Frame> {
    let asked = shared.deps.routing.asked_in(site, agent);
    let found = match within(CALL_DEADLINE, "routing", asked).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%agent, %error, "what an agent is asked for is not known");
            return Vec::new();
        }
    };
    let newest = found.len().saturating_sub(MAX_ASKED_IN);
    let mut frames = Vec::new();
    for id in found.into_iter().skip(newest) {
        match of_conversation(shared, site, agent, id).await {
            Ok(more) => frames.extend(more),
            Err(error) => tracing::debug!(%agent, %id, %error, "an agent is not told of it"),
        }
    }
    frames
}

async fn of_conversation(
    shared: &Shared,
    site: &SiteId,
    agent: AgentId,
    id: ConversationId,
) -> Result<Vec<Frame>, ApiError> {
    let summary = shared.deps.sessions.summary(id, None);
    let summary = within(CALL_DEADLINE, "sessions", summary).await?;
    let mut frames = Vec::new();
    // Asked again of the owner, which alone is never late.
    for asked in summary.asked.iter().filter(|it| it.agent == agent && summary.site == *site) {
        frames.extend(in_words(shared, &summary, asked).await?);
    }
    Ok(frames)
}

/// The event that asks, read from the journal.
async fn in_words(
    shared: &Shared,
    summary: &Summary,
    asked: &Asked,
) -> Result<Option<Frame>, ApiError> {
    let query = HistoryQuery {
        conversation: summary.id,
        who: None,
        after: Seq::new(asked.seq.get().saturating_sub(1)),
        limit: 1,
        backwards: false,
    };
    let page = within(CALL_DEADLINE, "sessions", shared.deps.sessions.history(query)).await?;
    let Some(event) = page.events.first().filter(|event| event.seq == asked.seq) else {
        return Ok(None);
    };
    let event = decode_event(&event.event, Seq::ZERO)
        .map_err(|e| ApiError::Internal(format!("event {} cannot be read: {e}", asked.seq)))?;
    Ok(match &event.body {
        Body::Invited { note, .. } => {
            let mut push = invitation_push(summary, &event.by, note, event.seq);
            push.again = true;
            Some(Frame::Invitation(push))
        }
        Body::Note { text, .. } => {
            let mut push = mention_push(&summary.id.to_string(), &event.by, text, event.seq);
            push.again = true;
            Some(Frame::Mention(push))
        }
        _ => None,
    })
}
