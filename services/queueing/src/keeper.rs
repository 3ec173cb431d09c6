//! The task that keeps the groups true to what the other roles say: listens for
//! agents, and compares with the conversations themselves every few seconds, so
//! that an update lost on its way is made good.

use crate::call::in_time;
use crate::group::Message;
use crate::metrics;
use crate::missed::Missed;
use crate::seeding::Seeding;
use crate::service::{Deps, Groups};
use crate::sites::Sites;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Seq, SiteId};
use frontdesk_core::presence::AgentView;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, OpenWalk, PresenceChange};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// After a comparison comes a rest of so many times its length, however much is open.
const REST: u32 = 5;
/// Absent conversations looked up in one comparison; the others the next time.
const LOOK_UPS: usize = 256;
/// Between attempts at the first listing, before which nothing is answered.
const FIRST_RETRY: Duration = Duration::from_secs(1);

type Known = (SiteId, ConversationId, Seq);

/// A wish for a comparison now; answered with whether it was complete.
pub(crate) type Compare = oneshot::Sender<bool>;

pub(crate) struct Keeper {
    deps: Deps,
    groups: Groups,
    sites: Arc<Sites>,
    every: Duration,
    compares: mpsc::Receiver<Compare>,
    ready: bool,
    /// Sites whose past is known, or is being read.
    seeded: HashSet<SiteId>,
    seeding: VecDeque<Seeding>,
    /// Sites that were kept by nobody, or by another node.
    missed: VecDeque<Missed>,
}

impl Keeper {
    pub(crate) fn new(
        deps: Deps,
        groups: Groups,
        sites: Arc<Sites>,
        every: Duration,
        compares: mpsc::Receiver<Compare>,
    ) -> Self {
        let (seeded, seeding, missed) = Default::default();
        Self { deps, groups, sites, every, compares, ready: false, seeded, seeding, missed }
    }

