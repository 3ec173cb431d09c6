//! The part of traces between mailbox and bus. Nothing here is done, or allocated, for
//! what is not recorded.

use super::ready::Encoded;
use frontdesk_core::ids::Epoch;
use frontdesk_core::trace::TraceContext;
use frontdesk_telemetry::traces::{Kind, Span};

/// Begins the commit of an append: a span in the trace of each event that is recorded,
/// linked to those of the others in the same append.
pub(super) fn begin_commit(events: &mut [Encoded], epoch: Epoch) -> Vec<Span> {
    let recorded = |event: &Encoded| event.trace.as_deref().copied();
    let all: Vec<TraceContext> = events.iter().filter_map(recorded).collect();
    let count = events.len();
    let mut spans = Vec::new();
    for event in events.iter_mut() {
        let Some(trace) = event.trace.as_deref_mut() else { continue };
        let mut span = Span::under("journal.commit", Kind::Client, *trace);
        span.set("records", count as i64);
        span.set("seq", i64::from(event.record.seq.get()));
        span.set("epoch", epoch.get() as i64);
        all.iter().filter(|other| other.trace != trace.trace).for_each(|other| span.link(*other));
        // What follows is done under the commit.
        *trace = span.context();
        spans.push(span);
    }
    spans
}

/// The commit has come to this: refused, or nobody knows, is a failure.
pub(super) fn end_commit(spans: &mut Vec<Span>, outcome: Result<(), &'static str>) {
    spans.drain(..).for_each(|span| span.finish(outcome));
}

/// The publish of an event to so many gateways: what readers do is done under it.
pub(super) fn publish(trace: TraceContext, gateways: usize) -> TraceContext {
    let mut span = Span::under("bus.publish", Kind::Producer, trace);
    span.set("gateways", gateways as i64);
    span.context()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_recorded_costs_no_allocation() {
        let none: Vec<Span> = begin_commit(&mut [], Epoch::new(1));
        assert_eq!(none.capacity(), 0);
    }
}
