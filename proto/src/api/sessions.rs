//! The role that owns conversations.

use super::ApiError;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::conversation::{Command, Outcome, Summary};
use frontdesk_core::figures::Record;
use frontdesk_core::ids::{
    AgentId, ConversationId, Epoch, NodeId, QueueId, Seq, SiteId, VisitorId,
};
use frontdesk_core::party::{Audience, Origin, Principal};
use frontdesk_core::privacy::Remains;
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_core::trace::TraceContext;
use futures::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::{broadcast, oneshot};

/// A command on its way to the owner of its conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The conversation.
    pub conversation: ConversationId,
    /// On whose behalf.
    pub origin: Origin,
    /// What to do.
    pub command: Command,
}

/// Resolves once the command's events are durable, or it is known that they
/// are not.
pub struct ReplyFuture(Reply);

enum Reply {
    Answer(oneshot::Receiver<Result<Outcome, ApiError>>),
    Other(BoxFuture<'static, Result<Outcome, ApiError>>),
}

impl ReplyFuture {
    /// The answer of an owner in this process; `Unavailable` when it drops its
    /// end.
    pub fn of(answer: oneshot::Receiver<Result<Outcome, ApiError>>) -> Self {
        Self(Reply::Answer(answer))
    }

    /// Any other way to the answer.
    pub fn by(way: impl Future<Output = Result<Outcome, ApiError>> + Send + 'static) -> Self {
        Self(Reply::Other(way.boxed()))
    }
}

impl Future for ReplyFuture {
    type Output = Result<Outcome, ApiError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Reply::Answer(answer) => answer.poll_unpin(cx).map(|answer| {
                answer.unwrap_or_else(|_| Err(ApiError::unavailable("the shard has stopped")))
            }),
            Reply::Other(other) => other.poll_unpin(cx),
        }
    }
}

/// A gateway's wish to receive a conversation's deliveries for one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The conversation.
    pub conversation: ConversationId,
    /// The reader; authorised by the owner.
    pub who: Principal,
    /// Where deliveries go.
    pub gateway: NodeId,
    /// Last seq the reader has seen; beyond the head it is refused.
    pub cursor: Seq,
}

/// The gateway is attached: every event after `head` will be published to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The conversation now.
    pub summary: Summary,
    /// How the reader reads.
    pub audience: Audience,
    /// Last event that this reader may see; those between cursor and head are
    /// fetched with `history`.
    pub head: Seq,
}

/// A page of a conversation's events for one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// The conversation.
    pub conversation: ConversationId,
    /// The reader; `None` for the system, which sees everything.
    pub who: Option<Principal>,
    /// Exclusive bound: lower, or upper when `backwards` (0 = from the end).
    pub after: Seq,
    /// Events at most; a page also ends at about 256 KiB.
    pub limit: u32,
    /// Read towards the beginning. The page is in rising order all the same.
    pub backwards: bool,
}

/// One event of a page.
#[derive(Debug, Clone)]
pub struct PageEvent {
    /// Its seq.
    pub seq: Seq,
    /// The seq before it that this reader may see.
    pub prev: Seq,
    /// Encoded `frontdesk.v1.Event`.
    pub event: Bytes,
}

/// A page of events in rising order.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<PageEvent>,
    /// There is more in the direction asked for.
    pub more: bool,
}

/// Which conversations to list, newest activity first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFilter {
    /// A visitor's.
    OfVisitor(VisitorId),
    /// Those an agent has or is offered; with `closed` also those it had last.
    OfAgent {
        /// The agent.
        agent: AgentId,
        /// Also closed ones.
        closed: bool,
    },
    /// Those that wait in or are offered from a queue.
    Waiting(QueueId),
    /// Those that wait in or are offered from any queue of the site, the longest wait
    /// first; the figures of each (head, last event, what was read) may be old.
    AllWaiting,
    /// Those that agents of the site have; their figures may be old.
    AllAssigned,
    /// Everything of the site.
    All,
    /// Everything that is not closed, of every site; for reconcilers.
    Open,
    /// Everything of the site from a place on, the longest unchanged first; figures (head,
    /// last event, what was read) may be old.
    ChangedFrom(Place),
}

/// A place among a site's conversations in the order in which they were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Not before this.
    pub from: Timestamp,
    /// Of those at `from`, only ones with a greater id.
    pub after: Option<ConversationId>,
}

/// What happened in some conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPage {
    /// One of each.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Place>,
}

/// Conversations in the order in which they were changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryPage {
    /// As lists show them; the figures of each (head, last event, what was read) may be old.
    pub summaries: Vec<Summary>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Place>,
}

/// The role that owns conversations.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Puts a command into the mailbox of its shard, in the order of the calls,
    /// before this returns. A full mailbox answers `Unavailable`.
    fn submit(&self, envelope: Envelope) -> ReplyFuture;

    /// The same for work whose trace is recorded.
    fn submit_traced(&self, envelope: Envelope, _: TraceContext) -> ReplyFuture {
        self.submit(envelope)
    }

    /// Attaches a gateway; repeated by several readers of one gateway.
    async fn attach(&self, request: Attach) -> Result<Attached, ApiError>;

    /// The gateway has no reader of it any more.
    async fn detach(&self, gateway: &NodeId, conversation: ConversationId);

    /// The gateway has no connection of its visitor any more, but other readers.
    async fn visitor_left(&self, _gateway: &NodeId, _conversation: ConversationId) {}

    /// Reads a page.
    async fn history(&self, query: HistoryQuery) -> Result<EventPage, ApiError>;

    /// One conversation, for a reader (`None`: the system).
    async fn summary(
        &self,
        conversation: ConversationId,
        who: Option<&Principal>,
    ) -> Result<Summary, ApiError>;

    /// Lists conversations of a site (`None` only with `ListFilter::Open`).
    async fn list(
        &self,
        site: Option<&SiteId>,
        filter: ListFilter,
        limit: u32,
    ) -> Result<Vec<Summary>, ApiError>;

    /// The conversations of a site from a place on, the longest unchanged first, at most
    /// `limit`; without a site all that are not closed, of every site. One that changes
    /// meanwhile comes once more. Owners of earlier versions answer `Unimplemented`.
    async fn changed(
        &self,
        _site: Option<&SiteId>,
        _from: Place,
        _limit: u32,
    ) -> Result<SummaryPage, ApiError> {
        Err(ApiError::Unimplemented("these owners list everything at once".into()))
    }

    /// What happened in the site's conversations from a place on, at most `limit` of them
    /// and fewer when they are long. One that changes meanwhile may come twice.
    async fn records(&self, site: &SiteId, from: Place, limit: u32)
    -> Result<RecordPage, ApiError>;

    /// Makes sure that the bytes of what was erased are nowhere in files of this process
    /// any more, and says where they may still be: what is with a database's server is
    /// the server's.
    async fn scrub(&self) -> Result<Remains, ApiError> {
        Ok(Remains::UntilVacuum)
    }

    /// Sends an encoded `ServerFrame` push to the conversation's attached
    /// gateways; may be lost. `internal` keeps it from the visitor.
    fn hint(&self, conversation: ConversationId, internal: bool, frame: Bytes);

    /// The epoch under which a shard is owned here; `None` when it is not, or when
    /// nobody else could own it.
    fn epoch_of(&self, _: ShardId) -> Option<Epoch> {
        None
    }

    /// Shards that have a new owner from now on: whoever is attached to their
    /// conversations attaches again. A receiver that lags does so for all. Within
    /// one process nothing ever comes and the channel is closed.
    fn owner_changes(&self) -> broadcast::Receiver<ShardId> {
        broadcast::channel(1).1
    }
}
