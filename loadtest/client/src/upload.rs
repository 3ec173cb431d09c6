//! Files, over HTTP.

use crate::address::Address;
use crate::tls::Inside;
use bytes::Bytes;
use frontdesk_proto::v1::Attachment;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// The longest one upload may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1_024;
const FILE_NAME: &str = "x-file-name";

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The network is broken.
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    /// What was said was not HTTP, or was cut off.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The server refuses.
    #[error("refused with {0}")]
    Refused(StatusCode),
    /// The answer is not what it should be.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// It took too long.
    #[error("no answer within {DEADLINE:?}")]
    Deadline,
}

/// Uploads a file to a conversation that is open.
pub async fn upload(
    address: &Address,
    token: &str,
    conversation: &str,
    name: &str,
    content: &[u8],
) -> Result<Attachment, UploadError> {
    let sending = send(address, token, conversation, name, content);
    tokio::time::timeout(DEADLINE, sending).await.unwrap_or(Err(UploadError::Deadline))
}

async fn send(
    address: &Address,
    token: &str,
    conversation: &str,
    name: &str,
    content: &[u8],
) -> Result<Attachment, UploadError> {
    let io = TokioIo::new(address.connect(Inside::Http1).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/v1/conversations/{conversation}/attachments"))
        .header(header::HOST, address.called())
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(FILE_NAME, utf8_percent_encode(name, NON_ALPHANUMERIC).to_string())
        .body(Full::new(Bytes::copy_from_slice(content)))
        .map_err(|e| UploadError::Unexpected(e.to_string()))?;
    let answering = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(UploadError::Refused(status));
        }
        let answer = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let answer = answer.map_err(|e| UploadError::Unexpected(e.to_string()))?.to_bytes();
        serde_json::from_slice(&answer).map_err(|e| UploadError::Unexpected(e.to_string()))
    };
    tokio::pin!(answering);
    // The connection is driven here: no task of its own.
    tokio::select! {
        answered = &mut answering => answered,
        ended = connection => {
            ended?;
            answering.await
        }
    }
}
