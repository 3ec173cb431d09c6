//! The role as others see it: finds the shard, puts mail into its mailbox, and
//! reads pages from the journal for those who may read.

use crate::clock::Clock;
use crate::epochs::Epochs;
use crate::error::SessionsError;
use crate::inspect::{ShardView, SlowCommit, Watched};
use crate::lists::query_of;
use crate::mail::{Job, Leaving, Mail};
use crate::metrics::Meters;
use crate::notify::Notifier;
use crate::settings::Settings;
use crate::shard::GoneGateways;
use crate::shard::{Parts, Shard, audience_of};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_actor::{AcquireError, Mailboxes, Refused, ShardHost};
use frontdesk_bus::Bus;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, NodeId, Seq, SiteId};
use frontdesk_core::party::{Audience, Principal};
use frontdesk_core::privacy::Remains;
use frontdesk_core::shard::ShardId;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{
    ApiError, Attach, Attached, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent, Place,
    RecordPage, ReplyFuture, Sessions, SummaryPage, WorkObserver,
};
use frontdesk_store::journal::{Journal, JournalError, ReadQuery, Record};
use frontdesk_telemetry::{tasks, traces};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::error;

/// The longest a question to a shard or to the journal may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Between two tries to put a detach into a full mailbox.
const DETACH_PAUSE: Duration = Duration::from_millis(20);
/// Bytes of a page of events.
pub(crate) const PAGE_BYTES: usize = 256 * 1024;

/// What the role works with.
pub struct SessionsDeps {
    /// Where events become durable.
    pub journal: Arc<dyn Journal>,
    /// How gateways hear of them.
    pub bus: Arc<dyn Bus>,
    /// Who wants to hear of changed conversations.
    pub observers: Vec<Arc<dyn WorkObserver>>,
    /// Time for the commands.
    pub clock: Arc<dyn Clock>,
}

/// The running role.
pub struct SessionsService {
    mailboxes: Mailboxes<Mail>,
    epochs: Epochs,
    pub(crate) journal: Arc<dyn Journal>,
    meters: Meters,
    parts: Mutex<Option<Parts>>,
    tasks: Mutex<Tasks>,
    gone: watch::Sender<GoneGateways>,
    /// What the shards that are here tell of themselves.
    watched: Mutex<BTreeMap<ShardId, Arc<Watched>>>,
}

#[derive(Default)]
struct Tasks {
    shards: HashMap<ShardId, JoinHandle<()>>,
    notifier: Option<JoinHandle<()>>,
}

impl SessionsService {
    /// Starts the role with these shards; more may come and go (`ShardHost`).
    pub async fn start(
        settings: Settings,
        owned: &[(ShardId, Epoch)],
        deps: SessionsDeps,
    ) -> Result<Self, SessionsError> {
        let meters = Meters::new();
        let (gone, seen) = watch::channel(GoneGateways::default());
        let (notifier, notifier_task) = Notifier::start(deps.observers);
        let parts = Parts {
            settings: Arc::new(settings),
            journal: deps.journal.clone(),
            bus: deps.bus,
            clock: deps.clock,
            notifier,
            meters: meters.clone(),
            gone: seen,
        };
        let tasks = Tasks { shards: HashMap::new(), notifier: Some(notifier_task) };
        let role = Self {
            mailboxes: Mailboxes::default(),
            epochs: Epochs::default(),
            journal: deps.journal,
            meters,
            parts: Mutex::new(Some(parts)),
            tasks: Mutex::new(tasks),
            gone,
            watched: Mutex::default(),
        };
        role.own(owned).await?;
        Ok(role)
    }

