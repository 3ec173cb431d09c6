//! `GET /v1/conversations/{id}/transcript?format=json|text`: a whole
//! conversation as its reader may see it, sent page by page.

use super::caller;
use super::error::Failure;
use crate::audit;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use crate::verbs::common::event_push;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use frontdesk_core::audit::Act;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::{Audience, Principal, Role};
use frontdesk_proto::api::{ApiError, EventPage, HistoryQuery};
use frontdesk_proto::convert::summary_to_state;
use frontdesk_proto::v1::{self, event::Body as EventBody};
use futures::stream;
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;

const PAGE_EVENTS: u32 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    format: Option<String>,
}

pub(super) async fn transcript(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let who = caller(&shared, &headers).await?;
    let format = match wish.format.as_deref() {
        None | Some("json") => Format::Json,
        Some("text") => Format::Text,
        Some(_) => return Err(ApiError::Invalid("format is json or text".into()).into()),
    };
    let conversation: ConversationId = id.parse()?;
    let asked = shared.deps.sessions.summary(conversation, Some(&who));
    let summary = within(CALL_DEADLINE, "sessions", asked).await?;
    audit::look_of(&shared, &who, peer, Act::READ, &summary).await?;
    let audience = match who.role {
        Role::Visitor => Audience::Public,
        _ => Audience::Internal,
    };
    let state = summary_to_state(&summary, audience);
    let writer = Writer { shared, who, conversation, format, at: Place::Head(Box::new(state)) };
    // The first page comes before the status: most failures show in time.
    let (first, writer) = writer.next().await?;
    let rest = stream::unfold(writer, |writer| async move {
        match writer?.next().await {
            Ok((bytes, writer)) => Some((Ok(bytes), writer)),
            Err(error) => Some((Err(std::io::Error::other(error.to_string())), None)),
        }
    });
    let first = stream::iter([Ok(first)]);
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    let headers = [
        (header::CONTENT_TYPE, format.media_type()),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, body).into_response())
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

enum Place {
    /// Nothing is written yet.
    Head(Box<v1::ConversationState>),
    After(Seq),
}

/// Writes a transcript page by page.
struct Writer {
    shared: Arc<Shared>,
    who: Principal,
    conversation: ConversationId,
    format: Format,
    at: Place,
}

impl Writer {
    /// The next piece, and the writer unless it was the last.
    async fn next(self) -> Result<(Bytes, Option<Self>), ApiError> {
        let mut out = String::new();
        let after = match &self.at {
            Place::Head(state) => {
                self.head(state, &mut out)?;
                Seq::ZERO
            }
            Place::After(seq) => *seq,
        };
        let page = self.page(after).await?;
        for event in &page.events {
            self.event(&event_push(event)?, event.prev, &mut out)?;
        }
        let last = page.events.last().map(|e| e.seq);
        match last.filter(|_| page.more) {
            Some(seq) => Ok((out.into(), Some(Self { at: Place::After(seq), ..self }))),
            None => {
                if self.format == Format::Json {
                    out.push_str("]}");
                }
                Ok((out.into(), None))
            }
        }
    }

    async fn page(&self, after: Seq) -> Result<EventPage, ApiError> {
        let query = HistoryQuery {
            conversation: self.conversation,
            who: Some(self.who.clone()),
            after,
            limit: PAGE_EVENTS,
            backwards: false,
        };
        within(CALL_DEADLINE, "sessions", self.shared.deps.sessions.history(query)).await
    }

    fn head(&self, state: &v1::ConversationState, out: &mut String) -> Result<(), ApiError> {
        match self.format {
            Format::Json => {
                let state = serde_json::to_string(state).map_err(internal)?;
                write!(out, "{{\"conversation\":{state},\"events\":[").map_err(internal)
            }
            Format::Text => {
                writeln!(out, "Conversation {}", state.conversation_id).map_err(internal)
            }
        }
    }

    fn event(&self, push: &v1::EventPush, prev: Seq, out: &mut String) -> Result<(), ApiError> {
        match self.format {
            Format::Json => {
                if prev != Seq::ZERO {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(push).map_err(internal)?);
            }
            Format::Text => {
                if let Some(event) = &push.event {
                    line(event, out).map_err(internal)?;
                }
            }
        }
        Ok(())
    }
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(format!("a transcript cannot be written: {error}"))
}

