//! What only a visitor may do.

use super::start::{self, Start};
use super::{Handling, Prepared, command};
use crate::connection::Client;
use frontdesk_core::conversation::{Command, Contact};
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1;
use std::sync::Arc;

/// Opens a conversation and follows it from its beginning.
pub(super) fn start(
    client: &Arc<Client>,
    request: v1::StartConversation,
) -> Result<Handling, ApiError> {
    client.visitor()?;
    let start = Start::parse(client, request)?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(
        async move { Prepared::answer(start::open(&client, start).await) },
    )))
}

/// Rates a conversation.
pub(super) fn rate(
    client: &Arc<Client>,
    request: v1::RateConversation,
) -> Result<Handling, ApiError> {
    client.visitor()?;
    let score =
        u8::try_from(request.score).map_err(|_| ApiError::Invalid("a score is 1 to 5".into()))?;
    let rate = Command::Rate { score, comment: request.comment.into() };
    command(client, &request.conversation_id, rate)
}

/// Says where the visitor may be reached.
pub(super) fn leave_contact(
    client: &Arc<Client>,
    request: v1::LeaveContact,
) -> Result<Handling, ApiError> {
    client.visitor()?;
    let v1::LeaveContact { conversation_id, email, phone, text } = request;
    let [email, phone, text] = [email, phone, text].map(|given| given.trim().into());
    command(client, &conversation_id, Command::LeaveContact(Contact { email, phone, text }))
}

/// Takes a closed conversation up again.
pub(super) fn reopen(client: &Arc<Client>, id: &str) -> Result<Handling, ApiError> {
    client.visitor()?;
    command(client, id, Command::Reopen)
}
