//! The role as others see it: finds the shard, puts mail into its mailbox, and
//! reads pages from the journal for those who may read.

use crate::clock::Clock;
use crate::error::SessionsError;
use crate::mail::{Job, Mail};
use crate::metrics::Meters;
use crate::notify::Notifier;
use crate::settings::Settings;
use crate::shard::{Parts, Shard, audience_of};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_actor::{Mailboxes, Refused};
use frontdesk_bus::Bus;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, NodeId, Seq, SiteId};
use frontdesk_core::party::{Audience, Principal};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{
    ApiError, Attach, Attached, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent,
    ReplyFuture, Sessions, WorkObserver,
};
use frontdesk_store::journal::{Journal, JournalError, ListQuery, ReadQuery, Record};
use futures::FutureExt as _;
use futures::stream::{StreamExt as _, iter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tracing::error;

/// The longest a question to a shard may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of a history page.
const PAGE_BYTES: usize = 256 * 1024;
/// Rows of a list that are looked at together.
const LOOKS: usize = 32;

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
    journal: Arc<dyn Journal>,
    meters: Meters,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    shards: JoinSet<()>,
    notifier: Option<JoinHandle<()>>,
}

impl SessionsService {
    /// Claims the shards, then starts one task for each.
    pub async fn start(
        settings: Settings,
        owned: &[(ShardId, Epoch)],
        deps: SessionsDeps,
    ) -> Result<Self, SessionsError> {
        deps.journal.claim(owned).await?;
        let meters = Meters::new();
        let (notifier, notifier_task) = Notifier::start(deps.observers);
        let parts = Parts {
            settings: Arc::new(settings),
            journal: deps.journal.clone(),
            bus: deps.bus,
            clock: deps.clock,
            notifier,
            meters: meters.clone(),
        };
        let mailboxes = Mailboxes::default();
        let mut shards = JoinSet::new();
        for (id, epoch) in owned {
            let mail = mailboxes.open(*id, parts.settings.mailbox_commands);
            shards.spawn(Shard::new(*id, *epoch, parts.clone(), mail).run());
        }
        Ok(Self {
            mailboxes,
            journal: deps.journal,
            meters,
            tasks: Mutex::new(Tasks { shards, notifier: Some(notifier_task) }),
        })
    }

    /// Takes no more mail, finishes what is in flight and saves what is worth it.
    pub async fn stop(&self) {
        self.mailboxes.close();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut shards = tasks.shards;
        while let Some(ended) = shards.join_next().await {
            if let Err(error) = ended {
                error!(%error, "a shard did not end well");
            }
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
                mail.refuse(ApiError::unavailable("no owner of the shard here"));
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

    async fn look(
        &self,
        conversation: ConversationId,
        who: Option<Principal>,
        live_only: bool,
    ) -> Result<Summary, ApiError> {
        let summary =
            self.ask(|answer| Mail::Look { conversation, who, live_only, answer }).await?;
        Ok(*summary)
    }

    /// A row of a list, brought up to date: its own figures may be old.
    async fn fresh(&self, row: Arc<Summary>) -> Result<Summary, ApiError> {
        match self.look(row.id, None, true).await {
            Ok(live) => return Ok(live),
            Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let mut summary = Summary::clone(&row);
        for (audience, backwards) in [(Audience::Internal, true), (Audience::Public, true)] {
            let query = ReadQuery {
                conversation: row.id,
                audience,
                after: Seq::ZERO,
                limit: 1,
                max_bytes: PAGE_BYTES,
                backwards,
            };
            let page = self.journal.read(query).await.map_err(unavailable)?;
            let Some(last) = page.records.last() else { continue };
            match audience {
                Audience::Internal => summary.head = last.seq,
                Audience::Public => summary.public_head = last.seq,
            }
            if let Ok(event) =
                frontdesk_proto::convert::decode_event(&last.payload, last.prev_public)
            {
                summary.last_at = summary.last_at.max(event.at);
            }
        }
        Ok(summary)
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
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        let (answer, answered) = oneshot::channel();
        self.post(Mail::Command(Job::new(envelope, answer)));
        let stopped = |_| Err(ApiError::unavailable("the shard has stopped"));
        answered.map(move |result| result.unwrap_or_else(stopped)).boxed()
    }

    async fn attach(&self, request: Attach) -> Result<Attached, ApiError> {
        self.ask(|answer| Mail::Attach(request, answer)).await
    }

    async fn detach(&self, gateway: &NodeId, conversation: ConversationId) {
        self.post(Mail::Detach(gateway.clone(), conversation));
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
        let page = self.journal.read(read).await.map_err(unavailable)?;
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
        let site = site.cloned();
        let of_site =
            || site.clone().ok_or_else(|| ApiError::Invalid("a list needs a site".into()));
        let query = match filter {
            ListFilter::OfVisitor(visitor) => ListQuery::OfVisitor(of_site()?, visitor),
            ListFilter::OfAgent { agent, closed } => {
                ListQuery::OfAgent { site: of_site()?, agent, closed }
            }
            ListFilter::Waiting(queue) => ListQuery::Waiting(of_site()?, queue),
            ListFilter::All => ListQuery::OfSite(of_site()?),
            ListFilter::Open => ListQuery::Open,
        };
        let rows = self.journal.list(query.clone(), limit).await.map_err(unavailable)?;
        if query == ListQuery::Open {
            // Reconcilers look at what lists show only; that is never old.
            return Ok(rows.iter().map(|row| Summary::clone(row)).collect());
        }
        let fresh: Vec<_> = iter(rows).map(|row| self.fresh(row)).buffered(LOOKS).collect().await;
        fresh.into_iter().collect()
    }

    fn hint(&self, conversation: ConversationId, internal: bool, frame: Bytes) {
        self.post(Mail::Hint { conversation, internal, frame });
    }
}
