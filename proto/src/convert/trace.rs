//! Traces on the wire between roles: only of work that is recorded.

use crate::internal;
use frontdesk_core::trace::TraceContext;

/// For the wire.
pub fn trace_to_proto(trace: TraceContext) -> internal::TraceContext {
    let (trace_high, trace_low) = trace.halves();
    internal::TraceContext { trace_high, trace_low, span: trace.span.get() }
}

/// From the wire; `None` when it is none.
pub fn trace_from_proto(trace: &internal::TraceContext) -> Option<TraceContext> {
    TraceContext::from_halves(trace.trace_high, trace.trace_low, trace.span, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_survives_the_wire() {
        let trace = TraceContext::new(1 << 100 | 5, 9, true).unwrap();
        assert_eq!(trace_from_proto(&trace_to_proto(trace)), Some(trace));
        assert_eq!(trace_from_proto(&internal::TraceContext::default()), None);
    }
}
