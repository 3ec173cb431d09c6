//! Traces: what a piece of work did, where, and how long it took, told to a collector
//! over OTLP.
//!
//! Which traces are recorded is decided where they begin, by a ratio; what fails is
//! recorded in any case. Work that is not recorded costs one look at an atomic and a
//! draw of a number: nothing is allocated for it, and nothing is carried on.

#[cfg(feature = "capture")]
mod capture;
mod current;
mod export;
mod ids;
mod settings;
mod span;

#[cfg(feature = "capture")]
pub use capture::{Captured, Told, capture};
pub use current::{child, current, within, within_now};
pub use export::Exporting;
pub use settings::{TraceSettings, TracesError};
pub use span::{Kind, Span};

use export::Outlet;
use frontdesk_core::trace::TraceContext;
use std::sync::OnceLock;

/// What this process traces with, once that is set up.
static TRACER: OnceLock<Tracer> = OnceLock::new();

#[derive(Debug)]
struct Tracer {
    /// A drawn number below it is recorded.
    threshold: u64,
    /// Whether what comes with a `traceparent` belongs to that trace.
    incoming: bool,
    outlet: Outlet,
}

/// Who tells.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The role, or `dev` for all of them.
    pub role: String,
    /// Name of the process.
    pub instance: String,
}

/// Starts tracing for the process when a collector is configured. To be called within a
/// runtime; whoever gets the task stops it last.
pub fn init_traces(
    settings: &TraceSettings,
    identity: &Identity,
) -> Result<Option<Exporting>, TracesError> {
    settings.check()?;
    if settings.endpoint.is_empty() {
        return Ok(None);
    }
    let (outlet, exporting) = export::start(settings, identity)?;
    let tracer =
        Tracer { threshold: threshold(settings.ratio), incoming: settings.incoming, outlet };
    TRACER.set(tracer).map_err(|_| TracesError::Twice)?;
    Ok(Some(exporting))
}

/// So much of all numbers.
fn threshold(ratio: f64) -> u64 {
    if ratio >= 1.0 { u64::MAX } else { (ratio.max(0.0) * u64::MAX as f64) as u64 }
}

/// The trace that a client says it is in, when such are taken over.
pub fn incoming(traceparent: Option<&str>) -> Option<TraceContext> {
    let tracer = TRACER.get()?;
    traceparent.filter(|_| tracer.incoming).and_then(TraceContext::parse)
}

/// Begins work that nothing else of this system asked for: a span when it is to be
/// recorded.
pub fn begin(name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Option<Span> {
    let tracer = TRACER.get()?;
    match parent {
        Some(parent) if parent.sampled => Some(Span::under(name, kind, parent)),
        // Whoever began it has decided.
        Some(_) => None,
        None if tracer.threshold > 0 && ids::draw() <= tracer.threshold => {
            Some(Span::root(name, kind))
        }
        None => None,
    }
}

/// Work that was not recorded has failed: a span for it all the same, unless too many
/// have been told in this second. Whoever gets it says when it began and why it failed.
pub fn begin_failed(name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Option<Span> {
    let tracer = TRACER.get()?;
    tracer.outlet.takes_a_failure().then(|| match parent {
        Some(parent) => Span::under(name, kind, parent),
        None => Span::root(name, kind),
    })
}

fn tell(span: opentelemetry_sdk::trace::SpanData) {
    if let Some(tracer) = TRACER.get() {
        tracer.outlet.put(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_part_of_all_draws() {
        assert_eq!((threshold(0.0), threshold(-1.0)), (0, 0));
        assert_eq!((threshold(1.0), threshold(7.0)), (u64::MAX, u64::MAX));
        let drawn = 100_000;
        let hits = (0..drawn).filter(|_| ids::draw() <= threshold(0.01)).count();
        assert!((700..1_300).contains(&hits), "{hits} of {drawn}");
    }

    #[test]
    fn without_a_collector_nothing_is_begun() {
        let parent = TraceContext::new(1, 1, true);
        let kind = Kind::Server;
        assert!(begin("x", kind, None).is_none() && begin("x", kind, parent).is_none());
        assert!(begin_failed("x", kind, None).is_none());
        assert_eq!(incoming(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")), None);
    }
}
