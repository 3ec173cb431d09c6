//! Ten thousand messages as fast as they go.

use crate::pause;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ClientFrame, ErrorCode};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, message, texts};

const SENDS: u32 = 10_000;
/// Frames of one batch, and how many batches are under way at once.
const BATCH: u32 = 64;
const AHEAD: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_rate_limited_and_what_is_accepted_is_kept() {
    let mut server = Server::start().await;
    let token = server.visitor_token().await.token;
    let (mut wire, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    let id = wire.start("first").await.conversation_id;

    let first_id = 1_000_000;
    let (mut sent, mut answered) = (0, 0);
    let mut accepted = vec!["first".to_owned()];
    let mut limited = 0;
    while answered < SENDS {
        while sent < SENDS && sent - answered <= (AHEAD - 1) * BATCH {
            let batch = sent..SENDS.min(sent + BATCH);
            sent = batch.end;
            let frame = |n| ClientFrame {
                id: first_id + n,
                request: Some(Request::Send(message(&id, &format!("message {n}")))),
            };
            wire.send_frames(batch.map(frame).collect()).await;
        }
        match wire.reply(first_id + answered).await {
            Ok(Frame::Sent(_)) => accepted.push(format!("message {answered}")),
            Ok(other) => panic!("neither sent nor refused: {other:?}"),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::RateLimited, "{error:?}");
                assert!(error.retryable && error.retry_after.is_some(), "{error:?}");
                limited += 1;
            }
        }
        answered += 1;
    }
    println!("{} accepted, {limited} limited", accepted.len());
    assert!(limited > SENDS / 2, "a flood is not let through");
    assert!(accepted.len() > 10, "what the rate allows is let through");

    // The connection is kept, and works again as soon as the rate allows.
    let after = message(&id, "after the flood");
    loop {
        match wire.request(Request::Send(after.clone())).await {
            Ok(_) => break,
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::RateLimited);
                pause(&error).await;
            }
        }
    }
    accepted.push("after the flood".to_owned());
    server.kill();
    server.start_again().await;
    let (mut wire, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    assert_eq!(texts(&wire.history(&id).await), accepted);
}
