//! The one task that decides: it hears of everything, matches when something has
//! changed, and starts the sagas. It waits for nobody.

use crate::agents::{Agents, News};
use crate::gather::{self, Gathered};
use crate::matcher::Matcher;
use crate::metrics;
use crate::notice;
use crate::ops::{Done, Op, Ops};
use crate::reconcile::{self, Finding, Picture};
use crate::saga::{Report, Saga};
use crate::service::Deps;
use crate::settings::RoutingSettings;
use crate::work::Work;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::presence::{AgentView, Hold};
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Explanation, PresenceChange, QueueChange, QueueKey};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Messages the router may have before it; each is some microseconds of work.
pub(crate) const MAILBOX: usize = 1_024;
/// Before what failed for want of another role is tried again.
const RETRY: Millis = Millis::from_secs(1);
/// After a comparison comes a rest of so many times its length, however much is open.
const REST: u32 = 5;
/// What is under way at a stop may take this long: one saga's longest step.
const DRAIN: Duration = Duration::from_secs(8);

/// What the router may be told or asked.
pub(crate) enum Message {
    Observe(Vec<Arc<Summary>>),
    /// There are more shards: all there is to know is looked for at once.
    Acquired,
    /// There are fewer shards.
    Released,
    Answer(ConversationId, Box<Op>),
    /// Something for all connections of an agent.
    Tell {
        site: SiteId,
        agent: AgentId,
        frame: Vec<u8>,
    },
    /// Where an agent takes part as a guest.
    GuestIn {
        site: SiteId,
        agent: AgentId,
        reply: oneshot::Sender<Vec<ConversationId>>,
    },
    /// Where an agent is asked for something by a colleague.
    AskedIn {
        site: SiteId,
        agent: AgentId,
        reply: oneshot::Sender<Vec<ConversationId>>,
    },
    /// Why the last decision about a conversation was what it was.
    Explain {
        site: SiteId,
        conversation: ConversationId,
        reply: oneshot::Sender<Option<Explanation>>,
    },
}

pub(crate) struct Router {
    saga: Saga,
    agents: Agents,
    work: Work,
    matcher: Matcher,
    ops: Ops,
    reconcile_every: Duration,
    reconcile_at: Instant,
    /// When the comparison under way was begun.
    reconciling_since: Option<Instant>,
    /// All queues are to be asked for at this time.
    list_queues_at: Option<Timestamp>,
}

impl Router {
    pub(crate) fn new(deps: Deps, settings: &RoutingSettings) -> Self {
        let saga = Saga::new(deps);
        Self {
            agents: Agents::default(),
            work: Work::default(),
            matcher: Matcher::default(),
            ops: Ops::new(saga.clone()),
            reconcile_every: settings.reconcile_every(),
            reconcile_at: Instant::now(),
            reconciling_since: None,
            list_queues_at: None,
            saga,
        }
    }

    pub(crate) async fn run(mut self, mut mail: mpsc::Receiver<Message>, stop: CancellationToken) {
        let mut presence = self.saga.deps().presence.subscribe();
        let mut queues = self.saga.deps().queueing.subscribe();
        loop {
            let wake = self.next_wake();
            tokio::select! {
                () = stop.cancelled() => break,
                message = mail.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                change = presence.recv() => if !self.hear_agent(change) { break },
                change = queues.recv() => if !self.hear_queue(change) { break },
                Some(done) = self.ops.next() => self.done(done),
                () = sleep_until(wake) => self.on_time(),
            }
            self.match_sites();
        }
        self.drain(mail).await;
    }

