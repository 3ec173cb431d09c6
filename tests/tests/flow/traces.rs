//! Traces as a collector gets them: one shows a message from its frame to the other
//! party's socket, and what is refused is traced though nothing else is.

use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request as Ask;
use frontdesk_proto::v1::{AgentStatus, SendMessage};
use frontdesk_tests::deadline::until;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};

/// The way of a message, each done under the one before it.
const WAY: [&str; 6] = [
    "gateway.frame",
    "sessions.forward",
    "sessions.mailbox",
    "journal.commit",
    "bus.publish",
    "gateway.delivery",
];

/// A span, and what the process that sent it says of itself.
type Sent = (Vec<KeyValue>, Span);

/// What was sent.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Sent>>>);

impl Sink {
    fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_process in request.into_inner().resource_spans {
            let facts = of_process.resource.unwrap_or_default().attributes;
            for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                self.lock().push((facts.clone(), span));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector; it ends with the test.
struct Collector {
    sink: Sink,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let sink = Sink::default();
        let service = TraceServiceServer::new(sink.clone());
        let task = tokio::spawn(async move {
            let served = tonic::transport::Server::builder().add_service(service).serve(address);
            served.await.expect("the port is free");
        });
        Self { sink, address, task }
    }

    async fn server(&self, ratio: f64) -> Server {
        let endpoint = format!("http://{}", self.address);
        let plan = Plan::default().set("telemetry.traces.endpoint", endpoint);
        plan.set("telemetry.traces.ratio", ratio).start().await
    }

    fn spans(&self) -> Vec<Span> {
        self.sink.lock().iter().map(|(_, span)| span.clone()).collect()
    }
}

fn text(facts: &[KeyValue], name: &str) -> Option<String> {
    let fact = facts.iter().find(|fact| fact.key == name)?;
    match &fact.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        _ => None,
    }
}

/// A delivery to such a reader, and all that it was done under, the delivery last.
fn way_to(spans: &[Span], reader: &str) -> Option<Vec<Span>> {
    let is_wanted = |span: &&Span| {
        span.name == WAY[5] && text(&span.attributes, "reader").as_deref() == Some(reader)
    };
    spans.iter().filter(is_wanted).find_map(|delivery| {
        let mut way = vec![delivery.clone()];
        while let Some(first) = way.first().filter(|first| !first.parent_span_id.is_empty()) {
            let parent = spans.iter().find(|span| {
                span.trace_id == first.trace_id && span.span_id == first.parent_span_id
            })?;
            way.insert(0, parent.clone());
        }
        let names: Vec<_> = way.iter().map(|span| span.name.as_str()).collect();
        (names == WAY).then_some(way)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_a_message_from_its_frame_to_the_other_party() {
    let collector = Collector::start();
    let mut server = collector.server(1.0).await;
    let carrier = Carrier::WebSocketProtobuf;
    let mut visitor = Wire::visitor(&server, carrier).await;
    let mut agent = Wire::staff(&server, carrier, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    agent.take(&id).await;
    agent.say(&id, "a traced word").await;
    visitor.hear("a traced word").await;

    // What waits is sent at a stop, and nothing is left out.
    drop((visitor, agent));
    assert!(server.terminate().success());
    let spans = collector.spans();
    let way = way_to(&spans, "visitor").unwrap_or_else(|| panic!("no such trace in {spans:#?}"));
    for (before, after) in way.iter().zip(&way[1..]) {
        assert_eq!(before.trace_id, after.trace_id);
        let (began, done_under) = (before.start_time_unix_nano, after.start_time_unix_nano);
        assert!(began <= done_under, "{} began before {}", after.name, before.name);
    }
    let told = |n: usize, name| text(&way[n].attributes, name);
    assert_eq!(told(2, "conversation").as_deref(), Some(id.as_str()));
    let said = format!("{spans:?}");
    assert!(!said.contains("a traced word"), "spans hold ids, never what was said");
    let facts = collector.sink.lock()[0].0.clone();
    assert_eq!(text(&facts, "service.name").as_deref(), Some("frontdesk"));
    assert_eq!(text(&facts, "frontdesk.role").as_deref(), Some("dev"));
    assert!(text(&facts, "service.instance.id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_traced_though_nothing_else_is() {
    let collector = Collector::start();
    let mut server = collector.server(0.0).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start_with("Hello", Default::default()).await.conversation_id;
    visitor.say(&id, "not recorded").await;
    let nowhere = SendMessage {
        conversation_id: fresh_id(),
        client_msg_id: fresh_id(),
        text: "to nobody".into(),
        ..SendMessage::default()
    };
    visitor.request(Ask::Send(nowhere)).await.expect_err("there is no such conversation");
    let failed = until("the refusal is traced", || async {
        let spans = collector.spans();
        (!spans.is_empty()).then_some(spans)
    });
    let failed = failed.await;
    drop(visitor);
    assert!(server.terminate().success());
    assert_eq!(failed, collector.spans(), "nothing else is traced");
    let [span] = &failed[..] else { panic!("more than the refusal: {failed:#?}") };
    assert_eq!(span.name, "gateway.frame");
    let status = span.status.clone().unwrap_or_default();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "not_found"));
}
