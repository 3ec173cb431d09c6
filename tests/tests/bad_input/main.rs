//! Whatever a client does wrong gets a clear answer, harms nobody else, and
//! loses nothing.

mod disk;
mod flood;
mod frames;
mod fuzz;
mod http;
mod limits;
mod raw;
mod rights;
mod scopes;
mod settings;
mod slow;
mod tokens;
mod upgrade;

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{Error, ErrorCode};
use frontdesk_tests::wire::Wire;
use std::time::Duration;

/// Sends a request that must be refused with this code; the connection stays.
async fn refused(wire: &mut Wire, request: Request, code: ErrorCode) -> Error {
    let shown = format!("{request:?}").chars().take(160).collect::<String>();
    match wire.request(request).await {
        Err(error) => {
            assert_eq!(error.code(), code, "{shown}: {error:?}");
            assert!(!error.message.is_empty(), "{shown}: no words for the developer");
            assert_eq!(error.retryable, error.retry_after.is_some(), "{shown}: {error:?}");
            error
        }
        Ok(frame) => panic!("{shown} was carried out: {frame:?}"),
    }
}

/// Waits as long as a retryable error asks for.
async fn pause(error: &Error) {
    let wait = error.retry_after.as_ref().expect("a retryable error says how long to wait");
    let wait = Duration::new(wait.seconds as u64, wait.nanos as u32);
    tokio::time::sleep(wait).await;
}

/// Waits for an error that answers no particular request.
async fn error_push(wire: &mut Wire) -> Error {
    wire.push("an error", |frame| match frame {
        Frame::Error(error) => Some(error.clone()),
        _ => None,
    })
    .await
}
