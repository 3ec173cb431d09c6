//! Which recorded work a task is at, for those who are asked to do a part of it by way
//! of a trait that knows nothing of traces. Only recorded work is ever entered here: all
//! other work finds nothing, for the price of two looks at memory.

use super::{Kind, Span, TRACER};
use frontdesk_core::trace::TraceContext;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The recorded work that this task is at.
pub fn current() -> Option<TraceContext> {
    TRACER.get()?;
    CURRENT.try_with(|context| *context).ok()
}

/// Begins a part of the recorded work that this task is at.
pub fn child(name: &'static str, kind: Kind) -> Option<Span> {
    current().map(|context| Span::under(name, kind, context))
}

/// Does something as a part of recorded work. Tasks that it spawns are none.
pub async fn within<F: Future>(context: TraceContext, work: F) -> F::Output {
    CURRENT.scope(context, work).await
}

/// The same for what does not wait. What it gives back may be done elsewhere.
pub fn within_now<T>(context: TraceContext, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(context, work)
}
