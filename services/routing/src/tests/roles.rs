//! The traits of the other roles, as far as routing uses them.

use super::world::{World, site};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::{Bus, Published, Subscription};
use frontdesk_core::audit::Author;
use frontdesk_core::conversation::{Conversation, Phase, Summary};
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, NodeId, QueueId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::presence::{Action, AgentKey, AgentView, Reply};
use frontdesk_core::queue::Entry;
use frontdesk_proto::api::*;
use frontdesk_proto::internal::{DeliveryBatch, delivery::Kind};
use prost::Message as _;
use std::sync::Arc;
use tokio::sync::broadcast;

#[async_trait]
impl PresencePort for World {
    async fn propose(&self, action: Action) -> Result<Reply, ApiError> {
        self.gate().await;
        let reply = self.reply(action);
        self.gate().await;
        Ok(reply)
    }
    async fn view(&self, key: AgentKey) -> Result<Option<AgentView>, ApiError> {
        Ok(self.lock().presence.agent(&key).map(|view| view.as_ref().clone()))
    }
    async fn views(&self, _: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        Ok(self.lock().presence.agents().cloned().collect())
    }
    fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.presence.subscribe()
    }
}

#[async_trait]
impl Sessions for World {
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        let world = self.itself.upgrade().unwrap();
        ReplyFuture::by(async move {
            world.gate().await;
            let done = world.commit(envelope).await;
            world.gate().await;
            done
        })
    }
    async fn attach(&self, _: Attach) -> Result<Attached, ApiError> {
        unreachable!("routing attaches nobody")
    }
    async fn detach(&self, _: &NodeId, _: ConversationId) {}
    async fn history(&self, _: HistoryQuery) -> Result<EventPage, ApiError> {
        unreachable!("routing reads no history")
    }
    async fn summary(
        &self,
        conversation: ConversationId,
        _: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        let inner = self.lock();
        let found = inner.conversations.get(&conversation);
        found.map(Conversation::summary).ok_or_else(|| ApiError::NotFound("conversation".into()))
    }
    async fn list(
        &self,
        _: Option<&SiteId>,
        _: ListFilter,
        _: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        let is_open = |s: &Summary| !matches!(s.phase, Phase::Closed { .. });
        Ok(self.summaries().into_iter().filter(is_open).collect())
    }
    async fn records(&self, _: &SiteId, _: Place, _: u32) -> Result<RecordPage, ApiError> {
        unreachable!("nothing here asks for it")
    }
    fn hint(&self, _: ConversationId, _: bool, _: Bytes) {}
}

#[async_trait]
impl WorkObserver for World {
    async fn observe(&self, _: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        Ok(())
    }
}

#[async_trait]
impl Queueing for World {
    async fn waiting(&self, queue: &QueueKey, limit: u32) -> Result<Vec<Entry>, ApiError> {
        let inner = self.lock();
        Ok(inner.board.waiting(&queue.queue).take(limit as usize).cloned().collect())
    }
    async fn active(&self) -> Result<Vec<QueueKey>, ApiError> {
        let inner = self.lock();
        let key = |queue: &QueueId| QueueKey { site: site(), queue: queue.clone() };
        Ok(inner.board.active().map(key).collect())
    }
    async fn queues(&self, _: &SiteId) -> Result<Vec<QueueView>, ApiError> {
        unreachable!("routing shows no queues")
    }
    async fn position(
        &self,
        _: &SiteId,
        _: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError> {
        unreachable!("routing shows no positions")
    }
    fn subscribe(&self) -> broadcast::Receiver<QueueChange> {
        self.queues.subscribe()
    }
}

#[async_trait]
impl Desk for World {
    async fn site_by_key(&self, _: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(None)
    }
    async fn site(&self, _: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(Some(self.config.clone()))
    }
    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        Ok(vec![self.config.clone()])
    }
    async fn sign_in(&self, _: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        unreachable!("routing signs nobody in")
    }
    async fn agent(&self, _: &SiteId, _: AgentId) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        Ok(None)
    }
    async fn apply(&self, _: &SiteId, _: &str, _: Option<Author>) -> Result<Applied, ApiError> {
        unreachable!("routing changes no configuration")
    }
    async fn add_attachment(&self, _: AttachmentRecord) -> Result<(), ApiError> {
        unreachable!("routing stores no files")
    }
    async fn attachment(
        &self,
        _: &SiteId,
        _: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        Ok(None)
    }
}

impl Bus for World {
    fn publish(&self, _: &NodeId, payload: Bytes) -> Published {
        let batch = DeliveryBatch::decode(payload).unwrap();
        let notices = batch.deliveries.into_iter().filter_map(|d| match d.kind {
            Some(Kind::Agent(notice)) => Some(notice),
            _ => None,
        });
        self.lock().published.extend(notices);
        Published::Accepted
    }
    fn subscribe(&self, _: NodeId) -> Box<dyn Subscription> {
        unreachable!("routing does not listen")
    }
}
