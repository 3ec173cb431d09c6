//! What visitors and agents may do alike.

use super::{Answer, Handling, Prepared, command, done, guests, supervisor};
use crate::audit;
use crate::connection::Client;
use crate::following;
use crate::shared::{CALL_DEADLINE, COMMAND_DEADLINE, within};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{Attachment, Command, MAX_ATTACHMENTS, Outcome, Phase};
use frontdesk_core::ids::{AttachmentId, ClientMsgId, ConversationId, Seq, VisitorId};
use frontdesk_core::party::Origin;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{
    ApiError, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent, ReplyFuture,
};
use frontdesk_proto::convert::Sent;
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::traces::{self, Kind, Span};
use prost::Message as _;
use serde_json::json;
use std::sync::Arc;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;
const DEFAULT_LIST: u32 = 50;
const MAX_LIST: u32 = 100;

/// Says something with files; without any it is `say` at once.
pub(super) fn send(client: &Arc<Client>, r: v1::SendMessage) -> Result<Handling, ApiError> {
    let id: ConversationId = r.conversation_id.parse()?;
    if r.attachment_ids.len() > MAX_ATTACHMENTS {
        return Err(ApiError::Invalid("a message has at most 10 attachments".into()));
    }
    let client = client.clone();
    // Files are looked up first; what the client sends next must not overtake.
    Ok(Handling::Ordered(Box::pin(async move {
        let files = files(&client, id, &r.attachment_ids).await;
        let saying = files.and_then(|files| {
            let after = (!r.after_client_msg_id.is_empty()).then_some(&*r.after_client_msg_id);
            let trace = traces::current();
            say(&client, id, &r.client_msg_id, r.text.into(), files, after, trace)
        });
        match saying {
            Ok(saying) => Prepared::Wait(Box::pin(saying.answer())),
            Err(error) => Prepared::answer(Err(error)),
        }
    })))
}

/// Submits a message now, in its turn; recorded as part of `trace`.
pub(crate) fn say(
    client: &Client,
    conversation: ConversationId,
    client_msg_id: &str,
    text: Arc<str>,
    attachments: Vec<Attachment>,
    after: Option<&str>,
    trace: Option<TraceContext>,
) -> Result<Saying, ApiError> {
    let client_msg_id: ClientMsgId = client_msg_id.parse()?;
    let after = after.map(str::parse).transpose()?;
    let command = Command::Send { client_msg_id: client_msg_id.clone(), text, attachments, after };
    Ok(Saying::begin(client, conversation, client_msg_id, command, trace))
}

/// A message or note that has been submitted.
pub(crate) struct Saying {
    pub(crate) conversation: ConversationId,
    pub(crate) client_msg_id: ClientMsgId,
    /// Whoever waits for it sets a deadline.
    pub(crate) outcome: ReplyFuture,
    /// Set when its trace is recorded.
    pub(crate) trace: Option<Box<SayingTrace>>,
}

/// The spans of something that is said, told with its answer.
pub(crate) struct SayingTrace {
    /// From here to its owner and back.
    forward: Span,
    /// From its receipt, unless somebody else ends it; ended last.
    frame: Option<Span>,
}

/// The way of a command to its owner and back.
pub(super) fn forward(conversation: ConversationId, trace: TraceContext) -> Span {
    let mut forward = Span::under("sessions.forward", Kind::Client, trace);
    forward.set("conversation", conversation.to_string());
    forward
}

impl Saying {
    /// Submits the command that says it; recorded as part of `trace`.
    pub(super) fn begin(
        client: &Client,
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        command: Command,
        trace: Option<TraceContext>,
    ) -> Self {
        let origin = Origin::Client(client.who().clone());
        let envelope = Envelope { conversation, origin, command };
        let sessions = &client.shared.deps.sessions;
        let Some(trace) = trace else {
            let outcome = sessions.submit(envelope);
            return Self { conversation, client_msg_id, outcome, trace: None };
        };
        let forward = forward(conversation, trace);
        let outcome = sessions.submit_traced(envelope, forward.context());
        let trace = Some(Box::new(SayingTrace { forward, frame: None }));
        Self { conversation, client_msg_id, outcome, trace }
    }

