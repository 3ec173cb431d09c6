//! Traces: what a piece of work did, where, and how long it took, told to a collector
//! over OTLP.
//!
//! Which traces are recorded is decided where they begin, by a ratio; what fails is
//! recorded in any case, and so is what a client wants recorded, both up to a ration.
//! Whoever does a part of what is recorded is told, and decides nothing. Work that is not
//! recorded costs one look at an atomic and a draw of a number: nothing is allocated for
//! it, and nothing is carried on.

#[cfg(feature = "capture")]
mod capture;
mod current;
mod export;
mod ids;
mod ration;
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

impl Tracer {
    /// A draw by the ratio.
    fn draws(&self) -> bool {
        self.threshold > 0 && ids::draw() <= self.threshold
    }

    fn begin(&self, name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Option<Span> {
        match parent {
            None => self.draws().then(|| Span::root(name, kind)),
            // What the ratio takes anyhow is not from the ration.
            Some(parent) if parent.sampled => (self.draws() || self.outlet.incoming.takes())
                .then(|| Span::under(name, kind, parent)),
            // Whoever began it has decided.
            Some(_) => None,
        }
    }
}

/// Begins work that nothing else of this system asked for: a span when it is to be
/// recorded. Its parent is a client's, who may want everything recorded: beyond a ration
/// the ratio decides, and what it takes is under that parent all the same.
pub fn begin(name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Option<Span> {
    TRACER.get()?.begin(name, kind, parent)
}

/// Work that was not recorded has failed: a span for it all the same, unless too many
/// have been told in this second. Whoever gets it says when it began and why it failed.
pub fn begin_failed(name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Option<Span> {
    let tracer = TRACER.get()?;
    tracer.outlet.failures.takes().then(|| match parent {
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
    use super::export::INCOMING_PER_SECOND;
    use super::*;
    use std::time::Duration;
    use tokio::sync::mpsc;

    fn tracer(ratio: f64) -> Tracer {
        let outlet = Outlet::uncounted(mpsc::channel(1).0);
        Tracer { threshold: threshold(ratio), incoming: true, outlet }
    }

    /// Of so many requests of one connection, those that are recorded.
    fn recorded(tracer: &Tracer, requests: usize, parent: Option<TraceContext>) -> Vec<Span> {
        (0..requests).filter_map(|_| tracer.begin("x", Kind::Server, parent)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_only_so_much_recorded_a_second() {
        let (tracer, wants) = (tracer(0.0), TraceContext::new(7, 9, true));
        let most = INCOMING_PER_SECOND as usize;
        let spans = recorded(&tracer, 10 * most, wants);
        assert_eq!(spans.len(), most);
        assert!(spans.iter().all(|span| span.context().trace.get() == 7));
        // It is one ration for all, however many connections it is tried with.
        assert!(recorded(&tracer, most, TraceContext::new(8, 9, true)).is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(recorded(&tracer, 10 * most, wants).len(), most);
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_ration_the_ratio_decides_as_for_everybody() {
        let (tracer, wants) = (tracer(0.01), TraceContext::new(7, 9, true));
        while tracer.outlet.incoming.takes() {}
        let spans = recorded(&tracer, 100_000, wants);
        assert!((700..1_300).contains(&spans.len()), "{} of 100000", spans.len());
        let is_theirs = |span: &Span| span.context().trace.get() == 7 && span.context().sampled;
        assert!(spans.iter().all(is_theirs), "it joins the client's trace");
        let others = recorded(&tracer, 100_000, None).len();
        assert!((700..1_300).contains(&others), "{others} of 100000");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_ratio_takes_or_a_client_does_not_want_is_not_from_the_ration() {
        let all = tracer(1.0);
        assert_eq!(recorded(&all, 1_000, TraceContext::new(7, 9, true)).len(), 1_000);
        assert!(recorded(&all, 1_000, TraceContext::new(7, 9, false)).is_empty());
        let left = (0..1_000).filter(|_| all.outlet.incoming.takes()).count();
        assert_eq!(left as u64, INCOMING_PER_SECOND);
    }

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