    /// Lets the sagas that are under way end; what waits behind them is refused
    /// by being dropped.
    async fn drain(mut self, mail: mpsc::Receiver<Message>) {
        drop(mail);
        let ended = async { while self.ops.next().await.is_some() {} };
        if timeout(DRAIN, ended).await.is_err() {
            tracing::warn!("routing stopped with steps under way; the next start settles them");
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Observe(changed) => {
                for summary in changed {
                    self.observe(&summary);
                    self.settle_if_half_done(summary.id);
                }
            }
            Message::Acquired => self.reconcile_at = Instant::now(),
            Message::Released => self.forget_released(),
            // A refusal has been told to who asked.
            Message::Answer(conversation, op) => drop(self.ops.begin(conversation, *op)),
            Message::Tell { site, agent, frame } => {
                let bus = self.saga.deps().bus.as_ref();
                notice::tell(bus, &self.agents, &site, agent, frame);
            }
            Message::GuestIn { site, agent, reply } => {
                // The asker may have given up.
                let _ = reply.send(self.work.guest_in(&site, agent));
            }
            Message::AskedIn { site, agent, reply } => {
                // The asker may have given up.
                let _ = reply.send(self.work.asked_in(&site, agent));
            }
            Message::Explain { site, conversation, reply } => {
                // The asker may have given up.
                let _ = reply.send(self.matcher.explain(&site, conversation));
            }
        }
    }

    /// Whether a site is matched here.
    fn owns(&self, site: &SiteId) -> bool {
        self.saga.deps().owned.holds(ShardId::of_site(site))
    }

    /// Another node looks after them; what is under way ends there or here.
    fn forget_released(&mut self) {
        let known = self.work.all().map(|(conversation, known)| (conversation, known.site.clone()));
        let gone: Vec<_> = known.filter(|(_, site)| !self.owns(site)).collect();
        gone.into_iter().for_each(|(conversation, _)| self.work.forget(conversation));
    }

    fn observe(&mut self, summary: &Summary) {
        if !self.owns(&summary.site) {
            return;
        }
        let bus = self.saga.deps().bus.as_ref();
        for notice in self.work.observe(summary, self.saga.now()) {
            notice::publish(bus, &self.agents, notice);
        }
    }

    fn settle_if_half_done(&mut self, conversation: ConversationId) {
        if !self.ops.is_busy(conversation) && self.work.tidy(conversation) {
            self.settle(conversation, vec![]);
        }
    }

    /// Has a known conversation looked at, with whoever is believed to hold room.
    fn settle(&mut self, conversation: ConversationId, mut suspects: Vec<AgentId>) {
        let Some(known) = self.work.get(conversation) else {
            return;
        };
        suspects.extend(known.held.map(|held| held.agent));
        let site = known.site.clone();
        self.begin_settling(conversation, site, suspects);
    }

    fn begin_settling(
        &mut self,
        conversation: ConversationId,
        site: SiteId,
        suspects: Vec<AgentId>,
    ) {
        if !self.owns(&site) {
            return;
        }
        if self.ops.begin(conversation, Op::Settle { site, suspects }).is_err() {
            self.work.look_again(conversation, self.saga.now() + RETRY);
        }
    }

    /// False when presence has ended.
    fn hear_agent(&mut self, change: Result<PresenceChange, RecvError>) -> bool {
        match change {
            Ok(change) => self.note_agent(change.agent),
            // The reconciler lists them all.
            Err(RecvError::Lagged(_)) => self.reconcile_at = Instant::now(),
            Err(RecvError::Closed) => return false,
        }
        true
    }

    fn note_agent(&mut self, view: Arc<AgentView>) {
        match self.agents.update(view.clone()) {
            News::Old => return,
            News::Changed => {}
            News::Gone => self.give_back_all(&view),
        }
        self.matcher.stir(&view.site);
    }

    /// An agent has gone: everything it has or is asked for goes to others.
    fn give_back_all(&mut self, view: &AgentView) {
        let known = self.work.of_agent(view.id).filter(|(_, known)| known.site == view.site);
        let mut all: Vec<ConversationId> = known.map(|(conversation, _)| conversation).collect();
        let reserved = view.reservations.iter().filter(|r| !matches!(r.hold, Hold::WrapUp(_)));
        all.extend(reserved.map(|r| r.conversation));
        all.sort();
        all.dedup();
        for conversation in all {
            self.begin_settling(conversation, view.site.clone(), vec![view.id]);
        }
    }

