//! Owners of conversations, asked over the network.
//!
//! A command takes the lane of its shard: straight to the owner's link while
//! there is one, else it waits there, in order, until the placement says where to
//! go. What a link loses comes back to its lane and is sent again; every command
//! may be repeated without harm, and a message keeps its sender's id. Nothing
//! waits longer than `PATIENCE`.

mod lane;
mod link;
mod pending;
mod pump;

use super::{DEADLINE, LIST_DEADLINE};
use crate::fabric::{
    Call, Cluster, Question, SessionsQuestion, call, decode_bytes, encode_bytes, repeat,
};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, NodeId, Seq, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{
    ApiError, Attach, Attached, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent, Place,
    RecordPage, ReplyFuture, Sessions, SummaryPage,
};
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::sessions_service_client::SessionsServiceClient;
use frontdesk_proto::internal::{HistoryRequest, LinkDetach, LinkHint};
use frontdesk_telemetry::{tasks, traces};
use lane::Lanes;
use pending::{Asked, Pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The longest that a command waits for an owner: a node counts as dead after 3 s,
/// and its heirs need a moment. A client waits 10 s.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest that a detach or a hint is worth sending.
const HINT_PATIENCE: Duration = Duration::from_secs(2);
/// Changes of owners a listener may be behind: all shards, four times over.
const MOVES: usize = 1_024;

/// See the module.
pub struct RemoteSessions {
    cluster: Arc<Cluster>,
    lanes: Arc<Lanes>,
    moves: broadcast::Sender<ShardId>,
}

/// The task that keeps lanes and links going.
pub struct SessionsTasks(JoinHandle<()>);

impl SessionsTasks {
    /// Ends it and all links; what waits is answered `Unavailable`.
    pub async fn stop(self) {
        self.0.abort();
        // Cancelled is what was asked for.
        let _ = self.0.await;
    }
}

impl RemoteSessions {
    /// By way of this process's connection to the cluster.
    pub fn start(cluster: Arc<Cluster>) -> (Arc<Self>, SessionsTasks) {
        let lanes = Arc::new(Lanes::default());
        let (moves, _) = broadcast::channel(MOVES);
        // Owned by `SessionsTasks`.
        let task =
            tasks::spawn("gateway.pump", pump::run(cluster.clone(), lanes.clone(), moves.clone()));
        (Arc::new(Self { cluster, lanes, moves }), SessionsTasks(task))
    }

    fn leaving(
        &self,
        gateway: &NodeId,
        conversation: ConversationId,
        how: impl FnOnce(LinkDetach) -> Asked,
    ) {
        let conversation_id = Bytes::copy_from_slice(conversation.as_bytes());
        let asked = how(LinkDetach { conversation_id, gateway: gateway.to_string() });
        let pending = Pending::new(asked, Instant::now() + HINT_PATIENCE);
        self.lanes.post(ShardId::of(conversation), pending);
    }

    fn post(&self, envelope: &Envelope, trace: Option<Box<TraceContext>>) -> ReplyFuture {
        let shard = ShardId::of(envelope.conversation);
        let (answer, answered) = oneshot::channel();
        match encode_bytes(envelope) {
            Ok(command) => {
                let asked = Asked::Command(command.into(), answer);
                let give_up = Instant::now() + PATIENCE;
                self.lanes.post(shard, Pending { asked, trace, give_up });
            }
            // Who asked listens still.
            Err(error) => drop(answer.send(Err(error))),
        }
        ReplyFuture::of(answered)
    }

    async fn page(&self, shard: ShardId, query: Bytes) -> Result<EventPage, ApiError> {
        let reply = repeat(DEADLINE, |left| {
            let request = HistoryRequest { query: query.clone() };
            async move {
                let channel = self.cluster.owner_of(NodeRole::Sessions, shard)?;
                let mut client = SessionsServiceClient::new(channel);
                let send = |request| async move { client.history(request).await };
                let reply = call(Call::HISTORY, request, left, send).await;
                reply.map_err(|s| error_from_status(&s))
            }
        });
        let reply = reply.await?;
        let events = reply.events.into_iter().map(|e| PageEvent {
            seq: Seq::new(e.seq),
            prev: Seq::new(e.prev),
            event: e.event,
        });
        Ok(EventPage { events: events.collect(), more: reply.more })
    }
}

#[async_trait]
impl Sessions for RemoteSessions {
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        self.post(&envelope, traces::current().map(Box::new))
    }

    fn submit_traced(&self, envelope: Envelope, trace: TraceContext) -> ReplyFuture {
        self.post(&envelope, Some(Box::new(trace)))
    }

    async fn attach(&self, request: Attach) -> Result<Attached, ApiError> {
        let shard = ShardId::of(request.conversation);
        let (answer, answered) = oneshot::channel();
        let asked = Asked::Attach(encode_bytes(&request)?.into(), answer);
        self.lanes.post(shard, Pending::new(asked, Instant::now() + PATIENCE));
        let attached = answered.await;
        let bytes = attached.map_err(|_| ApiError::unavailable("the process stops"))??;
        decode_bytes(&bytes)
    }

    async fn detach(&self, gateway: &NodeId, conversation: ConversationId) {
        self.leaving(gateway, conversation, Asked::Detach);
    }

    async fn visitor_left(&self, gateway: &NodeId, conversation: ConversationId) {
        self.leaving(gateway, conversation, Asked::VisitorLeft);
    }

    async fn history(&self, query: HistoryQuery) -> Result<EventPage, ApiError> {
        let shard = ShardId::of(query.conversation);
        self.page(shard, encode_bytes(&query)?.into()).await
    }

    async fn summary(
        &self,
        conversation: ConversationId,
        who: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        let shard = ShardId::of(conversation);
        let question = SessionsQuestion::Summary { conversation, who: who.cloned() };
        let question = Question::Sessions(question);
        self.cluster.ask_owner(NodeRole::Sessions, shard, &question, DEADLINE).await
    }

    async fn list(
        &self,
        site: Option<&SiteId>,
        filter: ListFilter,
        limit: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        let question = SessionsQuestion::List { site: site.cloned(), filter, limit };
        let question = Question::Sessions(question);
        self.cluster.ask_any(NodeRole::Sessions, &question, LIST_DEADLINE).await
    }

    async fn changed(
        &self,
        site: Option<&SiteId>,
        from: Place,
        limit: u32,
    ) -> Result<SummaryPage, ApiError> {
        let question = SessionsQuestion::Changed { site: site.cloned(), from, limit };
        let question = Question::Sessions(question);
        self.cluster.ask_any(NodeRole::Sessions, &question, LIST_DEADLINE).await
    }

    async fn records(
        &self,
        site: &SiteId,
        from: Place,
        limit: u32,
    ) -> Result<RecordPage, ApiError> {
        let question = SessionsQuestion::Records { site: site.clone(), from, limit };
        let question = Question::Sessions(question);
        self.cluster.ask_any(NodeRole::Sessions, &question, LIST_DEADLINE).await
    }

    fn hint(&self, conversation: ConversationId, internal: bool, frame: Bytes) {
        let conversation_id = Bytes::copy_from_slice(conversation.as_bytes());
        let asked = Asked::Hint(LinkHint { conversation_id, internal, frame });
        let pending = Pending::new(asked, Instant::now() + HINT_PATIENCE);
        self.lanes.post(ShardId::of(conversation), pending);
    }

    fn owner_changes(&self) -> broadcast::Receiver<ShardId> {
        self.moves.subscribe()
    }
}
