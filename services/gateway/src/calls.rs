//! Calls that are answered once, gRPC's and HTTP's, in traces: begun by the ratio or by
//! the caller's `traceparent`, and told in any case when the fault is not the caller's.
//!
//! The span ends with the head of the answer: what a stream says later is not in it.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use frontdesk_core::trace::TraceContext;
use frontdesk_telemetry::traces::{self, Kind, Span};
use std::time::SystemTime;
use tonic::{Code, Status};

const SPAN: &str = "gateway.call";

/// The trace that a client says it is in, when such are taken over.
pub(crate) fn incoming(headers: &HeaderMap) -> Option<TraceContext> {
    let text = headers.get("traceparent").and_then(|value| value.to_str().ok());
    traces::incoming(text)
}

/// A layer for gRPC services whose methods answer.
pub(crate) async fn grpc(request: Request, next: Next) -> Response {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    recorded(request, next, |span, response| {
        let status = Status::from_header_map(response.headers());
        let code = status.map_or(Code::Ok, |status| status.code());
        // One that is not known may be anything.
        if code != Code::Unimplemented {
            span.set("rpc.method", method);
        }
        span.set("rpc.grpc.status_code", i64::from(i32::from(code)));
    })
    .await
}

/// A layer for one route of HTTP. What the span names is the route: addresses have ids in
/// them.
pub(crate) async fn http(
    State(route): State<&'static str>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    recorded(request, next, |span, response| {
        span.set("http.route", route);
        span.set("http.request.method", method.as_str().to_owned());
        span.set("http.response.status_code", i64::from(response.status().as_u16()));
    })
    .await
}

async fn recorded(
    request: Request,
    next: Next,
    describe: impl FnOnce(&mut Span, &Response),
) -> Response {
    let (parent, began) = (incoming(request.headers()), SystemTime::now());
    let span = traces::begin(SPAN, Kind::Server, parent);
    let response = match &span {
        None => next.run(request).await,
        Some(span) => traces::within(span.context(), next.run(request)).await,
    };
    let outcome = outcome(&response);
    let span = match (span, outcome) {
        (None, Err(_)) => traces::begin_failed(SPAN, Kind::Server, parent),
        (span, _) => span,
    };
    if let Some(mut span) = span {
        span.began(began);
        describe(&mut span, &response);
        span.finish(outcome);
    }
    response
}

/// A failure, unless it is the caller's mistake.
fn outcome(response: &Response) -> Result<(), &'static str> {
    match Status::from_header_map(response.headers()).map(|status| status.code()) {
        Some(Code::Unavailable) => Err("unavailable"),
        Some(Code::DeadlineExceeded) => Err("deadline_exceeded"),
        Some(Code::Internal | Code::Unknown | Code::DataLoss) => Err("internal"),
        Some(_) => Ok(()),
        None => match response.status().as_u16() {
            503 | 504 => Err("unavailable"),
            501 => Ok(()),
            500.. => Err("internal"),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn http(status: u16) -> Response {
        Response::builder().status(status).body(Body::empty()).unwrap()
    }

    fn grpc(code: Code) -> Response {
        Status::new(code, "x").into_http()
    }

    #[test]
    fn a_failure_is_what_the_caller_cannot_help() {
        for status in [200, 304, 400, 401, 404, 409, 429, 501] {
            assert_eq!(outcome(&http(status)), Ok(()), "{status}");
        }
        assert_eq!(outcome(&http(500)), Err("internal"));
        assert_eq!(outcome(&http(503)), Err("unavailable"));
        for code in [Code::NotFound, Code::PermissionDenied, Code::Unimplemented] {
            assert_eq!(outcome(&grpc(code)), Ok(()), "{code}");
        }
        assert_eq!(outcome(&grpc(Code::Internal)), Err("internal"));
        assert_eq!(outcome(&grpc(Code::Unavailable)), Err("unavailable"));
    }
}
