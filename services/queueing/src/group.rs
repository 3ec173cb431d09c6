//! One group: the task that owns the queues of some sites.

use crate::error::QueueingError;
use crate::metrics;
use crate::push;
use crate::raising::Raising;
use crate::seeding::Handled;
use crate::site::Site;
use crate::sites::terms;
use crate::turning::Turning;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, QueueId, Seq, SiteId};
use frontdesk_core::presence::AgentView;
use frontdesk_core::queue::{Board, Entry, Standing};
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{
    Clock, QueueChange, QueueKey, QueuePosition, QueueView, Sessions, SiteConfig,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Messages a group may have before it. A batch of observations is one; at some
/// 10 µs each a full mailbox is 10 ms of work.
pub(crate) const MAILBOX: usize = 1_024;
/// A waiting visitor is told its place at most this often.
const PUSH_EVERY: Duration = Duration::from_secs(1);
/// Changes within so long are looked at together for whom a queue does not serve.
pub(crate) const LOOK_AFTER: Duration = Duration::from_millis(20);
/// The longest between two looks, should the clock be set.
pub(crate) const FARTHEST_LOOK: Duration = Duration::from_secs(60);
/// What walks through everyone who waits rests for so many times as long as it took: with
/// very many it takes a twentieth of a core at most.
const REST: u32 = 20;
/// Before it is looked whether one who was turned away has gone.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

type Reply<T> = oneshot::Sender<Result<T, QueueingError>>;

/// What a group may be told or asked.
pub(crate) enum Message {
    Observe(Vec<(Arc<Summary>, Arc<SiteConfig>)>),
    /// Sites of these shards are another node's.
    Release(Vec<ShardId>),
    /// The first listing is complete: from here on questions are answered.
    Ready,
    Forget(SiteId, ConversationId, Seq),
    Site(Arc<SiteConfig>),
    Agents(Vec<Arc<AgentView>>),
    /// Chats of a site that were finished before, the oldest first.
    Handled(SiteId, Vec<Handled>),
    Waiting(QueueKey, u32, Reply<Vec<Entry>>),
    Active(Reply<Vec<QueueKey>>),
    Queues(Arc<SiteConfig>, Reply<Vec<QueueView>>),
    Position(SiteId, ConversationId, Reply<Option<QueuePosition>>),
    /// Everything believed to be open.
    Open(oneshot::Sender<Vec<(SiteId, ConversationId, Seq)>>),
}

pub(crate) struct Group {
    pub(crate) sites: HashMap<SiteId, Site>,
    /// Sites in which some place may have changed since it was told.
    stale: BTreeSet<SiteId>,
    ready: bool,
    changes: broadcast::Sender<QueueChange>,
    sessions: Arc<dyn Sessions>,
    turning: Turning,
    pub(crate) raising: Raising,
    clock: Clock,
}

impl Group {
    pub(crate) fn new(
        changes: broadcast::Sender<QueueChange>,
        sessions: Arc<dyn Sessions>,
        clock: Clock,
    ) -> Self {
        Self {
            sites: HashMap::new(),
            stale: BTreeSet::new(),
            ready: false,
            changes,
            turning: Turning::new(sessions.clone()),
            raising: Raising::new(sessions.clone()),
            sessions,
            clock,
        }
    }

    /// Runs until it is told to stop. Nothing is lost then: it is all derived.
    pub(crate) async fn run(mut self, mut mail: mpsc::Receiver<Message>, stop: CancellationToken) {
        loop {
            let next_push = self.next_push();
            let next_look = self.sites.values().filter_map(|site| site.next_look).min();
            let next_watch = self.sites.values().filter_map(|site| site.next_watch).min();
            tokio::select! {
                () = stop.cancelled() => return,
                message = mail.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                () = sleep_until(next_push.unwrap_or_else(Instant::now)),
                    if next_push.is_some() => self.push_due(),
                () = sleep_until(next_look.unwrap_or_else(Instant::now)),
                    if next_look.is_some() => self.look_due(),
                () = sleep_until(next_watch.unwrap_or_else(Instant::now)),
                    if next_watch.is_some() => self.watch_due(),
                Some(site) = self.turning.next() => self.look_in(&site, LOOK_AGAIN),
                Some(told) = self.raising.next() => self.told(told),
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Observe(seen) => self.observe(&seen),
            Message::Release(shards) => self.release(&shards),
            Message::Ready => self.ready = true,
            Message::Forget(site, conversation, version) => {
                self.forget(&site, conversation, version);
            }
            Message::Site(config) => self.configure(&config),
            Message::Agents(views) => self.note_agents(views),
            Message::Handled(site, chats) => self.seed(&site, &chats),
            // Who asked may have gone: then nobody misses the answer.
            Message::Waiting(queue, limit, reply) => {
                let _ = reply.send(self.if_ready(|g| g.waiting(&queue, limit)));
            }
            Message::Active(reply) => {
                let _ = reply.send(self.if_ready(Self::active));
            }
            Message::Queues(config, reply) => {
                let _ = reply.send(self.if_ready(|g| g.views(&config)));
            }
            Message::Position(site, conversation, reply) => {
                let _ = reply.send(self.if_ready(|g| g.position(&site, conversation)));
            }
            Message::Open(reply) => {
                let _ = reply.send(self.open());
            }
        }
    }

    fn release(&mut self, shards: &[ShardId]) {
        let is_gone = |site: &SiteId| shards.contains(&ShardId::of_site(site));
        self.stale.retain(|site| !is_gone(site));
        let gone: Vec<SiteId> = self.sites.keys().filter(|site| is_gone(site)).cloned().collect();
        for site in gone {
            let Some(known) = self.sites.remove(&site) else { continue };
            for (conversation, _) in known.board.open() {
                let (waiting, offered) = tally(&known.board, conversation);
                metrics::line_moved(-waiting, -offered);
            }
        }
    }

    fn if_ready<T>(&self, answer: impl FnOnce(&Self) -> T) -> Result<T, QueueingError> {
        if self.ready { Ok(answer(self)) } else { Err(QueueingError::Rebuilding) }
    }

    fn observe(&mut self, seen: &[(Arc<Summary>, Arc<SiteConfig>)]) {
        metrics::observed(seen.len() as u64);
        for (summary, config) in seen {
            let site = self.sites.entry(summary.site.clone()).or_default();
            site.config = Some(config.clone());
            let before = tally(&site.board, summary.id);
            let change = site.board.observe(summary, terms(config, &summary.queue));
            if let Some((queue, waited)) = change.served {
                let told = site.pushes.first_estimate(summary.id);
                metrics::served(waited, told);
                if let Some(told) = told {
                    site.board.proved(&queue, told, waited);
                }
            }
            if site.board.version(summary.id) == Some(summary.head) {
                site.vigil.observe(summary, (self.clock)());
                site.watch_in(LOOK_AFTER);
            }
            let after = tally(&site.board, summary.id);
            metrics::line_moved(after.0 - before.0, after.1 - before.1);
            self.changed(&summary.site, change.queues);
        }
    }

    fn forget(&mut self, site: &SiteId, conversation: ConversationId, version: Seq) {
        let Some(known) = self.sites.get_mut(site) else {
            return;
        };
        let before = tally(&known.board, conversation);
        let queue = known.board.forget(conversation, version);
        if known.board.version(conversation).is_none() {
            known.vigil.forget(conversation);
        }
        if queue.is_some() {
            metrics::line_moved(-before.0, -before.1);
        }
        self.changed(site, queue.into_iter().collect());
    }

    fn configure(&mut self, config: &Arc<SiteConfig>) {
        let Some(site) = self.sites.get_mut(&config.id) else {
            return;
        };
        site.config = Some(config.clone());
        site.vigil.rethink((self.clock)());
        site.watch_in(LOOK_AFTER);
        let mut moved = Vec::new();
        for queue in &config.queues {
            if site.board.set_terms(&queue.id, terms(config, &queue.id)) {
                moved.push(queue.id.clone());
            }
        }
        self.changed(&config.id, moved);
        self.stale.insert(config.id.clone());
        self.look_in(&config.id, LOOK_AFTER);
    }

    fn note_agents(&mut self, views: Vec<Arc<AgentView>>) {
        for view in views {
            let id = view.site.clone();
            if self.sites.entry(id.clone()).or_default().note_agent(view) {
                self.stale.insert(id);
            }
        }
    }

    fn seed(&mut self, site: &SiteId, chats: &[Handled]) {
        let known = self.sites.entry(site.clone()).or_default();
        for chat in chats {
            known.board.measured(&chat.queue, chat.at, chat.took);
        }
        if known.board.active().next().is_some() {
            self.stale.insert(site.clone());
        }
    }

    fn changed(&mut self, site: &SiteId, queues: Vec<QueueId>) {
        if !queues.is_empty() {
            self.look_in(site, LOOK_AFTER);
        }
        for queue in queues {
            self.stale.insert(site.clone());
            // Nobody listening is fine: routing lists when it begins.
            let _ =
                self.changes.send(QueueChange { queue: QueueKey { site: site.clone(), queue } });
        }
    }

    fn waiting(&self, queue: &QueueKey, limit: u32) -> Vec<Entry> {
        let Some(site) = self.sites.get(&queue.site) else {
            return vec![];
        };
        site.board.waiting(&queue.queue).take(limit as usize).cloned().collect()
    }

    fn active(&self) -> Vec<QueueKey> {
        let of_site = |(id, site): (&SiteId, &Site)| {
            let key = |queue: &QueueId| QueueKey { site: id.clone(), queue: queue.clone() };
            site.board.active().map(key).collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of_site).collect()
    }

    fn views(&self, config: &SiteConfig) -> Vec<QueueView> {
        let nobody = Site::default();
        let site = self.sites.get(&config.id).unwrap_or(&nobody);
        site.views(config, self.now())
    }

    fn position(&self, site: &SiteId, conversation: ConversationId) -> Option<QueuePosition> {
        self.sites.get(site)?.standing(conversation, self.now())
    }

    fn open(&self) -> Vec<(SiteId, ConversationId, Seq)> {
        let of_site = |(id, site): (&SiteId, &Site)| {
            site.board.open().map(|(c, version)| (id.clone(), c, version)).collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of_site).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Has it looked, so much later at the latest, whom a site does not serve.
    fn look_in(&mut self, site: &SiteId, wait: Duration) {
        let Some(site) = self.sites.get_mut(site) else {
            return;
        };
        let at = Instant::now() + wait.max(site.look_pause);
        site.next_look = Some(site.next_look.map_or(at, |before| before.min(at)));
    }

    fn look_due(&mut self) {
        let (now, there) = (Instant::now(), self.now());
        let due = |site: &Site| site.next_look.is_some_and(|at| at <= now);
        for (id, site) in self.sites.iter_mut().filter(|(_, site)| due(site)) {
            let began = Instant::now();
            let found = site.unserving(there);
            site.look_pause = began.elapsed() * REST;
            site.next_look = found.due.map(|due| {
                let wait = due.since(there).to_duration();
                now + wait.clamp(LOOK_AFTER, FARTHEST_LOOK).max(site.look_pause)
            });
            for (queue, away) in found.away {
                self.turning.begin(id, &queue, away);
            }
            // A queue may have opened or closed.
            self.stale.insert(id.clone());
        }
    }

    fn next_push(&self) -> Option<Instant> {
        let due = |site: &SiteId| {
            let known = self.sites.get(site)?;
            Some(known.next_push.unwrap_or_else(Instant::now))
        };
        self.stale.iter().filter_map(due).min()
    }

    fn push_due(&mut self) {
        let (now, there) = (Instant::now(), self.now());
        for id in std::mem::take(&mut self.stale) {
            let Some(site) = self.sites.get_mut(&id) else {
                continue;
            };
            if site.next_push.is_some_and(|at| at > now) {
                self.stale.insert(id);
                continue;
            }
            let news = site.pushes.renew(site.everyone(there));
            let ended = Instant::now();
            site.next_push = Some(now + PUSH_EVERY.max((ended - now) * REST));
            metrics::pushed(news.len() as u64);
            for (conversation, position) in news {
                self.sessions.hint(conversation, false, push::frame(conversation, &position));
            }
        }
    }
}

/// Waiting (0 or 1) and on offer (0 or 1): what one conversation adds to the sums.
fn tally(board: &Board, conversation: ConversationId) -> (i64, i64) {
    match board.standing(conversation) {
        Some(Standing::Waiting) => (1, 0),
        Some(Standing::OnOffer) => (0, 1),
        None => (0, 0),
    }
}