    /// False when queueing has ended.
    fn hear_queue(&mut self, change: Result<QueueChange, RecvError>) -> bool {
        match change {
            Ok(change) => self.matcher.stir(&change.queue.site),
            Err(RecvError::Lagged(_)) => self.list_queues(),
            Err(RecvError::Closed) => return false,
        }
        true
    }

    fn list_queues(&mut self) {
        let saga = self.saga.clone();
        self.list_queues_at = None;
        self.ops.spawn(async move { Done::Active(gather::active(&saga).await) });
    }

    fn match_sites(&mut self) {
        for site in self.matcher.take_stirred() {
            if !self.owns(&site) {
                self.matcher.gathered(&site);
                continue;
            }
            let Some(most) = self.matcher.reach(&site, &self.agents, &self.ops) else {
                self.matcher.gathered(&site);
                continue;
            };
            let saga = self.saga.clone();
            self.ops.spawn(async move {
                let gathered = gather::gather(&saga, &site, most).await;
                Done::Gathered(site, gathered)
            });
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Op(conversation, report) => self.reported(conversation, *report),
            Done::Panicked(conversation) => {
                self.work.look_again(conversation, self.saga.now() + RETRY);
                self.ops.finish(conversation);
            }
            Done::Gathered(site, gathered) => self.gathered(&site, gathered),
            Done::Active(active) => self.listed_queues(active),
            Done::Reconciled(picture) => self.reconciled(picture),
        }
    }

    fn reported(&mut self, conversation: ConversationId, report: Report) {
        let now = self.saga.now();
        if let Some(summary) = &report.latest {
            self.observe(summary);
            self.matcher.stir(&summary.site);
        }
        if let Some(held) = report.held {
            self.work.set_held(conversation, held);
        }
        if let Some(view) = report.agent {
            self.note_agent(view);
        }
        if let Some(pause) = report.pause {
            self.work.pause(conversation, now + pause);
        }
        if report.gone {
            self.work.forget(conversation);
        }
        let is_at_rest = self.ops.finish(conversation);
        match report.look_again_in {
            Some(wait) => {
                metrics::unfinished();
                self.work.look_again(conversation, now + wait);
            }
            None if is_at_rest => self.settle_if_half_done(conversation),
            None => {}
        }
        if let Some(known) = self.work.get(conversation) {
            self.matcher.stir(&known.site);
        }
    }

    fn gathered(&mut self, site: &SiteId, gathered: Result<Gathered, ApiError>) {
        let now = self.saga.now();
        self.matcher.gathered(site);
        let gathered = match gathered {
            Ok(gathered) => gathered,
            Err(e) => {
                tracing::debug!(%site, error = %e, "could not match; trying again soon");
                self.matcher.stir_at(site, now + RETRY);
                return;
            }
        };
        let (plans, more) =
            self.matcher.decide(&gathered, &self.agents, &self.work, &self.ops, now);
        for plan in plans {
            // When too much is under way, the end of any of it matches again.
            if self.ops.begin(plan.conversation, Op::Offer(plan)).is_err() {
                return;
            }
        }
        if more {
            self.matcher.stir(site);
        }
    }

