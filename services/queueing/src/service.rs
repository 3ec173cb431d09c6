//! The role's face: finds the group of a site and asks it.

use crate::error::QueueingError;
use crate::group::{Group, MAILBOX, Message};
use crate::keeper::{Compare, Keeper};
use crate::metrics;
use crate::settings::QueueingSettings;
use crate::sites::Sites;
use async_trait::async_trait;
use frontdesk_actor::{AcquireError, Ownership, ShardHost};
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, SiteId};
use frontdesk_core::queue::Entry;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{
    ApiError, Clock, Desk, Presence, QueueChange, QueueKey, QueuePosition, QueueView, Queueing,
    Sessions, WorkObserver,
};
use frontdesk_telemetry::tasks;
use serde::Serialize;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Changes a slow listener may be behind before it has to ask for everything.
const CHANGES: usize = 1_024;

/// What the role needs of the others.
#[derive(Clone)]
pub struct Deps {
    /// Owns the conversations.
    pub sessions: Arc<dyn Sessions>,
    /// Knows who is there.
    pub presence: Arc<dyn Presence>,
    /// Knows how queues are configured.
    pub desk: Arc<dyn Desk>,
    /// The shards of sites whose queues are kept here.
    pub owned: Ownership,
    /// The time now.
    pub clock: Clock,
}

/// The role's tasks. Dropped without `stop`, they end at once.
pub struct Running {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    /// Ends every task and waits for it.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The queueing role in this process.
pub struct QueueingService {
    groups: Groups,
    sites: Arc<Sites>,
    changes: broadcast::Sender<QueueChange>,
    owned: Ownership,
    /// To the keeper.
    compare: mpsc::Sender<Compare>,
}

/// Starts the role's tasks: one per group, and the keeper. Until the
/// conversations have been listed for the first time questions are answered
/// `Unavailable`.
pub fn start(deps: Deps, settings: &QueueingSettings) -> (Arc<QueueingService>, Running) {
    let stop = CancellationToken::new();
    let (changes, _) = broadcast::channel(CHANGES);
    let mut running = JoinSet::new();
    let mut mailboxes = Vec::new();
    for _ in 0..settings.groups() {
        let (sender, mail) = mpsc::channel(MAILBOX);
        let group = Group::new(changes.clone(), deps.sessions.clone(), deps.clock.clone());
        tasks::spawn_in(&mut running, "queueing.group", group.run(mail, stop.clone()));
        mailboxes.push(sender);
    }
    let groups = Groups { mailboxes: mailboxes.into() };
    let sites = Arc::new(Sites::new(deps.desk.clone()));
    let owned = deps.owned.clone();
    let (compare, compares) = mpsc::channel(1);
    let every = settings.reconcile_every();
    let keeper = Keeper::new(deps, groups.clone(), sites.clone(), every, compares);
    tasks::spawn_in(&mut running, "queueing.keeper", keeper.run(stop.clone()));
    let service = QueueingService { groups, sites, changes, owned, compare };
    (Arc::new(service), Running { stop, tasks: running })
}

/// The mailboxes of the groups. A site is always in the same one.
#[derive(Clone)]
pub(crate) struct Groups {
    mailboxes: Arc<[mpsc::Sender<Message>]>,
}

impl Groups {
    pub(crate) fn all(&self) -> &[mpsc::Sender<Message>] {
        &self.mailboxes
    }

    /// The number of a site's group.
    pub(crate) fn index(&self, site: &SiteId) -> usize {
        let mut hasher = DefaultHasher::new();
        site.hash(&mut hasher);
        // The remainder is below a length, thus fits.
        (hasher.finish() % self.mailboxes.len() as u64) as usize
    }