    pub(crate) async fn run(self, stop: CancellationToken) {
        // Every await in `work` may be given up: nothing it holds must be kept.
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(mut self) {
        let mut presence = self.deps.presence.subscribe();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = sleep_until(next) => {
                    let began = Instant::now();
                    self.reconcile().await;
                    let wait = if self.ready { self.every } else { FIRST_RETRY };
                    next = Instant::now() + wait.max(began.elapsed() * REST);
                }
                Some(done) = self.compares.recv() => {
                    let is_complete = self.reconcile().await;
                    // Who asked may have gone.
                    let _ = done.send(is_complete);
                }
                () = std::future::ready(()), if !self.missed.is_empty() => {
                    self.look_for_missed().await;
                }
                () = std::future::ready(()), if !self.seeding.is_empty() => self.seed().await,
                change = presence.recv() => if !self.follow(change).await {
                    tracing::info!("presence has stopped: queues no longer follow the agents");
                    return;
                }
            }
        }
    }

    /// Takes one change of an agent; false when there will be none any more.
    async fn follow(&self, change: Result<PresenceChange, RecvError>) -> bool {
        match change {
            Ok(change) => {
                self.tell_agents(vec![change.agent]).await;
                true
            }
            Err(RecvError::Lagged(_)) => {
                if let Err(e) = self.list_agents().await {
                    tracing::warn!(error = %e, "agents could not be listed; the next comparison does");
                }
                true
            }
            Err(RecvError::Closed) => false,
        }
    }

    async fn list_agents(&self) -> Result<(), ApiError> {
        let agents = in_time("presence.agents", self.deps.presence.agents(None)).await?;
        self.tell_agents(agents).await;
        Ok(())
    }

    async fn tell_agents(&self, mut agents: Vec<Arc<AgentView>>) {
        agents.retain(|agent| self.deps.owned.holds(ShardId::of_site(&agent.site)));
        let parts = self.by_group(agents, |view| &view.site);
        for (index, views) in parts.into_iter().enumerate().filter(|(_, v)| !v.is_empty()) {
            self.tell(index, Message::Agents(views)).await;
        }
    }

    fn by_group<T>(&self, all: Vec<T>, site: impl Fn(&T) -> &SiteId) -> Vec<Vec<T>> {
        let mut parts: Vec<Vec<T>> = self.groups.all().iter().map(|_| Vec::new()).collect();
        for one in all {
            parts[self.groups.index(site(&one))].push(one);
        }
        parts
    }

    async fn tell(&self, group: usize, message: Message) {
        // Waits while the mailbox is full. Fails only when the role stops.
        let _ = self.groups.all()[group].send(message).await;
    }

    /// Reads a page of what was changed lately at one site.
    async fn look_for_missed(&mut self) {
        let Some(mut missed) = self.missed.pop_front() else { return };
        let found = match missed.step(self.deps.sessions.as_ref()).await {
            Ok(abandoned) => self.observe(abandoned).await,
            Err(e) => Err(e),
        };
        if let Err(e) = found {
            tracing::debug!(site = %missed.site, error = %e, "some of what was missed is not known");
        } else if !missed.is_over() {
            self.missed.push_back(missed);
        }
    }

    /// Reads a page of the past of one site.
    async fn seed(&mut self) {
        let Some(mut seeding) = self.seeding.pop_front() else { return };
        match seeding.step(self.deps.sessions.as_ref()).await {
            Ok(None) => self.seeding.push_back(seeding),
            Ok(Some(handled)) => {
                let index = self.groups.index(&seeding.site);
                self.tell(index, Message::Handled(seeding.site, handled)).await;
            }
            Err(e) => {
                // The next comparison begins again.
                tracing::debug!(site = %seeding.site, error = %e, "past chats could not be read");
                self.seeded.remove(&seeding.site);
            }
        }
    }

    /// Has the past of those sites read that are kept here and of which nothing is known.
    fn begin_seeding(&mut self) {
        let owned = &self.deps.owned;
        let is_here = |site: &SiteId| owned.holds(ShardId::of_site(site));
        self.seeded.retain(&is_here);
        self.seeding.retain(|seeding| is_here(&seeding.site));
        self.missed.retain(|missed| is_here(&missed.site));
        let now = (self.deps.clock)();
        for site in self.sites.known().into_iter().filter(is_here) {
            if self.seeded.insert(site.clone()) {
                self.missed.push_back(Missed::new(site.clone(), now));
                self.seeding.push_back(Seeding::new(site, now));
            }
        }
    }

    /// Whether everything that is open is known.
    async fn reconcile(&mut self) -> bool {
        if let Err(e) = self.compare().await {
            metrics::reconcile_failed();
            tracing::warn!(error = %e, "queues could not be compared; trying again soon");
            return false;
        }
        self.begin_seeding();
        if !self.ready {
            self.ready = true;
            for index in 0..self.groups.all().len() {
                self.tell(index, Message::Ready).await;
            }
        }
        true
    }

    async fn compare(&self) -> Result<(), ApiError> {
        self.list_agents().await?;
        for site in self.sites.refresh().await? {
            let index = self.groups.index(&site.id);
            self.tell(index, Message::Site(site)).await;
        }
        // Before the listing: what is heard of later cannot be missing from it.
        let believed = self.believed_open().await;
        let mut there = HashSet::new();
        let mut walk = OpenWalk::begin((self.deps.clock)());
        while let Some(open) =
            in_time("sessions.changed", walk.page(self.deps.sessions.as_ref())).await?
        {
            there.extend(open.iter().map(|s| s.id));
            self.observe(open).await?;
        }
        if !walk.is_complete() {
            tracing::debug!("more changes at once than can be compared; absent ones next time");
            return Ok(());
        }
        // What was heard of meanwhile need not be asked for.
        let still: HashSet<Known> = self.believed_open().await.into_iter().collect();
        let absent = believed.into_iter().filter(|known| !there.contains(&known.1));
        self.look_up(absent.filter(|known| still.contains(known)).take(LOOK_UPS).collect()).await
    }

    async fn believed_open(&self) -> Vec<Known> {
        let mut all = Vec::new();
        for index in 0..self.groups.all().len() {
            let (reply, answer) = oneshot::channel();
            self.tell(index, Message::Open(reply)).await;
            all.extend(answer.await.unwrap_or_default());
        }
        all
    }

    async fn look_up(&self, absent: Vec<Known>) -> Result<(), ApiError> {
        metrics::found_lost(absent.len() as u64);
        for (site, conversation, version) in absent {
            let summary = self.deps.sessions.summary(conversation, None);
            match in_time("sessions.summary", summary).await {
                Ok(summary) => self.observe(vec![summary]).await?,
                Err(ApiError::NotFound(_)) => {
                    let index = self.groups.index(&site);
                    self.tell(index, Message::Forget(site, conversation, version)).await;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    async fn observe(&self, summaries: Vec<Summary>) -> Result<(), ApiError> {
        let mut seen = Vec::with_capacity(summaries.len());
        for summary in summaries {
            if !self.deps.owned.holds(ShardId::of_site(&summary.site)) {
                continue;
            }
            match self.sites.get(&summary.site).await {
                Ok(site) => seen.push((Arc::new(summary), site)),
                Err(ApiError::NotFound(_)) => {}
                Err(e) => return Err(e),
            }
        }
        let parts = self.by_group(seen, |(summary, _)| &summary.site);
        for (index, part) in parts.into_iter().enumerate().filter(|(_, p)| !p.is_empty()) {
            self.tell(index, Message::Observe(part)).await;
        }
        Ok(())
    }
}
