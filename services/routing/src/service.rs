//! The role's face: hands requests to the router's task and waits for its answer.

use crate::error::RoutingError;
use crate::metrics;
use crate::ops::{Op, Reply};
use crate::router::{MAILBOX, Message, Router};
use crate::settings::RoutingSettings;
use async_trait::async_trait;
use frontdesk_actor::{AcquireError, Ownership, ShardHost};
use frontdesk_bus::Bus;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, OfferId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{
    ApiError, Clock, Desk, Explanation, Presence, Queueing, Routing, Sessions, WorkObserver,
};
use frontdesk_telemetry::tasks;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What the role needs of the others.
#[derive(Clone)]
pub struct Deps {
    /// Owns the conversations.
    pub sessions: Arc<dyn Sessions>,
    /// Knows who has room.
    pub presence: Arc<dyn Presence>,
    /// Knows who waits.
    pub queueing: Arc<dyn Queueing>,
    /// Knows how queues are configured.
    pub desk: Arc<dyn Desk>,
    /// The way to the agents' gateways.
    pub bus: Arc<dyn Bus>,
    /// The shards of sites that are matched here.
    pub owned: Ownership,
    /// The time now.
    pub clock: Clock,
}

/// The role's task and, through it, every saga. Dropped without `stop`, all of
/// it ends at once, wherever it is; the next start finishes or undoes it.
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Takes nothing new, lets what is under way end (a few seconds at most) and
    /// waits for it.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(e) = (&mut self.task).await {
            tracing::error!(error = %e, "routing ended in a panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The routing role in this process.
pub struct RoutingService {
    mailbox: mpsc::Sender<Message>,
    owned: Ownership,
}

/// Starts the role's task.
pub fn start(deps: Deps, settings: &RoutingSettings) -> (Arc<RoutingService>, Running) {
    let stop = CancellationToken::new();
    let (mailbox, mail) = mpsc::channel(MAILBOX);
    let owned = deps.owned.clone();
    let router = Router::new(deps, settings);
    let task = tasks::spawn("routing.router", router.run(mail, stop.clone()));
    (Arc::new(RoutingService { mailbox, owned }), Running { stop, task })
}

impl RoutingService {
    fn send(&self, message: Message) -> Result<(), RoutingError> {
        self.mailbox.try_send(message).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => {
                metrics::shed();
                RoutingError::Full
            }
            mpsc::error::TrySendError::Closed(_) => RoutingError::Stopping,
        })
    }

    async fn answer(
        &self,
        who: &Principal,
        conversation: ConversationId,
        op: impl FnOnce(Reply) -> Op,
    ) -> Result<(), ApiError> {
        if !self.owned.serves(ShardId::of_site(&who.site)) {
            return Err(ApiError::Moved);
        }
        let (reply, answer) = oneshot::channel();
        self.send(Message::Answer(conversation, Box::new(op(reply))))?;
        answer.await.map_err(|_| RoutingError::Stopping)?
    }

    /// Asks the router about one of its sites.
    async fn ask<T>(
        &self,
        site: &SiteId,
        question: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, ApiError> {
        if !self.owned.serves(ShardId::of_site(site)) {
            return Err(ApiError::Moved);
        }
        let (reply, answer) = oneshot::channel();
        self.send(question(reply))?;
        Ok(answer.await.map_err(|_| RoutingError::Stopping)?)
    }
}

#[async_trait]
impl ShardHost for RoutingService {
    async fn acquire(&self, shards: &[(ShardId, Epoch)]) -> Result<(), AcquireError> {
        // Each step is decided by presence and the conversation: what is not known
        // yet delays, it does no harm.
        self.owned.hold(shards.iter().map(|(shard, _)| *shard));
        self.owned.serve(shards.iter().map(|(shard, _)| *shard));
        let told = self.mailbox.send(Message::Acquired).await;
        told.map_err(|_| AcquireError::Away(RoutingError::Stopping.to_string()))
    }

    async fn release(&self, shards: &[ShardId]) {
        self.owned.drop_all(shards);
        // Fails only when the role stops.
        let _ = self.mailbox.send(Message::Released).await;
    }
}

#[async_trait]
impl WorkObserver for RoutingService {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        if changed.iter().any(|s| !self.owned.holds(ShardId::of_site(&s.site))) {
            return Err(ApiError::Moved);
        }
        Ok(self.send(Message::Observe(changed))?)
    }
}

#[async_trait]
impl Routing for RoutingService {
    async fn accept(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
    ) -> Result<(), ApiError> {
        let by = who.clone();
        self.answer(who, conversation, |reply| Op::Accept { who: by, offer, reply }).await
    }

    async fn decline(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
        reason: &str,
    ) -> Result<(), ApiError> {
        let (by, reason) = (who.clone(), reason.to_owned());
        let op = |reply| Op::Decline { who: by, offer, reason, reply };
        self.answer(who, conversation, op).await
    }

    async fn take_over(
        &self,
        who: &Principal,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        let by = who.clone();
        self.answer(who, conversation, |reply| Op::TakeOver { who: by, reply }).await
    }

    async fn tell(&self, site: &SiteId, agent: AgentId, frame: Vec<u8>) -> Result<(), ApiError> {
        if !self.owned.serves(ShardId::of_site(site)) {
            return Err(ApiError::Moved);
        }
        Ok(self.send(Message::Tell { site: site.clone(), agent, frame })?)
    }

    async fn guest_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError> {
        let of = site.clone();
        self.ask(site, |reply| Message::GuestIn { site: of, agent, reply }).await
    }

    async fn asked_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError> {
        let of = site.clone();
        self.ask(site, |reply| Message::AskedIn { site: of, agent, reply }).await
    }

    async fn explain(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<Explanation>, ApiError> {
        let of = site.clone();
        self.ask(site, |reply| Message::Explain { site: of, conversation, reply }).await
    }
}
