//! Filling readers from history: one page at a time for each connection, and
//! only while its outbox is low, so that memory stays bounded.

use super::client::Client;
use super::requests::Reply;
use crate::following;
use crate::registry::Next;
use crate::shared::{CALL_DEADLINE, within};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_proto::api::{ApiError, EventPage, HistoryQuery};
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Events of one page; it also ends at about 256 KiB.
const PAGE_EVENTS: u32 = 200;
/// Pause before a page is asked for again that could not be had.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What became of one step of a fill.
pub(super) enum Filled {
    Page {
        id: ConversationId,
        generation: u32,
        page: Result<EventPage, ApiError>,
    },
    /// A pause is over.
    Again(ConversationId),
}

/// The conversations of one connection that wait to be filled.
#[derive(Default)]
pub(super) struct Fills {
    waiting: VecDeque<ConversationId>,
    current: Option<BoxFuture<'static, Filled>>,
}

impl Fills {
    pub(super) fn add(&mut self, id: ConversationId) {
        if !self.waiting.contains(&id) {
            self.waiting.push_back(id);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.current.is_none()
    }

    /// Starts the next step if there is room, and waits for the present one.
    pub(super) fn poll(&mut self, client: &Arc<Client>, cx: &mut Context<'_>) -> Poll<Filled> {
        while self.current.is_none() && client.reader.outbox.is_low() {
            let Some(id) = self.waiting.pop_front() else {
                break;
            };
            match client.shared.registry.next(id, &client.reader) {
                Some(Next::Read { after, generation }) => {
                    self.current = Some(read_page(client, id, after, generation));
                }
                Some(Next::Retry) => self.current = Some(pause(id)),
                Some(Next::Ended) => following::detach(&client.shared, id),
                Some(Next::Live) | None => {}
            }
        }
        let Some(current) = &mut self.current else {
            return Poll::Pending;
        };
        let filled = std::task::ready!(current.as_mut().poll(cx));
        self.current = None;
        Poll::Ready(filled)
    }

    /// Takes the result of a step; gives what the client has to be told.
    pub(super) fn filled(
        &mut self,
        client: &Arc<Client>,
        filled: Filled,
    ) -> Option<(ConversationId, ApiError)> {
        let registry = &client.shared.registry;
        match filled {
            Filled::Again(id) => self.add(id),
            Filled::Page { id, generation, page: Ok(page) } => {
                client.shared.metrics.fills.increment(1);
                match registry.page(id, &client.reader, generation, &page) {
                    Some(Next::Read { .. }) => self.add(id),
                    Some(Next::Retry) => self.current = Some(pause(id)),
                    Some(Next::Ended) => following::detach(&client.shared, id),
                    Some(Next::Live) | None => {}
                }
            }
            Filled::Page { id, page: Err(error), .. } if error.retryable() => {
                tracing::debug!(conversation = %id, %error, "a page of history is late");
                self.current = Some(pause(id));
            }
            Filled::Page { id, page: Err(error), .. } => {
                following::unfollow(&client.shared, &client.reader, id);
                return Some((id, error));
            }
        }
        None
    }
}

fn read_page(
    client: &Arc<Client>,
    id: ConversationId,
    after: Seq,
    generation: u32,
) -> BoxFuture<'static, Filled> {
    let client = client.clone();
    Box::pin(async move {
        let query = HistoryQuery {
            conversation: id,
            who: Some(client.who().clone()),
            after,
            limit: PAGE_EVENTS,
            backwards: false,
        };
        let reading = client.shared.deps.sessions.history(query);
        let page = within(CALL_DEADLINE, "sessions", reading).await;
        Filled::Page { id, generation, page }
    })
}

fn pause(id: ConversationId) -> BoxFuture<'static, Filled> {
    Box::pin(async move {
        tokio::time::sleep(RETRY_PAUSE).await;
        Filled::Again(id)
    })
}

/// Follows a conversation from its beginning because it was assigned to this
/// agent, unless the connection follows it already.
pub(super) fn follow_all(client: &Arc<Client>, id: ConversationId) -> BoxFuture<'static, Reply> {
    let client = client.clone();
    Box::pin(async move {
        let mut answer = Ok(None);
        while !client.shared.registry.follows(id, &client.reader) {
            match following::follow(&client.shared, &client.reader, id, Seq::ZERO).await {
                Err(error) if error.retryable() => tokio::time::sleep(RETRY_PAUSE).await,
                Err(error) => {
                    answer = Err(error);
                    break;
                }
                Ok(_) => break,
            }
        }
        Reply { id: 0, answer, conversation: Some(id.to_string()), is_recorded: false }
    })
}
