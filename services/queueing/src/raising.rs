//! What is due of alarms, on its way to the conversations, which decide; and what they are
//! asked of how they are. Doing it twice changes nothing.

use crate::call::in_time;
use crate::metrics;
use frontdesk_core::conversation::{Command, Summary};
use frontdesk_core::ids::{ConversationId, SiteId};
use frontdesk_core::party::Origin;
use frontdesk_core::queue::Due;
use frontdesk_proto::api::{ApiError, Envelope, Sessions};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::sync::Arc;

/// Conversations that are told or asked at once; the others follow.
const MOST: usize = 128;

/// What one conversation came to.
pub(crate) struct Told {
    pub(crate) site: SiteId,
    pub(crate) conversation: ConversationId,
    pub(crate) found: Found,
}

/// What its owner has answered.
pub(crate) enum Found {
    /// How it is.
    So(Box<Summary>),
    /// It is no more.
    Gone,
    /// It was told, or nothing could be learned: it is looked at again.
    Nothing,
}

pub(crate) struct Raising {
    sessions: Arc<dyn Sessions>,
    under_way: FuturesUnordered<BoxFuture<'static, Told>>,
}

impl Raising {
    pub(crate) fn new(sessions: Arc<dyn Sessions>) -> Self {
        Self { sessions, under_way: FuturesUnordered::new() }
    }

    /// How many conversations there is room for.
    pub(crate) fn room(&self) -> usize {
        MOST.saturating_sub(self.under_way.len())
    }

    /// Does what is due for a conversation, in order.
    pub(crate) fn begin(&mut self, site: &SiteId, conversation: ConversationId, due: Vec<Due>) {
        let (sessions, site) = (self.sessions.clone(), site.clone());
        self.under_way.push(Box::pin(async move {
            let mut found = Found::Nothing;
            for due in due {
                found = match carry_out(&*sessions, conversation, due).await {
                    Ok(Some(summary)) => Found::So(Box::new(summary)),
                    Ok(None) => found,
                    Err(ApiError::NotFound(_)) => Found::Gone,
                    Err(e) => {
                        tracing::debug!(%conversation, error = %e, "not told; looking again");
                        break;
                    }
                };
            }
            Told { site, conversation, found }
        }));
    }

    /// Waits for the next to be over; `None` while none is under way. May be given up.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        self.under_way.next().await
    }
}

async fn carry_out(
    sessions: &dyn Sessions,
    conversation: ConversationId,
    due: Due,
) -> Result<Option<Summary>, ApiError> {
    let submit = |command| {
        let envelope = Envelope { conversation, origin: Origin::System, command };
        in_time("sessions.submit", sessions.submit(envelope))
    };
    match due {
        Due::Raise(alarm) => {
            let kind = alarm.kind;
            submit(Command::Alarm(alarm)).await?;
            metrics::alarm(kind);
        }
        Due::Return { handed_on_at } => {
            submit(Command::ReturnTransfer { handed_on_at }).await?;
            metrics::transfer_returned();
        }
        Due::Look => {
            return in_time("sessions.summary", sessions.summary(conversation, None))
                .await
                .map(Some);
        }
    }
    Ok(None)
}
