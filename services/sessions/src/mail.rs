//! What waits in a shard's mailbox, and answers that wait for a commit.

use bytes::Bytes;
use frontdesk_core::conversation::{Outcome, Reject, Summary};
use frontdesk_core::ids::{ConversationId, NodeId};
use frontdesk_core::party::{Origin, Principal};
use frontdesk_core::shard::ShardId;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{ApiError, Attach, Attached, Envelope};
use frontdesk_store::journal::DedupKey;
use frontdesk_telemetry::traces::{Kind, Span};
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(crate) type Answer<T> = oneshot::Sender<Result<T, ApiError>>;

/// A command with whoever waits for it.
pub(crate) struct Job {
    pub(crate) envelope: Envelope,
    pub(crate) answer: Answer<Outcome>,
    /// Times its append was refused.
    pub(crate) attempts: u8,
    /// Set with the first refusal: not run again after this.
    pub(crate) give_up: Option<Instant>,
    /// Its wait in the mailbox, then its trace, when that is recorded.
    pub(crate) trace: Option<Box<Traced>>,
}

/// How far a command has come whose trace is recorded.
pub(crate) enum Traced {
    /// In the mailbox.
    Waits(Span),
    /// Taken out.
    Taken(TraceContext),
}

impl Job {
    pub(crate) fn new(envelope: Envelope, answer: Answer<Outcome>) -> Self {
        Self { envelope, answer, attempts: 0, give_up: None, trace: None }
    }

    /// It is recorded as part of this.
    pub(crate) fn traced(mut self, trace: TraceContext) -> Self {
        let mut span = Span::under("sessions.mailbox", Kind::Server, trace);
        span.set("conversation", self.envelope.conversation.to_string());
        span.set("shard", i64::from(ShardId::of(self.envelope.conversation).get()));
        self.trace = Some(Box::new(Traced::Waits(span)));
        self
    }

    /// Its wait is over: what it does is done under this.
    pub(crate) fn taken(&mut self) -> Option<TraceContext> {
        let traced = self.trace.as_deref_mut()?;
        let context = match traced {
            Traced::Waits(span) => span.context(),
            Traced::Taken(context) => *context,
        };
        // The span is told here.
        *traced = Traced::Taken(context);
        Some(context)
    }

    /// What makes it the same command when it comes again.
    pub(crate) fn dedup(&self) -> Option<DedupKey> {
        let client_msg_id = self.envelope.command.client_msg_id()?;
        let Origin::Client(who) = &self.envelope.origin else { return None };
        Some(DedupKey { sender: who.id, client_msg_id: client_msg_id.to_shared() })
    }
}

/// Who of a gateway follows a conversation no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Nobody there does.
    Everybody,
    /// Its visitor does not; others may.
    Visitor,
}

/// One item of a mailbox.
pub(crate) enum Mail {
    Command(Job),
    Attach(Attach, Answer<Attached>),
    Detach(NodeId, ConversationId, Leaving),
    /// The conversation for a reader; `live_only` answers `NotFound` rather than
    /// bring it into memory.
    Look {
        conversation: ConversationId,
        who: Option<Principal>,
        live_only: bool,
        answer: Answer<Box<Summary>>,
    },
    Hint {
        conversation: ConversationId,
        internal: bool,
        frame: Bytes,
    },
}

impl Mail {
    pub(crate) fn conversation(&self) -> ConversationId {
        match self {
            Self::Command(job) => job.envelope.conversation,
            Self::Attach(request, _) => request.conversation,
            Self::Detach(_, conversation, _)
            | Self::Look { conversation, .. }
            | Self::Hint { conversation, .. } => *conversation,
        }
    }

    /// Answers that it cannot be done now.
    pub(crate) fn refuse(self, error: ApiError) {
        // Who asked may have gone, here and below.
        match self {
            Self::Command(job) => drop(job.answer.send(Err(error))),
            Self::Attach(_, answer) => drop(answer.send(Err(error))),
            Self::Look { answer, .. } => drop(answer.send(Err(error))),
            Self::Detach(..) | Self::Hint { .. } => {}
        }
    }
}

/// An answer that may be given only when everything it rests on is durable.
/// When that is refused it turns back into the mail it came from.
pub(crate) enum Held {
    Command(Job, Result<Outcome, Reject>),
    Attach(Attach, Answer<Attached>, Result<Box<Attached>, ApiError>),
    Look {
        conversation: ConversationId,
        who: Option<Principal>,
        answer: Answer<Box<Summary>>,
        result: Result<Box<Summary>, ApiError>,
    },
}

impl Held {
    pub(crate) fn back_to_mail(self) -> Mail {
        match self {
            Self::Command(job, _) => Mail::Command(job),
            Self::Attach(request, answer, _) => Mail::Attach(request, answer),
            Self::Look { conversation, who, answer, .. } => {
                Mail::Look { conversation, who, live_only: false, answer }
            }
        }
    }
}