    fn listed_queues(&mut self, active: Result<Vec<QueueKey>, ApiError>) {
        match active {
            Ok(active) => active.iter().for_each(|queue| self.matcher.stir(&queue.site)),
            Err(e) => {
                tracing::debug!(error = %e, "queues could not be listed; trying again soon");
                self.list_queues_at = Some(self.saga.now() + RETRY);
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let dues = [self.work.next_due(), self.matcher.next_due(), self.list_queues_at];
        let now = self.saga.now();
        let wait = |due: Timestamp| Instant::now() + due.since(now).to_duration();
        let due = dues.into_iter().flatten().min().map(wait);
        let reconcile = self.reconciling_since.is_none().then_some(self.reconcile_at);
        let far = Instant::now() + self.reconcile_every;
        due.into_iter().chain(reconcile).min().unwrap_or(far)
    }

    fn on_time(&mut self) {
        let now = self.saga.now();
        for conversation in self.work.take_due(now) {
            self.settle(conversation, vec![]);
        }
        self.matcher.stir_due(now);
        if self.list_queues_at.is_some_and(|at| at <= now) {
            self.list_queues();
        }
        if self.reconciling_since.is_none() && self.reconcile_at <= Instant::now() {
            self.reconciling_since = Some(Instant::now());
            let saga = self.saga.clone();
            self.ops.spawn(async move { Done::Reconciled(reconcile::look(&saga).await) });
            self.list_queues();
        }
    }

    fn reconciled(&mut self, picture: Result<Picture, ApiError>) {
        let took = self.reconciling_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        let picture = match picture {
            Ok(picture) => picture,
            Err(e) => {
                metrics::reconcile_failed();
                tracing::warn!(error = %e, "could not look for half-done steps; trying again soon");
                self.reconcile_at = Instant::now() + RETRY.to_duration();
                return;
            }
        };
        self.reconcile_at = Instant::now() + self.reconcile_every.max(took * REST);
        for agent in &picture.agents {
            self.note_agent(agent.clone());
        }
        for summary in &picture.open {
            self.observe(summary);
        }
        let mut findings = reconcile::compare(&picture, self.saga.now());
        // What is under way is not half done, nor what has come to agree since.
        findings.retain(|conversation, finding| {
            self.owns(&finding.site)
                && !self.ops.is_busy(*conversation)
                && !self.agrees_by_now(*conversation, finding)
        });
        metrics::half_done_found(findings.len());
        for (conversation, finding) in findings {
            self.begin_settling(conversation, finding.site, finding.suspects);
        }
        if picture.complete {
            self.settle_absent(&picture);
        }
    }

    /// Whether what was found is over, as far as has been heard: the two sides of a picture
    /// are not of the same moment.
    fn agrees_by_now(&self, conversation: ConversationId, finding: &Finding) -> bool {
        let Some(known) = self.work.get(conversation) else { return false };
        let view = |agent| self.agents.get(&finding.site, agent).map(Arc::as_ref);
        let holder = known.holder();
        let holds = |view: &AgentView| {
            let mut theirs = view.reservations.iter().filter(|r| r.conversation == conversation);
            theirs.any(|r| !matches!(r.hold, Hold::WrapUp(_)))
        };
        let needs_a_look = holder.is_some_and(|agent| {
            let now = self.saga.now();
            reconcile::needs_a_look(conversation, known.phase(), view(agent), now)
        });
        let is_guest = |agent: &AgentId| known.guests.contains(agent);
        let is_gone_guest = |agent: &AgentId| is_guest(agent) && reconcile::is_gone(view(*agent));
        let is_named = |agent: &AgentId| holder == Some(*agent) || !view(*agent).is_some_and(holds);
        let is_cleared = |agent: &AgentId| !is_gone_guest(agent) && is_named(agent);
        !needs_a_look && finding.suspects.iter().all(is_cleared)
    }

    /// Conversations that were open and are not listed: closed without our
    /// hearing of it, or so new that the list does not have them.
    fn settle_absent(&mut self, picture: &Picture) {
        let open: HashSet<_> = picture.open.iter().map(|s| s.id).collect();
        let known = self.work.all().map(|(conversation, _)| conversation);
        let absent: Vec<_> = known.filter(|c| !open.contains(c) && !self.ops.is_busy(*c)).collect();
        for conversation in absent {
            self.settle(conversation, vec![]);
        }
    }
}