    /// Claims shards, then starts one task for each.
    async fn own(&self, owned: &[(ShardId, Epoch)]) -> Result<(), JournalError> {
        if !owned.is_empty() {
            self.journal.claim(owned).await?;
        }
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(parts) = parts else {
            return Err(JournalError::Unavailable("the node stops".into()));
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, epoch) in owned {
            self.epochs.set(*id, *epoch);
            let mail = self.mailboxes.open(*id, parts.settings.mailbox_commands.get());
            let watched = Arc::<Watched>::default();
            let shard = Shard::new(*id, *epoch, parts.clone(), (mail, watched.clone()));
            self.watched().insert(*id, watched);
            tasks.shards.insert(*id, tasks::spawn("sessions.shard", shard.run()));
        }
        Ok(())
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<ShardId, Arc<Watched>>> {
        // Every write is one insertion or removal: a poisoned map is a whole one.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shards that are owned here, for whoever operates the node.
    pub fn shards(&self) -> Vec<ShardView> {
        let watched = self.watched().clone();
        let view = |(shard, mailbox_depth, mailbox_limit): (ShardId, usize, usize)| {
            let of = watched.get(&shard)?;
            Some(ShardView {
                shard: shard.get(),
                epoch: self.epochs.get(shard).unwrap_or_default().get(),
                mailbox_depth,
                mailbox_limit,
                live: of.live.load(Ordering::Relaxed),
                appends: of.appends.load(Ordering::Relaxed),
                loads: of.loads.load(Ordering::Relaxed),
                fenced: of.is_fenced(),
            })
        };
        self.mailboxes.depths().into_iter().filter_map(view).collect()
    }

    /// The slowest commits of late, at most so many.
    pub fn slowest(&self, limit: usize) -> Vec<SlowCommit> {
        let (watched, now) = (self.watched().clone(), Instant::now());
        let of = |(shard, watched): (&ShardId, &Arc<Watched>)| watched.slowest(shard.get(), now);
        let mut slowest: Vec<SlowCommit> = watched.iter().flat_map(of).collect();
        slowest.sort_by_key(|slow| std::cmp::Reverse(slow.commit_micros));
        slowest.truncate(limit);
        slowest
    }

    /// Gateways that are no more: nothing is published to them any longer.
    pub fn forget_gateways(&self, gone: BTreeSet<NodeId>) {
        self.gone.send_if_modified(|known| {
            let changed = *known.0 != gone;
            if changed {
                *known = GoneGateways(Arc::new(gone));
            }
            changed
        });
    }

    /// Takes no more mail, finishes what is in flight and saves what is worth it.
    pub async fn stop(&self) {
        self.mailboxes.close();
        drop(self.parts.lock().unwrap_or_else(PoisonError::into_inner).take());
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for (shard, task) in tasks.shards {
            ended(shard, task).await;
        }
        if let Some(notifier) = tasks.notifier {
            // It ends by itself once the shards are gone.
            let _ = notifier.await;
        }
    }

    fn post(&self, mail: Mail) {
        let shard = ShardId::of(mail.conversation());
        match self.mailboxes.post(shard, mail) {
            Ok(()) => {}
            Err(Refused::Full(mail)) => {
                self.meters.sheds.increment(1);
                mail.refuse(ApiError::unavailable("the shard's mailbox is full"));
            }
            Err(Refused::NotHere(mail)) => {
                mail.refuse(ApiError::Moved);
            }
        }
    }

    async fn ask<T>(
        &self,
        mail: impl FnOnce(oneshot::Sender<Result<T, ApiError>>) -> Mail,
    ) -> Result<T, ApiError> {
        let (answer, answered) = oneshot::channel();
        self.post(mail(answer));
        match tokio::time::timeout(DEADLINE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(ApiError::unavailable("the shard has stopped")),
            Err(_) => Err(ApiError::unavailable("the shard did not answer in time")),
        }
    }

    async fn leaving(&self, gateway: &NodeId, conversation: ConversationId, who: Leaving) {
        let shard = ShardId::of(conversation);
        let mut mail = Mail::Detach(gateway.clone(), conversation, who);
        let give_up = Instant::now() + DEADLINE;
        // Nobody is told when it is lost, and the shard would publish to that
        // gateway for ever: worth waiting for room.
        while let Err(Refused::Full(back)) = self.mailboxes.post(shard, mail) {
            if Instant::now() >= give_up {
                return;
            }
            mail = back;
            tokio::time::sleep(DETACH_PAUSE).await;
        }
    }

    pub(crate) async fn look(
        &self,
        conversation: ConversationId,
        who: Option<Principal>,
        live_only: bool,
    ) -> Result<Summary, ApiError> {
        let summary =
            self.ask(|answer| Mail::Look { conversation, who, live_only, answer }).await?;
        Ok(*summary)
    }
}

async fn ended(shard: ShardId, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        error!(shard = shard.get(), %error, "a shard did not end well");
    }
}

#[async_trait]
impl ShardHost for SessionsService {
    async fn acquire(&self, shards: &[(ShardId, Epoch)]) -> Result<(), AcquireError> {
        self.own(shards).await.map_err(|error| match error {
            JournalError::Fenced { shard, epoch } => AcquireError::Outdated { shard, epoch },
            error => AcquireError::Away(error.to_string()),
        })
    }

