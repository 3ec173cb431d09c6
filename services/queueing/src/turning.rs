//! Those whom their queue does not serve, on their way elsewhere: the command that says so
//! to the conversation, which decides. Saying it twice changes nothing.

use crate::call::in_time;
use crate::metrics;
use frontdesk_core::conversation::{Command, Instead, Unserved};
use frontdesk_core::ids::{ConversationId, QueueId, SiteId};
use frontdesk_core::party::Origin;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{Envelope, Sessions};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::HashSet;
use std::sync::Arc;

/// Commands under way at once; the others follow.
const MOST: usize = 128;

/// One whom its queue does not serve.
pub(crate) struct Away {
    pub(crate) conversation: ConversationId,
    pub(crate) why: Unserved,
    pub(crate) instead: Instead,
    /// When somebody is there again.
    pub(crate) opens_at: Option<Timestamp>,
}

/// One that is over, well or not.
type Over = (SiteId, ConversationId);

pub(crate) struct Turning {
    sessions: Arc<dyn Sessions>,
    busy: HashSet<ConversationId>,
    under_way: FuturesUnordered<BoxFuture<'static, Over>>,
}

impl Turning {
    pub(crate) fn new(sessions: Arc<dyn Sessions>) -> Self {
        Self { sessions, busy: HashSet::new(), under_way: FuturesUnordered::new() }
    }

    /// Tells a conversation, unless it is being told, or too many are.
    pub(crate) fn begin(&mut self, site: &SiteId, queue: &QueueId, away: Away) {
        let Away { conversation, why, instead, opens_at } = away;
        if self.busy.len() >= MOST || !self.busy.insert(conversation) {
            return;
        }
        let command =
            Command::Unserved { queue: queue.clone(), why, instead: instead.clone(), opens_at };
        let reply =
            self.sessions.submit(Envelope { conversation, origin: Origin::System, command });
        let site = site.clone();
        self.under_way.push(Box::pin(async move {
            match in_time("sessions.submit", reply).await {
                Ok(_) => metrics::turned_away(why, &instead),
                Err(e) => {
                    tracing::debug!(%conversation, error = %e, "not turned away; looking again");
                }
            }
            (site, conversation)
        }));
    }

    /// Waits for the next to be over; `None` while none is under way. May be given up.
    pub(crate) async fn next(&mut self) -> Option<SiteId> {
        let (site, conversation) = self.under_way.next().await?;
        self.busy.remove(&conversation);
        Some(site)
    }
}
