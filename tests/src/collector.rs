//! A collector of traces: takes what processes send over OTLP, for tests to look at.

use crate::deadline::until;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};

/// The way of a message, each done under the one before it.
pub const WAY: [&str; 6] = [
    "gateway.frame",
    "sessions.forward",
    "sessions.mailbox",
    "journal.commit",
    "bus.publish",
    "gateway.delivery",
];

/// A span, and what the process that sent it says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Of the process.
    pub facts: Vec<KeyValue>,
    /// As it came.
    pub span: Span,
}

impl Sent {
    /// A fact of the span, when it is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        text(&self.span.attributes, name)
    }

    /// A fact of the process, when it is a text.
    pub fn process(&self, name: &str) -> Option<String> {
        text(&self.facts, name)
    }

    /// Whether it was done under another, in the same trace.
    pub fn is_under(&self, parent: &Self) -> bool {
        let (own, theirs) = (&self.span, &parent.span);
        own.trace_id == theirs.trace_id && own.parent_span_id == theirs.span_id
    }
}

fn text(facts: &[KeyValue], name: &str) -> Option<String> {
    let fact = facts.iter().find(|fact| fact.key == name)?;
    match &fact.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        _ => None,
    }
}

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
                self.lock().push(Sent { facts: facts.clone(), span });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector; it ends with the test.
pub struct Collector {
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
    /// On a free port.
    pub fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let sink = Sink::default();
        let service = TraceServiceServer::new(sink.clone());
        // Ended when the collector is dropped.
        let task = tokio::spawn(async move {
            let served = tonic::transport::Server::builder().add_service(service).serve(address);
            served.await.expect("the port is free");
        });
        Self { sink, address, task }
    }

    /// Settings by which a process sends this part of its traces here.
    pub fn settings(&self, ratio: f64) -> [(String, String); 2] {
        let named = |name: &str, value| (format!("telemetry.traces.{name}"), value);
        let endpoint = format!("http://{}", self.address);
        [named("endpoint", endpoint), named("ratio", ratio.to_string())]
    }

    /// What has come.
    pub fn sent(&self) -> Vec<Sent> {
        self.sink.lock().clone()
    }

    /// Waits until what has come shows something.
    pub async fn shows<T>(&self, what: &str, find: impl Fn(&[Sent]) -> Option<T>) -> T {
        until(what.to_owned(), || async { find(&self.sent()) }).await
    }
}

/// A delivery to such a reader with `WAY` before it, each under the one before, from a
/// frame that carried such a request.
pub fn way_to(sent: &[Sent], reader: &str, request: &str) -> Option<Vec<Sent>> {
    let is_wanted =
        |sent: &&Sent| sent.span.name == WAY[5] && sent.text("reader").as_deref() == Some(reader);
    sent.iter().filter(is_wanted).find_map(|delivery| {
        let mut way = vec![delivery.clone()];
        while !way[0].span.parent_span_id.is_empty() {
            let parent = sent.iter().find(|other| way[0].is_under(other))?;
            way.insert(0, parent.clone());
        }
        let names: Vec<_> = way.iter().map(|sent| sent.span.name.as_str()).collect();
        (names == WAY && way[0].text("request").as_deref() == Some(request)).then_some(way)
    })
}
