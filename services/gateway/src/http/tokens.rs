//! `POST /v1/visitor/token` and `POST /v1/agent/sign-in`.

use super::error::{Failure, json};
use super::origin_of;
use crate::auth;
use crate::peer::Peer;
use crate::shared::Shared;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Bytes of a request's body: two tokens fit.
const MAX_BODY_BYTES: usize = 32 * 1024;

pub(super) async fn visitor(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let request: v1::IssueVisitorTokenRequest = read(body).await?;
    let site = auth::site_of_key(&shared, &request.site_key, origin_of(&headers)).await?;
    let token = auth::visitor_token(&shared, &site.id, &request.previous_token)?;
    Ok(json(StatusCode::OK, &token))
}

pub(super) async fn sign_in(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    body: Body,
) -> Result<Response, Failure> {
    let request: v1::SignInRequest = read(body).await?;
    let token = auth::sign_in(&shared, address, &request).await?;
    Ok(json(StatusCode::OK, &token))
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| {
        let error = ApiError::Invalid("the body is too large or was cut off".into());
        Failure::with_status(StatusCode::PAYLOAD_TOO_LARGE, error)
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|e| ApiError::Invalid(format!("the body is not valid JSON: {e}")).into())
}
