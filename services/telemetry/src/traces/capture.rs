//! Spans for tests to look at, instead of a collector. Nothing is recorded but what is
//! begun under a trace that a test makes up, so that tests do not see each other's.

use super::export::Outlet;
use super::{TRACER, Tracer};
use frontdesk_core::trace::TraceContext;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// Spans of all tests of a process together.
const ROOM: usize = 65_536;

static CAPTURED: OnceLock<Captured> = OnceLock::new();

/// What has been told in this process.
#[derive(Debug)]
pub struct Captured(Mutex<(mpsc::Receiver<SpanData>, Vec<Told>)>);

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Its trace.
    pub trace: u128,
    /// Its own number.
    pub span: u64,
    /// What it was done under; 0 for the first of a trace.
    pub parent: u64,
    /// Why it has failed, if it has.
    pub failure: Option<String>,
}

/// Begins to keep spans, for the rest of the process.
///
/// # Panics
/// When they go to a collector already.
pub fn capture() -> &'static Captured {
    CAPTURED.get_or_init(|| {
        let (spans, waiting) = mpsc::channel(ROOM);
        let outlet = Outlet::uncounted(spans);
        let tracer = Tracer { threshold: 0, incoming: false, outlet };
        TRACER.set(tracer).expect("a test has no collector besides");
        Captured(Mutex::new((waiting, Vec::new())))
    })
}

impl Captured {
    /// What has ended in a trace, in that order.
    pub fn of(&self, trace: TraceContext) -> Vec<Told> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, told) = &mut *kept;
        while let Ok(span) = waiting.try_recv() {
            told.push(Told::from(span));
        }
        told.iter().filter(|told| told.trace == trace.trace.get()).cloned().collect()
    }
}

impl From<SpanData> for Told {
    fn from(span: SpanData) -> Self {
        Self {
            trace: u128::from_be_bytes(span.span_context.trace_id().to_bytes()),
            span: u64::from_be_bytes(span.span_context.span_id().to_bytes()),
            parent: u64::from_be_bytes(span.parent_span_id.to_bytes()),
            name: span.name.into_owned(),
            failure: match span.status {
                Status::Error { description } => Some(description.into_owned()),
                Status::Unset | Status::Ok => None,
            },
        }
    }
}
