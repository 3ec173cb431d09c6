//! What clients may ask for, each checked against the caller's role.
//!
//! Limits on content are decided by `core`; here ids and names are parsed and
//! what `core` cannot know (files, queues, colleagues) is looked up.

mod agent;
mod board;
mod colleagues;
pub(crate) mod common;
mod guests;
mod names;
mod recorded;
mod start;
mod supervisor;
mod transfer;
mod visitor;

pub(crate) use common::{Saying, say};
pub(crate) use names::{conversation_of, name_of};
pub(crate) use recorded::recorded;

use crate::connection::Client;
use crate::shared::{COMMAND_DEADLINE, within};
use frontdesk_core::conversation::{Command, Outcome};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::party::Origin;
use frontdesk_proto::api::{ApiError, Envelope};
use frontdesk_proto::v1::{self, client_frame::Request, server_frame::Frame};
use frontdesk_telemetry::traces;
use futures::future::BoxFuture;
use std::sync::Arc;

/// The answer to a request; `None` when it gets none.
pub(crate) type Answer = Result<Option<Frame>, ApiError>;

/// How a request is carried out.
pub(crate) enum Handling {
    /// It has been.
    Done(Box<Answer>),
    /// It has been begun in its turn; later requests need not wait.
    Concurrent(BoxFuture<'static, Answer>),
    /// Later requests wait until it has been begun.
    Ordered(BoxFuture<'static, Prepared>),
}

/// What an ordered request has come to.
pub(crate) enum Prepared {
    /// It is finished.
    Answer(Box<Answer>),
    /// It was begun in its turn; later requests need not wait for the rest.
    Wait(BoxFuture<'static, Answer>),
}

impl Prepared {
    fn answer(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}

/// Begins a request.
pub(crate) fn handle(client: &Arc<Client>, request: Request) -> Handling {
    let begun = match request {
        Request::Start(r) => visitor::start(client, r),
        Request::Rate(r) => visitor::rate(client, r),
        Request::Reopen(r) => visitor::reopen(client, &r.conversation_id),
        Request::LeaveContact(r) => visitor::leave_contact(client, r),
        Request::Send(r) => common::send(client, r),
        Request::Typing(r) => common::typing(client, &r),
        Request::MarkRead(r) => common::mark_read(client, &r),
        Request::Close(r) => common::close(client, &r.conversation_id),
        Request::Subscribe(r) => common::subscribe(client, r),
        Request::Unsubscribe(r) => common::unsubscribe(client, &r.conversation_id),
        Request::GetHistory(r) => common::history(client, &r),
        Request::ListConversations(r) => common::list(client, r),
        Request::SetStatus(r) => agent::set_status(client, r),
        Request::AcceptOffer(r) => agent::accept(client, &r),
        Request::DeclineOffer(r) => agent::decline(client, r),
        Request::AddNote(r) => guests::note(client, r),
        Request::Transfer(r) => transfer::transfer(client, r),
        Request::SetTags(r) => agent::tags(client, r),
        Request::ListTeam(_) => agent::team(client),
        Request::Invite(r) => guests::invite(client, r),
        Request::Join(r) => guests::join(client, &r.conversation_id),
        Request::Leave(r) => guests::leave(client, &r),
        Request::Whisper(r) => supervisor::whisper(client, r),
        Request::TakeOver(r) => supervisor::take_over(client, &r.conversation_id),
        Request::ForceRelease(r) => supervisor::force_release(client, r),
        Request::SetPriority(r) => supervisor::set_priority(client, &r),
        Request::WatchBoard(r) => board::watch(client, &r),
        // Handled by the connection itself, before anything comes here.
        Request::Hello(_) | Request::RefreshToken(_) | Request::Pong(_) => Ok(done(None)),
    };
    begun.unwrap_or_else(|error| Handling::Done(Box::new(Err(error))))
}

fn done(frame: Option<Frame>) -> Handling {
    Handling::Done(Box::new(Ok(frame)))
}

/// Submits a command now, in its turn; the future waits for the outcome.
fn submit(
    client: &Client,
    id: ConversationId,
    command: Command,
) -> impl Future<Output = Result<Outcome, ApiError>> + Send + use<> {
    let origin = Origin::Client(client.who().clone());
    submit_as(client, Envelope { conversation: id, origin, command })
}

fn submit_as(
    client: &Client,
    envelope: Envelope,
) -> impl Future<Output = Result<Outcome, ApiError>> + Send + use<> {
    let sessions = &client.shared.deps.sessions;
    let forward = traces::current().map(|trace| common::forward(envelope.conversation, trace));
    let reply = match &forward {
        None => sessions.submit(envelope),
        Some(forward) => sessions.submit_traced(envelope, forward.context()),
    };
    async move {
        let outcome = within(COMMAND_DEADLINE, "sessions", reply).await;
        if let Some(forward) = forward {
            forward.finish(outcome.as_ref().map_err(ApiError::as_str));
        }
        outcome
    }
}

/// Submits a command that is answered with Done.
fn command(client: &Client, id: &str, command: Command) -> Result<Handling, ApiError> {
    let outcome = submit(client, id.parse()?, command);
    Ok(Handling::Concurrent(Box::pin(async move {
        outcome.await.map(|_| Some(Frame::Done(v1::Done {})))
    })))
}
