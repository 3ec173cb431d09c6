//! The gRPC carrier with a client made by tonic.

use crate::codec::MAX_BATCH_BYTES;
use crate::testing::{AGENT_EMAIL, PASSWORD, SITE_KEY, World};
use frontdesk_proto::v1::admin_service_client::AdminServiceClient;
use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::chat_service_client::ChatServiceClient;
use frontdesk_proto::v1::client_frame::Request as Ask;
use frontdesk_proto::v1::{self, server_frame::Frame};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};

async fn channel(world: &World) -> Channel {
    let uri = format!("http://{}", world.gateway.local_addr());
    Channel::from_shared(uri).unwrap().connect().await.unwrap()
}

fn batch(requests: Vec<Ask>) -> v1::ClientBatch {
    let frame = |(i, r)| v1::ClientFrame { id: i as u32 + 1, request: Some(r) };
    v1::ClientBatch { frames: requests.into_iter().enumerate().map(frame).collect() }
}

fn hello(token: String) -> Ask {
    Ask::Hello(v1::Hello { token, ..Default::default() })
}

async fn chat(world: &World) -> (mpsc::Sender<v1::ClientBatch>, Streaming<v1::ServerBatch>) {
    let (out, requests) = mpsc::channel(4);
    let mut client = ChatServiceClient::new(channel(world).await);
    let stream = client.chat(ReceiverStream::new(requests)).await.unwrap().into_inner();
    (out, stream)
}

/// All frames until the stream ends.
async fn rest(stream: &mut Streaming<v1::ServerBatch>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Ok(Some(batch)) = stream.message().await {
        frames.extend(batch.frames.into_iter().filter_map(|f| f.frame));
    }
    frames
}

#[tokio::test]
async fn a_client_that_half_closes_gets_all_its_answers() {
    let world = World::start().await;
    let mut auth = AuthServiceClient::new(channel(&world).await);
    let request = v1::IssueVisitorTokenRequest { site_key: SITE_KEY.into(), ..Default::default() };
    let token = auth.issue_visitor_token(request).await.unwrap().into_inner().token;
    let (out, mut stream) = chat(&world).await;
    let start = Ask::Start(v1::StartConversation::default());
    out.send(batch(vec![hello(token), start])).await.unwrap();
    drop(out);
    let frames = rest(&mut stream).await;
    assert!(matches!(frames[0], Frame::Welcome(_)));
    assert!(frames.iter().any(|f| matches!(f, Frame::Conversation(_))));
    let events = frames.iter().filter(|f| matches!(f, Frame::Event(_))).count();
    assert_eq!(events, 2, "started and queued");
}

#[tokio::test]
async fn what_is_too_large_or_malformed_ends_with_a_bye() {
    let world = World::start().await;
    let (out, mut stream) = chat(&world).await;
    let huge = hello("x".repeat(MAX_BATCH_BYTES));
    out.send(batch(vec![huge])).await.unwrap();
    let frames = rest(&mut stream).await;
    let Some(Frame::Bye(bye)) = frames.last() else { panic!("no bye: {frames:?}") };
    assert_eq!(bye.code, 4203);
}

#[tokio::test]
async fn only_supervisors_look_into_the_system_and_they_can_follow() {
    let world = World::start().await;
    let (out, mut stream) = chat(&world).await;
    let start = Ask::Start(v1::StartConversation::default());
    out.send(batch(vec![hello(world.visitor()), start])).await.unwrap();
    let id = loop {
        let batch = stream.message().await.unwrap().unwrap();
        let state = batch.frames.into_iter().find_map(|f| match f.frame {
            Some(Frame::Conversation(state)) => Some(state),
            _ => None,
        });
        if let Some(state) = state {
            break state.conversation_id;
        }
    };
    let mut admin = AdminServiceClient::new(channel(&world).await);
    let with = |token: &str| {
        let cursor = v1::Cursor { conversation_id: id.clone(), seq: 0 };
        let mut request = Request::new(v1::FollowConversationRequest { cursor: Some(cursor) });
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    };
    let refused = admin.follow_conversation(with(&world.agent())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = admin.follow_conversation(with("garbage")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut events =
        admin.follow_conversation(with(&world.supervisor())).await.unwrap().into_inner();
    let close = Ask::Close(v1::CloseConversation { conversation_id: id.clone() });
    out.send(batch(vec![close])).await.unwrap();
    for seq in 1..=3 {
        let push = events.message().await.unwrap().unwrap();
        assert_eq!((push.event.unwrap().seq, push.prev), (seq, seq - 1));
    }
}

#[tokio::test]
async fn sign_in_over_grpc() {
    let world = World::start().await;
    let mut auth = AuthServiceClient::new(channel(&world).await);
    let mut request = v1::SignInRequest {
        site: "demo".into(),
        email: AGENT_EMAIL.into(),
        password: PASSWORD.into(),
    };
    assert_eq!(auth.sign_in(request.clone()).await.unwrap().into_inner().site, "demo");
    request.password = "wrong".into();
    let refused = auth.sign_in(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
