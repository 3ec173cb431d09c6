//! Requests whose trace is recorded. All others pass by here.

use super::{Answer, Handling, Prepared};
use frontdesk_proto::api::ApiError;
use frontdesk_telemetry::traces::{self, Span};
use futures::future::BoxFuture;

/// Begins a request as `frame`, which ends with its answer; what is asked of other roles
/// meanwhile is a part of it.
pub(crate) fn recorded(frame: Span, begin: impl FnOnce() -> Handling) -> Handling {
    let context = frame.context();
    match traces::within_now(context, begin) {
        Handling::Done(answer) => {
            end(frame, &answer);
            Handling::Done(answer)
        }
        Handling::Concurrent(rest) => Handling::Concurrent(answered(frame, rest)),
        Handling::Ordered(first) => Handling::Ordered(Box::pin(async move {
            match traces::within(context, first).await {
                Prepared::Answer(answer) => {
                    end(frame, &answer);
                    Prepared::Answer(answer)
                }
                Prepared::Wait(rest) => Prepared::Wait(answered(frame, rest)),
            }
        })),
    }
}

fn answered(frame: Span, rest: BoxFuture<'static, Answer>) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let answer = traces::within(frame.context(), rest).await;
        end(frame, &answer);
        answer
    })
}

fn end(frame: Span, answer: &Answer) {
    frame.finish(answer.as_ref().map_err(ApiError::as_str));
}
