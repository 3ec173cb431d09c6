//! Bytes that are no batch, batches that are no requests, requests of a later
//! version.

use crate::raw::{BINARY, RawSocket, TEXT};
use crate::{error_push, refused};
use bytes::{Buf as _, Bytes};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ClientFrame, ErrorCode, Hello, ListConversations, SendMessage, ServerBatch, SetStatus,
};
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, fresh_id, message, texts};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::json;
use tokio::net::TcpStream;

const PROTOCOL_ERROR: u32 = 4202;
const TOO_LARGE: u32 = 4203;
/// Of the documentation of `ClientBatch`.
const MAX_BATCH: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn malformed_batches_end_only_their_own_connection() {
    let server = Server::start().await;
    let mut bystander = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = bystander.start("I do nothing wrong").await.conversation_id;
    let texts = [
        "{\"frames\":[",
        "nonsense",
        "[]",
        "{\"frames\":{}}",
        "{\"frames\":[{\"id\":-1}]}",
        "{\"frames\":[{\"id\":1,\"send\":\"not an object\"}]}",
        "{\"frames\":[{\"id\":1,\"send\":{\"text\":\"\\ud800\"}}]}",
    ];
    for text in texts {
        let mut wire = Wire::visitor(&server, Carrier::WebSocketJson).await;
        wire.send_raw(text).await;
        assert_eq!(error_push(&mut wire).await.code(), ErrorCode::InvalidArgument, "{text}");
        assert_eq!(wire.end().await, PROTOCOL_ERROR, "{text}");
    }
    for bytes in [&[0x0a, 0xff][..], &[0xff; 40], &[0x0a, 0x02, 0xf2, 0x01], &[0x0b]] {
        let mut wire = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
        wire.send_raw(bytes).await;
        assert_eq!(error_push(&mut wire).await.code(), ErrorCode::InvalidArgument, "{bytes:?}");
        assert_eq!(wire.end().await, PROTOCOL_ERROR, "{bytes:?}");
    }
    bystander.say(&id, "and am heard").await;
}