    /// It came as this, which ends with its answer.
    pub(crate) fn received_as(mut self, frame: Option<Span>) -> Self {
        if let Some(trace) = &mut self.trace {
            trace.frame = frame;
        }
        self
    }

    /// Tells its trace what it has come to; whether it has one.
    pub(crate) fn recorded(&mut self, outcome: Result<(), &ApiError>) -> bool {
        let Some(trace) = self.trace.take() else { return false };
        let SayingTrace { forward, frame } = *trace;
        let outcome = outcome.map_err(ApiError::as_str);
        forward.finish(outcome);
        if let Some(frame) = frame {
            frame.finish(outcome);
        }
        true
    }

    /// What the sender is told.
    pub(crate) fn sent(&self, outcome: Outcome) -> Result<Sent, ApiError> {
        let Outcome::Sent { seq, at, duplicate } = outcome else {
            return Err(ApiError::Internal("a message was answered without its place".into()));
        };
        let (conversation, client_msg_id) = (self.conversation, self.client_msg_id.clone());
        Ok(Sent { conversation, client_msg_id, seq, at, duplicate })
    }

    /// Waits for the outcome.
    pub(super) async fn answer(mut self) -> Answer {
        let outcome = within(COMMAND_DEADLINE, "sessions", &mut self.outcome).await;
        let sent = outcome.and_then(|outcome| self.sent(outcome));
        self.recorded(sent.as_ref().map(drop));
        sent.map(|sent| Some(Frame::Sent(sent.to_proto())))
    }
}

/// The files of a message: uploaded to this conversation and no other.
async fn files(
    client: &Client,
    id: ConversationId,
    wanted: &[String],
) -> Result<Vec<Attachment>, ApiError> {
    let mut files = Vec::with_capacity(wanted.len());
    for file in wanted {
        let file: AttachmentId = file.parse()?;
        let asked = client.shared.deps.desk.attachment(&client.who().site, file);
        let record = within(CALL_DEADLINE, "desk", asked)
            .await?
            .filter(|r| r.conversation == id)
            .ok_or_else(|| ApiError::NotFound(format!("attachment {file}")))?;
        files.push(Attachment {
            id: record.id,
            name: record.name.into(),
            media_type: record.media_type.into(),
            size: record.size,
        });
    }
    Ok(files)
}

/// Passes on that somebody writes.
pub(super) fn typing(client: &Arc<Client>, r: &v1::Typing) -> Result<Handling, ApiError> {
    command(client, &r.conversation_id, Command::Typing { typing: r.typing })
}

/// Marks everything up to a place as read.
pub(super) fn mark_read(client: &Arc<Client>, r: &v1::MarkRead) -> Result<Handling, ApiError> {
    command(client, &r.conversation_id, Command::MarkRead { seq: Seq::new(r.seq) })
}

/// Ends a conversation.
pub(super) fn close(client: &Arc<Client>, id: &str) -> Result<Handling, ApiError> {
    if client.supervisor().is_err() {
        return command(client, id, Command::Close);
    }
    Ok(supervisor::change(client.clone(), id.parse()?, Act::CLOSE, json!({}), Command::Close))
}

/// Follows a conversation from a cursor on.
pub(super) fn subscribe(client: &Arc<Client>, r: v1::Subscribe) -> Result<Handling, ApiError> {
    let cursor = r.cursor.ok_or_else(|| ApiError::Invalid("cursor is absent".into()))?;
    let id: ConversationId = cursor.conversation_id.parse()?;
    let client = client.clone();
    Ok(Handling::Ordered(Box::pin(async move {
        let written = audit::look(&client, Act::WATCH, id).await;
        Prepared::answer(match written {
            Ok(()) => follow(&client, id, Seq::new(cursor.seq)).await,
            Err(error) => Err(error),
        })
    })))
}

/// Follows a conversation and says where it stands.
pub(super) async fn follow(client: &Arc<Client>, id: ConversationId, cursor: Seq) -> Answer {
    let attached = following::follow(&client.shared, &client.reader, id, cursor).await?;
    Ok(Some(Frame::Conversation(client.state(&attached.summary).await)))
}