    pub(crate) fn of(&self, site: &SiteId) -> &mpsc::Sender<Message> {
        &self.mailboxes[self.index(site)]
    }
}

async fn ask<T>(
    group: &mpsc::Sender<Message>,
    question: impl FnOnce(oneshot::Sender<Result<T, QueueingError>>) -> Message,
) -> Result<T, ApiError> {
    let (reply, answer) = oneshot::channel();
    group.try_send(question(reply)).map_err(refused)?;
    Ok(answer.await.map_err(|_| QueueingError::Stopping)??)
}

fn refused(e: mpsc::error::TrySendError<Message>) -> QueueingError {
    metrics::shed(1);
    match e {
        mpsc::error::TrySendError::Full(_) => QueueingError::Full,
        mpsc::error::TrySendError::Closed(_) => QueueingError::Stopping,
    }
}

/// One task that keeps queues, as whoever operates the process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// Its number.
    pub group: usize,
    /// What waits in its mailbox.
    pub mailbox_depth: usize,
    /// What its mailbox holds at most.
    pub mailbox_limit: usize,
}

impl QueueingService {
    /// The tasks that keep queues here.
    pub fn mailboxes(&self) -> Vec<GroupView> {
        let mailboxes = self.groups.all().iter().enumerate();
        let view = |(group, mailbox): (usize, &mpsc::Sender<Message>)| {
            let mailbox_limit = mailbox.max_capacity();
            let mailbox_depth = mailbox_limit - mailbox.capacity();
            GroupView { group, mailbox_depth, mailbox_limit }
        };
        mailboxes.map(view).collect()
    }

    /// Refuses questions about sites of other nodes.
    fn check_serves(&self, site: &SiteId) -> Result<(), ApiError> {
        if self.owned.serves(ShardId::of_site(site)) { Ok(()) } else { Err(ApiError::Moved) }
    }
}

#[async_trait]
impl ShardHost for QueueingService {
    async fn acquire(&self, shards: &[(ShardId, Epoch)]) -> Result<(), AcquireError> {
        let shards: Vec<ShardId> = shards.iter().map(|(shard, _)| *shard).collect();
        // What is heard of from here on is not missed; what was before is listed.
        self.owned.hold(shards.iter().copied());
        let (compared, done) = oneshot::channel();
        let asked = self.compare.send(compared).await;
        let is_complete = asked.is_ok() && done.await.unwrap_or(false);
        if is_complete {
            self.owned.serve(shards);
            return Ok(());
        }
        self.release(&shards).await;
        Err(AcquireError::Away("the conversations could not be listed".into()))
    }

    async fn release(&self, shards: &[ShardId]) {
        self.owned.drop_all(shards);
        for group in self.groups.all() {
            // Fails only when the role stops.
            let _ = group.send(Message::Release(shards.to_vec())).await;
        }
    }
}

#[async_trait]
impl WorkObserver for QueueingService {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        let mut by_group: Vec<Vec<_>> = self.groups.all().iter().map(|_| Vec::new()).collect();
        for summary in changed {
            if !self.owned.holds(ShardId::of_site(&summary.site)) {
                return Err(ApiError::Moved);
            }
            let site = match self.sites.get(&summary.site).await {
                Ok(site) => site,
                // Nothing can wait at a site that is no more.
                Err(ApiError::NotFound(_)) => continue,
                Err(e) => return Err(e),
            };
            by_group[self.groups.index(&summary.site)].push((summary, site));
        }
        for (group, seen) in self.groups.all().iter().zip(by_group) {
            if !seen.is_empty() {
                group.try_send(Message::Observe(seen)).map_err(refused)?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Queueing for QueueingService {
    async fn waiting(&self, queue: &QueueKey, limit: u32) -> Result<Vec<Entry>, ApiError> {
        self.check_serves(&queue.site)?;
        let question = |reply| Message::Waiting(queue.clone(), limit, reply);
        ask(self.groups.of(&queue.site), question).await
    }

    async fn active(&self) -> Result<Vec<QueueKey>, ApiError> {
        let mut all = Vec::new();
        for group in self.groups.all() {
            all.extend(ask(group, Message::Active).await?);
        }
        Ok(all)
    }

    async fn queues(&self, site: &SiteId) -> Result<Vec<QueueView>, ApiError> {
        self.check_serves(site)?;
        let config = self.sites.get(site).await?;
        ask(self.groups.of(site), |reply| Message::Queues(config, reply)).await
    }

    async fn position(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError> {
        self.check_serves(site)?;
        let question = |reply| Message::Position(site.clone(), conversation, reply);
        ask(self.groups.of(site), question).await
    }

    fn subscribe(&self) -> broadcast::Receiver<QueueChange> {
        self.changes.subscribe()
    }
}
