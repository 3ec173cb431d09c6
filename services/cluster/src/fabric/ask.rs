//! Asking one process one question, within a deadline.

use super::calls::{Call, call};
use super::document::{decode, encode, what_is_asked};
use super::question::Question;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tonic::transport::Channel;

/// Bytes of an answer: a list of 100,000 open conversations of about 700 bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 96 * 1024 * 1024;

/// Asks and waits for the answer.
pub(crate) async fn ask<T: DeserializeOwned>(
    channel: Channel,
    question: &Question,
    deadline: Duration,
) -> Result<T, ApiError> {
    let document = encode(question)?;
    let mut client = RoleServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES);
    let json = document.json.clone();
    let (role, question) = what_is_asked(&json);
    let asked = Call { name: "role.ask", role, question };
    let send = |request| async move { client.ask(request).await };
    let answer = call(asked, document, deadline, send).await;
    decode(&answer.map_err(|status| error_from_status(&status))?)
}
