//! Asking one process one question, within a deadline.

use super::document::{decode, encode};
use super::question::Question;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tonic::Request;
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
    let asked = client.ask(grpc_request(document, deadline));
    match tokio::time::timeout(deadline, asked).await {
        Ok(Ok(answer)) => decode(answer.get_ref()),
        Ok(Err(status)) => Err(error_from_status(&status)),
        Err(_) => Err(ApiError::unavailable("no answer in time")),
    }
}

/// A request that tells the other side how long its answer is of use.
pub(crate) fn grpc_request<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}
