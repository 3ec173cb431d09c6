//! Traces as a collector gets them: one shows a message from its frame to the other
//! party's socket, what is refused is traced though nothing else is, and of what a client
//! wants recorded only so much.

use bytes::Bytes;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request as Ask;
use frontdesk_proto::v1::{
    AgentStatus, Attachment, ClientBatch, ClientFrame, Hello, SendMessage, ServerBatch,
};
use frontdesk_tests::collector::{Collector, Sent, WAY, way_to};
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message};
use futures::{SinkExt as _, StreamExt as _};
use http::header::{CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderName, HeaderValue, Method};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

fn plan(collector: &Collector, ratio: f64) -> Plan {
    let settings = collector.settings(ratio);
    settings.iter().fold(Plan::default(), |plan, (name, value)| plan.set(name, value))
}

async fn server(collector: &Collector, ratio: f64) -> Server {
    plan(collector, ratio).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_a_message_from_its_frame_to_the_other_party() {
    let collector = Collector::start();
    let mut server = server(&collector, 1.0).await;
    let carrier = Carrier::WebSocketProtobuf;
    let token = server.visitor_token().await.token;
    let mut visitor = Wire::open(&server, carrier, &token).await.0;
    let mut agent = Wire::staff(&server, carrier, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    agent.take(&id).await;
    agent.say(&id, "a traced word").await;
    visitor.hear("a traced word").await;
    // The only message with a file, and the visitor's only one.
    let path = format!("/v1/conversations/{id}/attachments");
    let call = server.http().call_as(&token, Method::POST, &path).header("x-file-name", "a.txt");
    let file = server.http().send(call.header(CONTENT_TYPE, "text/plain"), Bytes::from("a")).await;
    let file: Attachment = file.expect_ok().json();
    visitor.call(SendMessage { attachment_ids: vec![file.id], ..message(&id, "my file") }).await;
    agent.hear("my file").await;

    // What waits is sent at a stop, and nothing is left out.
    drop((visitor, agent));
    assert!(server.terminate().success());
    let sent = collector.sent();
    let way = |reader| {
        way_to(&sent, reader, "send").unwrap_or_else(|| panic!("no way to {reader} in {sent:#?}"))
    };
    for way in [way("visitor"), way("agent")] {
        for (before, after) in way.iter().zip(&way[1..]) {
            let (began, done_under) =
                (before.span.start_time_unix_nano, after.span.start_time_unix_nano);
            assert!(began <= done_under, "{} began before {}", after.span.name, before.span.name);
        }
        assert_eq!(way[2].text("conversation").as_deref(), Some(id.as_str()));
        let mut groups = sent.iter().filter(|sent| sent.span.name == "journal.group");
        assert!(groups.any(|group| group.is_under(&way[3])), "the group it was in is told");
    }
    let routes: Vec<_> = sent.iter().filter_map(|sent| sent.text("http.route")).collect();
    assert!(routes.iter().any(|route| route == "/v1/conversations/{id}/attachments"), "{routes:?}");
    let said = format!("{sent:?}");
    for word in ["a traced word", "my file", "a.txt", &token] {
        assert!(!said.contains(word), "spans hold ids, never what was said: {word}");
    }
    let first = &sent[0];
    assert_eq!(first.process("service.name").as_deref(), Some("frontdesk"));
    assert_eq!(first.process("frontdesk.role").as_deref(), Some("dev"));
    assert!(first.process("service.instance.id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_traced_though_nothing_else_is() {
    let collector = Collector::start();
    let mut server = server(&collector, 0.0).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    visitor.say(&id, "not recorded").await;
    // The caller's mistakes in calls are none of ours.
    let missing = server.http().get("/v1/attachments/none").await;
    assert!(missing.status.is_client_error(), "{missing:?}");
    let nowhere = SendMessage {
        conversation_id: fresh_id(),
        client_msg_id: fresh_id(),
        text: "to nobody".into(),
        ..SendMessage::default()
    };
    visitor.request(Ask::Send(nowhere)).await.expect_err("there is no such conversation");
    let failed = |sent: &[_]| (!sent.is_empty()).then(|| sent.to_vec());
    let failed = collector.shows("the refusal is traced", failed).await;
    drop(visitor);
    assert!(server.terminate().success());
    assert_eq!(failed, collector.sent(), "nothing else is traced");
    let [refused] = &failed[..] else { panic!("more than the refusal: {failed:#?}") };
    assert_eq!(refused.span.name, WAY[0]);
    let status = refused.span.status.clone().unwrap_or_default();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "not_found"));
}

/// A connection that says that it is in a trace.
struct Traced(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Traced {
    async fn open(server: &Server, token: &str, traceparent: &str) -> Self {
        let uri = format!("ws://{}/v1/ws", server.address()).parse().expect("a valid address");
        let named = |name, value| (name, HeaderValue::from_str(value).expect("a valid header"));
        let headers = [
            named(SEC_WEBSOCKET_PROTOCOL, "frontdesk.v1.proto"),
            named(HeaderName::from_static("traceparent"), traceparent),
        ];
        let builder = headers.into_iter().fold(ClientBuilder::from_uri(uri), |builder, header| {
            builder.add_header(header.0, header.1).expect("it is not the handshake's own")
        });
        let (socket, _) = builder.connect().await.expect("upgraded");
        let mut traced = Self(socket);
        let hello = Hello { token: token.to_owned(), ..Hello::default() };
        traced.call(vec![Ask::Hello(hello)]).await;
        traced
    }

    /// Sends requests together and waits until all are answered.
    async fn call(&mut self, requests: Vec<Ask>) {
        let frame = |(id, request)| ClientFrame { id, request: Some(request) };
        let frames: Vec<_> = (1..).zip(requests).map(frame).collect();
        let mut unanswered = frames.len();
        let batch = ClientBatch { frames }.encode_to_vec();
        self.0.send(Message::binary(batch)).await.expect("the server reads");
        while unanswered > 0 {
            let told = step("answers", self.0.next()).await.expect("it stays open");
            let told = told.expect("it stays open").into_payload();
            let told = ServerBatch::decode(&told[..]).expect("a batch");
            unanswered -= told.frames.iter().filter(|frame| frame.id != 0).count();
        }
    }
}

/// Frames that were to be recorded and are not.
async fn turned_away(server: &Server) -> usize {
    let series = r#"frontdesk_traces_dropped_spans_total{reason="too_many_incoming"} "#;
    let page = server.http().get("/metrics").await.expect_ok().text();
    let value = page.lines().find_map(|line| line.strip_prefix(series));
    value.expect("it is registered").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_a_client_wants_recorded_only_so_much_is() {
    const BATCH: usize = 50;
    let collector = Collector::start();
    let plan = plan(&collector, 0.0).set("gateway.requests_per_second", 100_000);
    let mut server = plan.set("gateway.request_burst", 100_000).start().await;
    let token = server.visitor_token().await.token;
    let mut visitor = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await.0;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    drop(visitor);
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut traced = Traced::open(&server, &token, traceparent).await;
    let say = || Ask::Send(message(&id, "recorded?"));
    traced.call(vec![say()]).await;
    assert_eq!(turned_away(&server).await, 0, "one is not too many");
    let mut said = 1;
    // However slow the machine is: at some time there are too many in a second.
    while turned_away(&server).await == 0 {
        traced.call((0..BATCH).map(|_| say()).collect()).await;
        said += BATCH;
        assert!(said < 20_000, "all is recorded");
    }
    let turned_away = turned_away(&server).await;
    drop(traced);
    assert!(server.terminate().success());
    let is_theirs = |sent: &&Sent| {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let (trace, parent) = (hex(&sent.span.trace_id), hex(&sent.span.parent_span_id));
        sent.span.name == WAY[0] && traceparent == format!("00-{trace}-{parent}-01")
    };
    let sent = collector.sent();
    let frames = sent.iter().filter(is_theirs).count();
    assert_eq!(frames, said - turned_away, "each is told, or counted as turned away");
    let forwards = sent.iter().filter(|sent| sent.span.name == WAY[1]).count();
    assert_eq!(forwards, frames, "and done as its frame is recorded");
}
