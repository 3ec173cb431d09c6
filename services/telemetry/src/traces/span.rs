//! One piece of work of a trace that is recorded.

use super::{ids, tell};
use frontdesk_core::trace::TraceContext;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::time::SystemTime;

/// What a span is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Done for somebody who waits.
    Server,
    /// Asked of somebody else.
    Client,
    /// Handed to whoever listens.
    Producer,
    /// Done because of what was heard.
    Consumer,
    /// Between the others.
    Internal,
}

/// A span; told when it is dropped.
#[derive(Debug)]
pub struct Span(Box<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    kind: Kind,
    context: TraceContext,
    parent: SpanId,
    began: SystemTime,
    attributes: Vec<KeyValue>,
    links: Vec<TraceContext>,
    failure: Option<&'static str>,
}

impl Span {
    fn new(name: &'static str, kind: Kind, context: TraceContext, parent: SpanId) -> Self {
        let began = SystemTime::now();
        let (attributes, links) = (Vec::new(), Vec::new());
        Self(Box::new(Inner {
            name,
            kind,
            context,
            parent,
            began,
            attributes,
            links,
            failure: None,
        }))
    }

    /// The first of a trace.
    pub(super) fn root(name: &'static str, kind: Kind) -> Self {
        let context = TraceContext { trace: ids::trace(), span: ids::span(), sampled: true };
        Self::new(name, kind, context, SpanId::INVALID)
    }

    /// Part of another span's work.
    pub fn under(name: &'static str, kind: Kind, parent: TraceContext) -> Self {
        let context = TraceContext { span: ids::span(), ..parent };
        Self::new(name, kind, context, SpanId::from(parent.span.get()))
    }

    /// What others are done under.
    pub fn context(&self) -> TraceContext {
        self.0.context
    }

    /// It began then, not now.
    pub fn began(&mut self, at: SystemTime) {
        self.0.began = at;
    }

    /// Adds a fact: an id, a number, never anything that people wrote.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.attributes.push(KeyValue::new(name, value));
    }

    /// It was done together with this.
    pub fn link(&mut self, other: TraceContext) {
        self.0.links.push(other);
    }

    /// It ends and has failed.
    pub fn fail(mut self, why: &'static str) {
        self.0.failure = Some(why);
    }

    /// It ends.
    pub fn end(self) {}

    /// It ends, with this outcome.
    pub fn finish<T>(self, outcome: Result<T, &'static str>) {
        match outcome {
            Ok(_) => self.end(),
            Err(why) => self.fail(why),
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let inner = &mut *self.0;
        let link = |other: &TraceContext| Link::new(sdk_context(*other), Vec::new(), 0);
        let mut links = SpanLinks::default();
        links.links = inner.links.iter().map(link).collect();
        let status = match inner.failure {
            Some(why) => Status::error(why),
            None => Status::Unset,
        };
        tell(SpanData {
            span_context: sdk_context(inner.context),
            parent_span_id: inner.parent,
            parent_span_is_remote: false,
            span_kind: match inner.kind {
                Kind::Server => SpanKind::Server,
                Kind::Client => SpanKind::Client,
                Kind::Producer => SpanKind::Producer,
                Kind::Consumer => SpanKind::Consumer,
                Kind::Internal => SpanKind::Internal,
            },
            name: inner.name.into(),
            start_time: inner.began,
            end_time: SystemTime::now(),
            attributes: std::mem::take(&mut inner.attributes),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links,
            status,
            instrumentation_scope: InstrumentationScope::builder("frontdesk").build(),
        });
    }
}

fn sdk_context(context: TraceContext) -> SpanContext {
    SpanContext::new(
        TraceId::from(context.trace.get()),
        SpanId::from(context.span.get()),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}
