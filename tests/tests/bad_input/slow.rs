//! Clients that say nothing, hear nothing, or are gone without a word.

use crate::raw::{RawSocket, TEXT};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{Cursor, Subscribe};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::Wire;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

const NO_HELLO: u32 = 4204;
const SILENT: u16 = 4002;
const TOO_SLOW: u16 = 4001;

/// Clients that do not read, and what is said meanwhile: together
/// 16 × 300 × 32 KiB = 150 MiB, if it were all kept for them.
const DEAF: usize = 16;
const MESSAGES: usize = 300;
const MESSAGE_BYTES: usize = 32 * 1024;
/// 16 × the hard limit of a connection's outbox (2 MiB), and as much again for
/// everything else.
const MEMORY_GROWTH: u64 = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_hello_is_ended() {
    let server = Plan::default().set("gateway.hello_timeout_seconds", 1).start().await;
    for carrier in Carrier::ALL {
        let mut wire = Wire::connect(&server, carrier).await;
        assert_eq!(wire.end().await, NO_HELLO, "{carrier:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_noticed() {
    let server = Plan::default().set("gateway.ping_interval_seconds", 1).start().await;
    let token = server.visitor_token().await.token;
    let gone = RawSocket::hello(&server, &token).await;
    // Its pings arrive somewhere, but nothing ever comes back.
    assert_eq!(gone.end().await, Some(SILENT));
    // Who answers pings stays, however little it has to say.
    let (mut quiet, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let gone = RawSocket::hello(&server, &token).await;
    assert_eq!(quiet.attend(gone.end()).await, Some(SILENT));
    let id = quiet.start("still here").await.conversation_id;
    quiet.say(&id, "and alive").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_harm_nobody() {
    let plan = Plan::default().set("gateway.ping_interval_seconds", 1);
    let plan = plan.set("gateway.requests_per_second", 100_000);
    let server = plan.set("gateway.request_burst", 100_000).start().await;
    let token = server.visitor_token().await.token;
    let (mut talker, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    let id = talker.start("first").await.conversation_id;
    let (mut listener, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    listener.subscribe(&id).await;
    let before = server.process().resident_bytes();

    let mut deaf = Vec::new();
    for _ in 0..DEAF {
        deaf.push(tokio::spawn(never_read(deaf_client(&server, &token, &id).await)));
    }
    let padding = "x".repeat(MESSAGE_BYTES - 20);
    let mut most = before;
    for n in 0..MESSAGES {
        let words = format!("{n} {padding}");
        talker.say(&id, &words).await;
        listener.hear(&words).await;
        most = most.max(server.process().resident_bytes());
    }
    let growth = most.saturating_sub(before);
    println!("grew by {} KiB", growth / 1024);
    assert!(growth < MEMORY_GROWTH, "{growth} bytes are kept for those who do not read");
    for client in deaf {
        let code = client.await.expect("the client does not panic");
        // The frame with the code is lost when the socket had to be cut.
        assert!(matches!(code, None | Some(TOO_SLOW)), "{code:?}");
    }
}

/// A client of this conversation, from its first event on.
async fn deaf_client(server: &Server, token: &str, id: &str) -> RawSocket {
    let mut client = RawSocket::hello(server, token).await;
    let cursor = Some(Cursor { conversation_id: id.to_owned(), seq: 0 });
    client.request(Request::Subscribe(Subscribe { cursor })).await;
    client
}

/// Gives signs of life and reads nothing until the server has had enough; then
/// reads what there is for the code.
async fn never_read(mut client: RawSocket) -> Option<u16> {
    let mut ticks = interval(Duration::from_millis(250));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if client.send(TEXT, b"").await.is_err() {
            return client.end().await;
        }
    }
}
