//! The one way of unary calls between processes: within a deadline, and as part of the
//! recorded work they are made for, if there is any. Its `traceparent` goes along as
//! metadata; a process of an earlier version neither sends nor reads it. It is believed
//! here, on internal ports, and nowhere else without being asked.

use frontdesk_core::trace::TraceContext;
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::raft_call::Kind;
use frontdesk_telemetry::traces::{self, Span};
use std::time::Duration;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

/// The metadata's key, as W3C Trace Context has it.
const TRACEPARENT: &str = "traceparent";

/// What a call is to a trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The span's name.
    pub(crate) name: &'static str,
    /// Whom it asks: a role or the service of one.
    pub(crate) role: &'a str,
    /// For what.
    pub(crate) question: &'a str,
}

impl Call<'_> {
    /// A page of a conversation.
    pub(crate) const HISTORY: Self =
        Self { name: "sessions.call", role: "sessions", question: "history" };

    /// A request of one voter to another.
    pub(crate) fn raft(kind: Kind) -> Self {
        Self { name: "raft.call", role: "presence", question: kind.as_str_name() }
    }

    fn describe(&self, span: &mut Span) {
        span.set("role", self.role.to_owned());
        span.set("question", self.question.to_owned());
    }
}

/// Makes a call and tells the other side how long its answer is of use.
///
/// # Errors
/// The other side's, or `DeadlineExceeded`.
pub(crate) async fn call<T, R, F>(
    call: Call<'_>,
    message: T,
    deadline: Duration,
    send: impl FnOnce(Request<T>) -> F,
) -> Result<R, Status>
where
    F: Future<Output = Result<Response<R>, Status>>,
{
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    let mut span = traces::child(call.name, traces::Kind::Client);
    if let Some(span) = &mut span {
        call.describe(span);
        put(request.metadata_mut(), span.context());
    }
    let answer = match tokio::time::timeout(deadline, send(request)).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded("no answer in time")),
    };
    finish(span, &answer);
    answer
}

/// Answers a call; what it asks of others meanwhile is a part of the same work.
pub(crate) async fn answer<R>(
    metadata: &MetadataMap,
    call: Call<'_>,
    work: impl Future<Output = Result<R, Status>>,
) -> Result<Response<R>, Status> {
    let answer = match get(metadata) {
        None => work.await,
        Some(parent) => {
            let mut span = Span::under(call.name, traces::Kind::Server, parent);
            call.describe(&mut span);
            let answer = traces::within(span.context(), work).await;
            finish(Some(span), &answer);
            answer
        }
    };
    answer.map(Response::new)
}

fn finish<R>(span: Option<Span>, answer: &Result<R, Status>) {
    if let Some(span) = span {
        span.finish(answer.as_ref().map_err(|status| error_from_status(status).as_str()));
    }
}

fn put(metadata: &mut MetadataMap, context: TraceContext) {
    // Digits and hyphens only: it always fits.
    if let Ok(value) = context.to_string().parse() {
        metadata.insert(TRACEPARENT, value);
    }
}

/// Of work that is recorded.
fn get(metadata: &MetadataMap) -> Option<TraceContext> {
    let text = metadata.get(TRACEPARENT)?.to_str().ok()?;
    TraceContext::parse(text).filter(|context| context.sampled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_along_when_it_is_recorded_and_nothing_else_is_read() {
        let context = TraceContext::new(1 << 90 | 3, 7, true).unwrap();
        let mut metadata = MetadataMap::new();
        assert_eq!(get(&metadata), None);
        put(&mut metadata, context);
        assert_eq!(get(&metadata), Some(context));
        put(&mut metadata, TraceContext { sampled: false, ..context });
        assert_eq!(get(&metadata), None);
        for wrong in ["", "00-1-2-01", "what is this"] {
            metadata.insert(TRACEPARENT, wrong.parse().unwrap());
            assert_eq!(get(&metadata), None, "{wrong}");
        }
    }

    const CALL: Call<'static> = Call { name: "x", role: "desk", question: "site" };

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_with_its_deadline_and_says_so_to_the_other_side() {
        let asked = call(CALL, (), Duration::from_secs(3), |request| async move {
            assert!(request.metadata().contains_key("grpc-timeout"));
            assert!(!request.metadata().contains_key(TRACEPARENT), "it is not recorded");
            std::future::pending::<Result<Response<()>, Status>>().await
        });
        assert_eq!(asked.await.unwrap_err().code(), tonic::Code::DeadlineExceeded);
        let answered = answer(&MetadataMap::new(), CALL, async { Ok(5) }).await;
        assert_eq!(answered.unwrap().into_inner(), 5);
    }

    #[tokio::test]
    async fn a_recorded_call_has_a_span_at_either_end_and_goes_on_from_there() {
        let captured = traces::capture();
        let began = TraceContext::new(11 << 70, 4, true).unwrap();
        let there = |request: Request<()>| async move {
            let work = async {
                let onward = traces::child("onward", traces::Kind::Internal);
                onward.expect("it is recorded here, too").end();
                Err::<(), _>(Status::unavailable("not now"))
            };
            answer(request.metadata(), CALL, work).await
        };
        let asked = call(CALL, (), Duration::from_secs(3), there);
        traces::within(began, asked).await.unwrap_err();
        let told = captured.of(began);
        let [onward, server, client] = &told[..] else { panic!("{told:#?}") };
        assert_eq!((client.parent, server.parent, onward.parent), (4, client.span, server.span));
        let failures = [client, server, onward].map(|told| told.failure.as_deref());
        assert_eq!(failures, [Some("unavailable"), Some("unavailable"), None]);
    }
}