    async fn release(&self, shards: &[ShardId]) {
        shards.iter().for_each(|shard| {
            self.mailboxes.close_one(*shard);
            self.epochs.set(*shard, Epoch::default());
            self.watched().remove(shard);
        });
        let ending: Vec<_> = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            shards.iter().filter_map(|s| Some((*s, tasks.shards.remove(s)?))).collect()
        };
        for (shard, task) in ending {
            ended(shard, task).await;
        }
    }
}

pub(crate) async fn within_deadline<T>(
    asked: impl Future<Output = Result<T, JournalError>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(result) => result.map_err(unavailable),
        Err(_) => Err(ApiError::unavailable("the journal did not answer in time")),
    }
}

fn unavailable(error: JournalError) -> ApiError {
    match error {
        JournalError::Damaged(_) => ApiError::Internal(error.to_string()),
        JournalError::Fenced { .. } | JournalError::Unavailable(_) => {
            ApiError::unavailable(error.to_string())
        }
    }
}

fn page_event(record: Record, audience: Audience) -> PageEvent {
    let prev = match audience {
        Audience::Public => record.prev_public,
        Audience::Internal => Seq::new(record.seq.get() - 1),
    };
    PageEvent { seq: record.seq, prev, event: record.payload }
}

#[async_trait]
impl Sessions for SessionsService {
    fn epoch_of(&self, shard: ShardId) -> Option<Epoch> {
        self.epochs.get(shard)
    }

    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        if let Some(trace) = traces::current() {
            return self.submit_traced(envelope, trace);
        }
        let (answer, answered) = oneshot::channel();
        self.post(Mail::Command(Job::new(envelope, answer)));
        ReplyFuture::of(answered)
    }

    fn submit_traced(&self, envelope: Envelope, trace: TraceContext) -> ReplyFuture {
        let (answer, answered) = oneshot::channel();
        self.post(Mail::Command(Job::new(envelope, answer).traced(trace)));
        ReplyFuture::of(answered)
    }

    async fn attach(&self, request: Attach) -> Result<Attached, ApiError> {
        self.ask(|answer| Mail::Attach(request, answer)).await
    }

    async fn detach(&self, gateway: &NodeId, conversation: ConversationId) {
        self.leaving(gateway, conversation, Leaving::Everybody).await;
    }

    async fn visitor_left(&self, gateway: &NodeId, conversation: ConversationId) {
        self.leaving(gateway, conversation, Leaving::Visitor).await;
    }

    async fn history(&self, query: HistoryQuery) -> Result<EventPage, ApiError> {
        let audience = audience_of(query.who.as_ref());
        self.look(query.conversation, query.who, false).await?;
        let read = ReadQuery {
            conversation: query.conversation,
            audience,
            after: query.after,
            limit: query.limit,
            max_bytes: PAGE_BYTES,
            backwards: query.backwards,
        };
        let page = within_deadline(self.journal.read(read)).await?;
        let events = page.records.into_iter().map(|r| page_event(r, audience)).collect();
        Ok(EventPage { events, more: page.more })
    }

    async fn summary(
        &self,
        conversation: ConversationId,
        who: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        self.look(conversation, who.cloned(), false).await
    }

    async fn list(
        &self,
        site: Option<&SiteId>,
        filter: ListFilter,
        limit: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        self.listed(query_of(site, filter)?, limit).await
    }

    async fn changed(
        &self,
        site: Option<&SiteId>,
        from: Place,
        limit: u32,
    ) -> Result<SummaryPage, ApiError> {
        self.changed_from(site, from, limit).await
    }

    async fn records(
        &self,
        site: &SiteId,
        from: Place,
        limit: u32,
    ) -> Result<RecordPage, ApiError> {
        self.recorded(site, from, limit).await
    }

    async fn scrub(&self) -> Result<Remains, ApiError> {
        // As long as it takes: who asks waits for it, and for a part of it the senders do.
        self.journal.scrub().await.map_err(unavailable)
    }

    fn hint(&self, conversation: ConversationId, internal: bool, frame: Bytes) {
        self.post(Mail::Hint { conversation, internal, frame });
    }
}
