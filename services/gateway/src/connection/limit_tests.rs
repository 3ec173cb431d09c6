//! What clients may not have more of, and how they are told.

use super::tests::{error, message, start};
use crate::testing::{TestClient, World};
use frontdesk_proto::v1::{self, ErrorCode, client_frame::Request, server_frame::Frame};

#[tokio::test]
async fn ten_thousand_rapid_sends_are_limited_and_the_connection_is_kept() {
    let world = World::start().await;
    let (mut client, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let id = start(&mut client).await;
    let (mut sent, mut limited) = (0, 0);
    for batch in 0..160 {
        let frames = (0..63)
            .map(|n| v1::ClientFrame {
                id: 1_000 + n,
                request: Some(message(&id, &format!("{batch}-{n}"), "x")),
            })
            .collect();
        client.send_batch(&v1::ClientBatch { frames }).await;
        for n in 0..63 {
            match client.answer(1_000 + n).await {
                Frame::Sent(_) => sent += 1,
                other => {
                    let (code, e) = error(other);
                    assert_eq!(code, ErrorCode::RateLimited);
                    assert!(e.retryable && e.retry_after.is_some());
                    limited += 1;
                }
            }
        }
    }
    assert!(sent >= 39, "{sent}");
    assert!(limited > 1_000, "{limited}");
    assert_eq!(client.closed, None);
}

#[tokio::test]
async fn a_person_has_only_so_many_connections_and_says_hello_in_time() {
    let world = World::with(|s| {
        s.max_connections_per_person = 1;
        s.hello_timeout_seconds = 1;
    })
    .await;
    let token = world.visitor();
    let (_first, _) = TestClient::hello(&world, true, token.clone(), vec![]).await;
    let mut second = TestClient::connect(&world, true).await;
    second.send(1, Request::Hello(v1::Hello { token, ..Default::default() })).await;
    assert_eq!(second.close_code().await, Some(4100));
    let mut silent = TestClient::connect(&world, true).await;
    assert_eq!(silent.close_code().await, Some(4204));
}

#[tokio::test]
async fn a_site_has_only_so_many_connections() {
    let world = World::with(|s| s.max_connections_per_site = 2).await;
    let (_first, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let (second, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let hello = || Request::Hello(v1::Hello { token: world.visitor(), ..Default::default() });
    let mut third = TestClient::connect(&world, true).await;
    third.send(1, hello()).await;
    assert_eq!(third.close_code().await, Some(4100));
    drop(second);
    // Its place is free again once the server has noticed.
    loop {
        let mut fourth = TestClient::connect(&world, true).await;
        fourth.send(1, hello()).await;
        let answer = fourth.next().await.and_then(|frame| frame.frame);
        if matches!(answer, Some(Frame::Welcome(_))) {
            break;
        }
    }
}

/// Says Hello as a new visitor of whom a proxy says that it is at `address`.
async fn hello_from(world: &World, address: &str) -> (TestClient, Option<u16>) {
    let headers = [("x-forwarded-for", address)];
    let mut client = TestClient::connect_with(world, true, &headers).await;
    let hello = v1::Hello { token: world.visitor(), ..Default::default() };
    // A refused one may have been closed before it is read.
    client.send(1, Request::Hello(hello)).await;
    let welcome = matches!(client.next().await.and_then(|f| f.frame), Some(Frame::Welcome(_)));
    let closed = if welcome { None } else { client.close_code().await };
    (client, closed)
}

#[tokio::test]
async fn an_address_has_only_so_many_connections() {
    let world = World::with(|s| s.max_connections_per_address = 1).await;
    let (_first, closed) = hello_from(&world, "198.51.100.1").await;
    assert_eq!(closed, None);
    // Nobody is trusted: both come from this machine, whatever they say.
    assert_eq!(hello_from(&world, "198.51.100.2").await.1, Some(4100));
}

#[tokio::test]
async fn a_trusted_proxy_says_whose_connections_it_brings() {
    let world = World::with(|s| {
        s.max_connections_per_address = 1;
        s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let (_first, closed) = hello_from(&world, "198.51.100.1").await;
    assert_eq!(closed, None);
    let (_other, closed) = hello_from(&world, "198.51.100.2, 127.0.0.2").await;
    assert_eq!(closed, None);
    let made_up = "203.0.113.9, 198.51.100.1:4711";
    assert_eq!(hello_from(&world, made_up).await.1, Some(4100));
}

#[tokio::test]
async fn at_most_five_conversations_are_open_and_a_retry_opens_none() {
    let world = World::start().await;
    let (mut client, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let mut last = String::new();
    for _ in 0..5 {
        last = start(&mut client).await;
    }
    let with = |conversation_id: String, queue: &str| {
        let queue = queue.into();
        Request::Start(v1::StartConversation { conversation_id, queue, ..Default::default() })
    };
    assert!(matches!(client.ask(with(last, "")).await, Frame::Conversation(_)));
    let full = client.ask(with(String::new(), "")).await;
    assert_eq!(error(full).0, ErrorCode::FailedPrecondition);
    let (mut other, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let no_queue = other.ask(with(String::new(), "nowhere")).await;
    assert_eq!(error(no_queue).0, ErrorCode::InvalidArgument);
    let v4 = other.ask(with("b2f7e2c0-3c1f-4d6e-9d9b-111111111111".into(), "")).await;
    assert_eq!(error(v4).0, ErrorCode::InvalidArgument);
    let ancient = "00000000-0001-7000-8000-000000000001".to_owned();
    assert_eq!(error(other.ask(with(ancient, "")).await).0, ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn a_client_that_falls_silent_is_let_go_after_two_intervals() {
    let world = World::with(|s| s.ping_interval_seconds = 1).await;
    let (mut client, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
    let ping = client.next().await.and_then(|f| f.frame);
    assert!(matches!(ping, Some(Frame::Ping(_))), "{ping:?}");
    assert_eq!(client.close_code().await, Some(4002));
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let world = World::start().await;
    let life = frontdesk_core::time::Millis::from_secs(2);
    let role = frontdesk_core::party::Role::Visitor;
    let token = world.token_until(role, uuid::Uuid::now_v7(), life);
    let (mut client, _) = TestClient::hello(&world, false, token, vec![]).await;
    assert_eq!(client.close_code().await, Some(4201));
}