/// One event for a person to read.
fn line(event: &v1::Event, out: &mut String) -> std::fmt::Result {
    let at = event.at.and_then(|t| serde_json::to_value(t).ok());
    let at = at.as_ref().and_then(|v| v.as_str()).unwrap_or("-");
    let by = event.by.as_ref().map_or("-", name);
    write!(out, "[{at}] ")?;
    match &event.body {
        Some(EventBody::Message(m)) => {
            write!(out, "{by}: {}", said(m))?;
            for file in &m.attachments {
                write!(out, " [{}, {} bytes]", file.name, file.size)?;
            }
            writeln!(out)
        }
        Some(EventBody::Note(n)) => writeln!(out, "{by} (note): {}", n.text),
        Some(EventBody::Whisper(w)) => writeln!(out, "{by} (whisper): {}", w.text),
        Some(body) => writeln!(out, "* {}", happened(body, by)),
        None => writeln!(out, "*"),
    }
}

/// Nobody says nothing at all: what is empty was erased.
fn said(message: &v1::Message) -> &str {
    if message.text.is_empty() && message.attachments.is_empty() {
        return "(erased)";
    }
    &message.text
}

fn name(p: &v1::Participant) -> &str {
    match (p.name.as_str(), p.party()) {
        ("", v1::Party::Visitor) => "Visitor",
        ("", v1::Party::System) => "Frontdesk",
        ("", _) => "Agent",
        (name, _) => name,
    }
}

fn happened(body: &EventBody, by: &str) -> String {
    let of = |p: &Option<v1::Participant>| p.as_ref().map_or("-", name).to_owned();
    match body {
        EventBody::Started(_) => format!("{by} started the conversation"),
        EventBody::Queued(b) => format!("waiting in {}", b.queue),
        EventBody::ContactAsked(_) => format!("{by} asked where to be reached"),
        EventBody::ContactLeft(b) => {
            let given = [&b.email, &b.phone, &b.text].into_iter().filter(|text| !text.is_empty());
            let given: Vec<&str> = given.map(String::as_str).collect();
            format!("{by} may be reached: {}", given.join(", "))
        }
        EventBody::Offered(b) => format!("offered to {}", of(&b.agent)),
        EventBody::OfferEnded(b) => format!("offer to {} ended", of(&b.agent)),
        EventBody::Assigned(b) => format!("{} joined", of(&b.agent)),
        EventBody::Released(b) => format!("{} left", of(&b.agent)),
        EventBody::Transferred(b) => format!("{by} handed over to {}", b.to_queue),
        EventBody::TagsChanged(b) => format!("{by} set the tags {}", b.tags.join(", ")),
        EventBody::Closed(b) if b.reason() == v1::ClosedReason::VisitorLost => {
            "the visitor had gone: the conversation was closed".to_owned()
        }
        EventBody::Closed(_) => format!("{by} closed the conversation"),
        EventBody::Erased(_) => "what was said is erased".to_owned(),
        EventBody::Reopened(_) => format!("{by} reopened the conversation"),
        EventBody::Rated(b) => format!("{by} rated {} of 5: {}", b.score, b.comment),
        EventBody::Invited(b) => format!("{by} invited {}", of(&b.agent)),
        EventBody::Joined(b) => format!("{} joined as a guest", of(&b.agent)),
        EventBody::Left(b) => format!("{} left", of(&b.agent)),
        EventBody::PriorityChanged(b) => format!("{} minutes count for it", b.extra_minutes),
        EventBody::AlarmRaised(b) => format!("alarm: {}", alarm(b)),
        EventBody::TransferReturned(b) => format!("nobody took it: back to {}", of(&b.to_agent)),
        EventBody::Message(_) | EventBody::Note(_) | EventBody::Whisper(_) => String::new(),
    }
}

/// What it is about, and what was done.
fn alarm(raised: &v1::AlarmRaised) -> String {
    let kind = raised.kind().as_str_name().trim_start_matches("ALARM_KIND_").to_lowercase();
    format!("{} ({})", kind.replace('_', " "), raised.actions.join(", "))
}
