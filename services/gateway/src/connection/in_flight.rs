//! Requests that have been begun and are not answered yet.
//!
//! Messages are nearly all of them: each takes one allocation here and no timer
//! of its own; one look every few seconds finds those that are overdue.

use super::requests::Reply;
use crate::shared::COMMAND_DEADLINE;
use crate::verbs::Saying;
use frontdesk_core::conversation::Outcome;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::Sent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// What a request has come to.
pub(super) enum Done {
    Reply(Box<Reply>),
    /// A message or note stands.
    Sent {
        id: u32,
        sent: Sent,
        /// When it was read.
        begun: Instant,
    },
}

/// The requests under way of one connection.
#[derive(Default)]
pub(super) struct InFlight {
    requests: FuturesUnordered<Request>,
    /// When to look for overdue messages: not after any of them is.
    look_at: Option<Instant>,
}

enum Request {
    Message {
        id: u32,
        until: Instant,
        saying: Saying,
    },
    /// Has a deadline of its own.
    Other(BoxFuture<'static, Reply>),
}

impl InFlight {
    pub(super) fn push(&mut self, request: BoxFuture<'static, Reply>) {
        self.requests.push(Request::Other(request));
    }

    /// Waits for a message's answer; says whether `look_at` has changed.
    pub(super) fn push_message(&mut self, id: u32, saying: Saying, now: Instant) -> bool {
        let until = now + COMMAND_DEADLINE;
        self.requests.push(Request::Message { id, until, saying });
        let is_first = self.look_at.is_none();
        self.look_at.get_or_insert(until);
        is_first
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The next one that is done; pending also when there is none.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Done> {
        match self.requests.poll_next_unpin(cx) {
            Poll::Ready(Some(done)) => Poll::Ready(done),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// When `overdue` is to be called.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Gives up messages that have waited too long: their refusals.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Reply> {
        if self.look_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let is_overdue = |r: &Request| r.until().is_some_and(|until| until <= now);
        let (overdue, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.requests).into_iter().partition(is_overdue);
        self.look_at = others.iter().filter_map(Request::until).min();
        self.requests = others.into_iter().collect();
        overdue.into_iter().filter_map(Request::give_up).collect()
    }
}

impl Request {
    fn until(&self) -> Option<Instant> {
        match self {
            Self::Message { until, .. } => Some(*until),
            Self::Other(_) => None,
        }
    }

    fn give_up(self) -> Option<Reply> {
        match self {
            Self::Message { id, mut saying, .. } => {
                let error = ApiError::unavailable("sessions did not answer in time");
                let is_recorded = saying.recorded(Err(&error));
                Some(Reply { is_recorded, ..refused(id, &saying, error) })
            }
            Self::Other(_) => None,
        }
    }
}

impl Future for Request {
    type Output = Done;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Done> {
        match &mut *self {
            Self::Other(reply) => reply.poll_unpin(cx).map(|reply| Done::Reply(Box::new(reply))),
            Self::Message { id, until, saying } => {
                let outcome = std::task::ready!(saying.outcome.poll_unpin(cx));
                Poll::Ready(said(*id, *until - COMMAND_DEADLINE, saying, outcome))
            }
        }
    }
}

fn said(id: u32, begun: Instant, saying: &mut Saying, outcome: Result<Outcome, ApiError>) -> Done {
    let sent = outcome.and_then(|outcome| saying.sent(outcome));
    let is_recorded = saying.recorded(sent.as_ref().map(drop));
    match sent {
        Ok(sent) => Done::Sent { id, sent, begun },
        Err(error) => Done::Reply(Box::new(Reply { is_recorded, ..refused(id, saying, error) })),
    }
}

fn refused(id: u32, saying: &Saying, error: ApiError) -> Reply {
    let conversation = Some(saying.conversation.to_string());
    Reply { id, answer: Err(error), conversation, is_recorded: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::ids::{ConversationId, Seq};
    use frontdesk_core::time::Timestamp;
    use frontdesk_proto::api::ReplyFuture;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    type Answer = oneshot::Sender<Result<Outcome, ApiError>>;

    fn saying() -> (Answer, Saying) {
        let (answer, answered) = oneshot::channel();
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        let client_msg_id = "m1".parse().unwrap();
        (
            answer,
            Saying { conversation, client_msg_id, outcome: ReplyFuture::of(answered), trace: None },
        )
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_never_answered_is_given_up_and_the_rest_is_waited_for() {
        let mut in_flight = InFlight::default();
        let (_never, first) = saying();
        assert!(in_flight.push_message(1, first, Instant::now()));
        assert!(in_flight.overdue(Instant::now()).is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        let (answer, second) = saying();
        assert!(!in_flight.push_message(2, second, Instant::now()));

        tokio::time::advance(COMMAND_DEADLINE - Duration::from_secs(1)).await;
        assert_eq!(in_flight.look_at(), Some(Instant::now()));
        let given_up = in_flight.overdue(Instant::now());
        assert_eq!(given_up.iter().map(|reply| reply.id).collect::<Vec<_>>(), [1]);
        assert!(matches!(given_up[0].answer, Err(ApiError::Unavailable { .. })));
        assert_eq!(in_flight.look_at(), Some(Instant::now() + Duration::from_secs(1)));

        let outcome = Outcome::Sent { seq: Seq::new(7), at: Timestamp::ZERO, duplicate: false };
        answer.send(Ok(outcome)).unwrap();
        let done = poll_fn(|cx| in_flight.poll_next(cx)).await;
        assert!(matches!(done, Done::Sent { id: 2, sent: Sent { duplicate: false, .. }, .. }));
        tokio::time::advance(COMMAND_DEADLINE).await;
        assert!(in_flight.overdue(Instant::now()).is_empty());
        assert_eq!(in_flight.look_at(), None);
    }

    #[tokio::test]
    async fn an_owner_that_is_gone_is_an_error_that_names_the_conversation() {
        let mut in_flight = InFlight::default();
        let (answer, saying) = saying();
        in_flight.push_message(3, saying, Instant::now());
        drop(answer);
        let Done::Reply(reply) = poll_fn(|cx| in_flight.poll_next(cx)).await else {
            panic!("not an error");
        };
        assert_eq!((reply.id, reply.conversation.is_some()), (3, true));
        assert!(matches!(reply.answer, Err(ApiError::Unavailable { .. })));
    }
}