/// Follows a conversation from its beginning, unless the connection follows it already.
pub(super) async fn follow_or_show(client: &Arc<Client>, id: ConversationId) -> Answer {
    if client.shared.registry.follows(id, &client.reader) {
        let summary = client.summary(id).await?;
        return Ok(Some(Frame::Conversation(client.state(&summary).await)));
    }
    follow(client, id, Seq::ZERO).await
}

/// No longer follows a conversation.
pub(super) fn unsubscribe(client: &Arc<Client>, id: &str) -> Result<Handling, ApiError> {
    following::unfollow(&client.shared, &client.reader, id.parse()?);
    Ok(done(Some(Frame::Done(v1::Done {}))))
}

/// Reads one page without following.
pub(super) fn history(client: &Arc<Client>, r: &v1::GetHistory) -> Result<Handling, ApiError> {
    let query = HistoryQuery {
        conversation: r.conversation_id.parse()?,
        who: Some(client.who().clone()),
        after: Seq::new(r.after_seq),
        limit: limit(r.limit, DEFAULT_PAGE, MAX_PAGE)?,
        backwards: r.backwards,
    };
    let (client, conversation_id) = (client.clone(), r.conversation_id.clone());
    // In its turn: pages are large, so one is read at a time.
    Ok(Handling::Ordered(Box::pin(async move {
        let page = match read(&client, query).await {
            Ok(page) => page,
            Err(error) => return Prepared::answer(Err(error)),
        };
        let events: Result<_, _> = page.events.iter().map(event_push).collect();
        Prepared::answer(events.map(|events| {
            Some(Frame::History(v1::History { conversation_id, events, more: page.more }))
        }))
    })))
}

async fn read(client: &Client, query: HistoryQuery) -> Result<EventPage, ApiError> {
    audit::look(client, Act::READ, query.conversation).await?;
    let reading = client.shared.deps.sessions.history(query);
    within(CALL_DEADLINE, "sessions", reading).await
}

/// An event of a page as clients see it.
pub(crate) fn event_push(event: &PageEvent) -> Result<v1::EventPush, ApiError> {
    let decoded = v1::Event::decode(&*event.event)
        .map_err(|e| ApiError::Internal(format!("event {} cannot be read: {e}", event.seq)))?;
    Ok(v1::EventPush { event: Some(decoded), prev: event.prev.get() })
}

/// The caller's own conversations, an agent's as a guest included.
pub(super) fn list(client: &Arc<Client>, r: v1::ListConversations) -> Result<Handling, ApiError> {
    let limit = limit(r.limit, DEFAULT_LIST, MAX_LIST)?;
    let filter = match client.who().agent_id() {
        Some(agent) => ListFilter::OfAgent { agent, closed: r.include_closed },
        None => ListFilter::OfVisitor(VisitorId::from_uuid(client.who().id)),
    };
    let client = client.clone();
    Ok(Handling::Concurrent(Box::pin(async move {
        // Closed ones among a visitor's are taken out below, so more are asked for.
        let asked = client.shared.deps.sessions.list(Some(&client.who().site), filter, MAX_LIST);
        let mut summaries = within(CALL_DEADLINE, "sessions", asked).await?;
        guests::add_to(&client, &mut summaries).await;
        let wanted = summaries
            .iter()
            .filter(|s| r.include_closed || !matches!(s.phase, Phase::Closed { .. }))
            .take(limit as usize);
        let mut conversations = Vec::new();
        for summary in wanted {
            conversations.push(client.state(summary).await);
        }
        Ok(Some(Frame::ConversationList(v1::ConversationList { conversations })))
    })))
}

/// 0 means the default; more than the maximum is refused.
pub(crate) fn limit(asked: u32, default: u32, max: u32) -> Result<u32, ApiError> {
    match asked {
        0 => Ok(default),
        n if n <= max => Ok(n),
        _ => Err(ApiError::Invalid(format!("limit is at most {max}"))),
    }
}