/// Sends one gRPC message of these bytes; gives the frames that came back.
async fn over_grpc(server: &Server, message: &[u8]) -> Vec<Frame> {
    let mut body = vec![0];
    body.extend((message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    let request = http::Request::post(format!("{}/frontdesk.v1.ChatService/Chat", server.url()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(body)))
        .expect("a valid request");
    let stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let (io, executor) = (TokioIo::new(stream), TokioExecutor::new());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, io).await.expect("HTTP/2");
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("an answer");
    let mut bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    driver.abort();
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        bytes.advance(1);
        let len = bytes.get_u32() as usize;
        let batch = ServerBatch::decode(bytes.split_to(len)).expect("a ServerBatch");
        frames.extend(batch.frames.into_iter().filter_map(|f| f.frame));
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_grpc_messages_are_refused() {
    let server = Server::start().await;
    for bytes in [&[0x0a, 0xff][..], &[0xff; 40], &[0x0b]] {
        let frames = step("the end of the stream", over_grpc(&server, bytes)).await;
        let [Frame::Error(error), Frame::Bye(bye)] = frames.as_slice() else {
            panic!("not an error and a farewell: {frames:?}");
        };
        assert_eq!((error.code(), bye.code), (ErrorCode::InvalidArgument, PROTOCOL_ERROR));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_kind_of_message_and_invalid_utf8_are_refused() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let mut raw = RawSocket::hello_in_protobuf(&server, &token).await;
    raw.send(TEXT, b"{}").await.expect("the server reads");
    assert_eq!(raw.end().await, Some(4202));
    let mut raw = RawSocket::hello(&server, &token).await;
    let invalid = b"{\"frames\":[{\"id\":1,\"send\":{\"text\":\"\xff\xfe\"}}]}";
    raw.send(TEXT, invalid).await.expect("the server reads");
    assert_eq!(raw.end().await, Some(4202));
    let mut raw = RawSocket::hello(&server, &token).await;
    raw.send(BINARY, b"{}").await.expect("the server reads");
    assert_eq!(raw.end().await, Some(4202));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_websocket_frames_are_refused() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let broken: [&[u8]; 4] = [
        // Not masked.
        b"\x81\x02{}",
        // A reserved bit.
        b"\xc1\x80\x00\x00\x00\x00",
        // An opcode that does not exist.
        b"\x83\x80\x00\x00\x00\x00",
        // A continuation of nothing.
        b"\x80\x80\x00\x00\x00\x00",
    ];
    for bytes in broken {
        let mut raw = RawSocket::hello(&server, &token).await;
        raw.send_bytes(bytes).await;
        assert_eq!(raw.end().await, Some(4202), "{bytes:?}");
    }
    // Says that more than any batch follows; nothing of it is waited for.
    let mut raw = RawSocket::hello(&server, &token).await;
    raw.send_bytes(b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00").await;
    assert!(matches!(raw.end().await, Some(4202 | 4203)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let server = Server::start().await;
    for carrier in Carrier::ALL {
        let mut wire = Wire::visitor(&server, carrier).await;
        let id = wire.start("short").await.conversation_id;
        let largest = batch_of(&id, MAX_BATCH, carrier);
        let error = refused(&mut wire, Request::Send(largest), ErrorCode::InvalidArgument).await;
        assert!(error.message.contains("32 KiB"), "{error:?}");
        let larger = batch_of(&id, MAX_BATCH + 1, carrier);
        wire.send(Request::Send(larger)).await;
        assert_eq!(wire.end().await, TOO_LARGE, "{carrier:?}");
    }
    let mut wire = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let frame =
        ClientFrame { id: 9, request: Some(Request::ListConversations(Default::default())) };
    wire.send_frames(vec![frame; 65]).await;
    assert_eq!(error_push(&mut wire).await.code(), ErrorCode::InvalidArgument);
    assert_eq!(wire.end().await, PROTOCOL_ERROR);
}

/// A message whose batch (request 2 of its connection) has exactly this size.
fn batch_of(conversation: &str, size: usize, carrier: Carrier) -> SendMessage {
    let encoded = |text: &str| {
        let request = Some(Request::Send(SendMessage {
            client_msg_id: "x".into(),
            ..message(conversation, text)
        }));
        let frames = vec![ClientFrame { id: 3, request }];
        let batch = frontdesk_proto::v1::ClientBatch { frames };
        match carrier {
            Carrier::WebSocketJson => {
                serde_json::to_vec(&batch).expect("frames have a JSON form").len()
            }
            Carrier::WebSocketProtobuf | Carrier::Grpc => batch.encoded_len(),
        }
    };
    // Lengths in Protobuf take as many bytes for all texts of about this size.
    let text = "x".repeat(size - 1_000);
    let text = "x".repeat(text.len() + size - encoded(&text));
    SendMessage { client_msg_id: "x".into(), ..message(conversation, &text) }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_kinds_of_requests_are_unimplemented_and_unknown_fields_ignored() {
    let server = Server::start().await;
    let mut json = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = json.start("first").await.conversation_id;
    let later = json!({
        "frames": [
            { "id": 71, "danceTango": { "steps": 8 } },
            { "id": 72, "mood": "sunny", "send": {
                "conversationId": id, "clientMsgId": fresh_id(), "text": "second",
                "sticker": { "name": "cat" }, "priority": [1, 2]
            } },
        ],
        "trace": "abc",
    });
    json.send_raw(later.to_string()).await;
    assert_eq!(json.reply(71).await.map_err(|e| e.code()), Err(ErrorCode::Unimplemented));
    assert!(matches!(json.reply(72).await, Ok(Frame::Sent(_))));
    json.say(&id, "third").await;
    assert_eq!(texts(&json.history(&id).await), ["first", "second", "third"]);

    let mut binary = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let id = binary.start("first").await.conversation_id;
    let batch = [
        frame_of_a_later_version(81, 999, b"tango"),
        frame_of_a_later_version(82, 30, &with_unknown_field(message(&id, "second"))),
        with_unknown(Vec::new()),
    ]
    .concat();
    binary.send_raw(batch).await;
    assert_eq!(binary.reply(81).await.map_err(|e| e.code()), Err(ErrorCode::Unimplemented));
    assert!(matches!(binary.reply(82).await, Ok(Frame::Sent(_))));
    binary.say(&id, "third").await;
    assert_eq!(texts(&binary.history(&id).await), ["first", "second", "third"]);
}

/// A frame with a request in this field, and one more field nobody knows.
fn frame_of_a_later_version(id: u32, field: u32, request: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_key(1, WireType::Varint, &mut frame);
    encode_varint(id.into(), &mut frame);
    encode_bytes(field, request, &mut frame);
    let mut batch = Vec::new();
    encode_bytes(1, &with_unknown(frame), &mut batch);
    batch
}

fn encode_bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn with_unknown_field(message: SendMessage) -> Vec<u8> {
    with_unknown(message.encode_to_vec())
}

fn with_unknown(mut bytes: Vec<u8>) -> Vec<u8> {
    encode_key(1_234, WireType::Varint, &mut bytes);
    encode_varint(5, &mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_out_of_place_are_refused() {
    let server = Server::start().await;
    for carrier in Carrier::ALL {
        let mut wire = Wire::connect(&server, carrier).await;
        let list = Request::ListConversations(ListConversations::default());
        refused(&mut wire, list, ErrorCode::InvalidArgument).await;
        assert_eq!(wire.end().await, PROTOCOL_ERROR, "{carrier:?}");

        let mut wire = Wire::visitor(&server, carrier).await;
        refused(&mut wire, Request::Hello(Hello::default()), ErrorCode::InvalidArgument).await;
        wire.start("goes on").await;
    }
    let mut agent = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.agent(0)).await;
    let unknown = SetStatus { status: 99, reason: String::new() };
    refused(&mut agent, Request::SetStatus(unknown), ErrorCode::InvalidArgument).await;
}
