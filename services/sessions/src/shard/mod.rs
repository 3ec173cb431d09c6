//! One shard: a task that owns its conversations.
//!
//! Takes what waits as a batch, steps it, submits one append per conversation,
//! and goes on while commits are in flight. Never answers or publishes anything
//! that is not on stable storage.

mod commit;
mod load;
mod outgoing;
mod ready;
mod step;
mod sweep;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::mail::Mail;
use crate::metrics::Meters;
use crate::notify::Notifier;
use crate::settings::Settings;
use frontdesk_actor::Residents;
use frontdesk_bus::Bus;
use frontdesk_core::ids::{ConversationId, Epoch, NodeId};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::{AppendOutcome, Journal};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use outgoing::Outgoing;
use ready::{MAX_WAITING, Ready};
pub(crate) use step::audience_of;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Mail taken at a time.
const BATCH: usize = 128;

/// What a shard works with; the same for all shards of a node.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) settings: Arc<Settings>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: Notifier,
    pub(crate) meters: Meters,
}

type Commits = FuturesUnordered<BoxFuture<'static, (ConversationId, u64, AppendOutcome)>>;

pub(crate) struct Shard {
    id: ShardId,
    epoch: Epoch,
    parts: Parts,
    mailbox: mpsc::Receiver<Mail>,
    residents: Residents<ConversationId, Box<Ready>, Mail>,
    /// Gateways with a reader, kept apart so that a conversation that has left
    /// memory costs only this.
    interest: HashMap<ConversationId, Vec<NodeId>>,
    commits: Commits,
    loads: FuturesUnordered<BoxFuture<'static, load::Loaded>>,
    /// Writes of snapshots and cursors, which nothing waits for.
    chores: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Conversations with an append to submit at the end of this turn.
    touched: Vec<ConversationId>,
    dirty_cursors: HashSet<ConversationId>,
    outgoing: Outgoing,
    next_append: u64,
    sweep_at: Option<Instant>,
    /// A higher epoch owns the shard: nothing may be said any more.
    fenced: bool,
}

impl Shard {
    pub(crate) fn new(
        id: ShardId,
        epoch: Epoch,
        parts: Parts,
        mailbox: mpsc::Receiver<Mail>,
    ) -> Self {
        Self {
            id,
            epoch,
            parts,
            mailbox,
            residents: Residents::new(MAX_WAITING),
            interest: HashMap::new(),
            commits: FuturesUnordered::new(),
            loads: FuturesUnordered::new(),
            chores: FuturesUnordered::new(),
            touched: Vec::new(),
            dirty_cursors: HashSet::new(),
            outgoing: Outgoing::default(),
            next_append: 0,
            sweep_at: None,
            fenced: false,
        }
    }

    /// Runs until every sender of mail is gone, then finishes what is in flight.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            let room = self.commits.len() < self.parts.settings.inflight_appends;
            let sweep_at = self.sweep_at;
            tokio::select! {
                biased;
                Some(done) = self.commits.next() => self.commits_done(done),
                Some(loaded) = self.loads.next() => self.loaded(loaded),
                taken = self.mailbox.recv_many(&mut batch, BATCH), if room => {
                    if taken == 0 {
                        break;
                    }
                    self.take_batch(&mut batch);
                }
                () = until(sweep_at) => self.sweep(),
                Some(()) = self.chores.next() => {}
            }
            self.end_turn();
        }
        self.finish().await;
    }

    fn take_batch(&mut self, batch: &mut Vec<Mail>) {
        let now = self.parts.clock.now();
        for mail in batch.drain(..) {
            self.take(mail, now);
        }
    }

    /// What every turn ends with: appends of all conversations that were
    /// touched, then one publish per gateway.
    fn end_turn(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for conversation in touched.drain(..) {
            self.submit(conversation);
        }
        self.touched = touched;
        self.outgoing.flush(&*self.parts.bus, &self.parts.meters);
        if self.sweep_at.is_none() && !self.residents.is_empty() {
            self.sweep_at = Some(Instant::now() + sweep::EVERY);
        }
    }

    fn commits_done(&mut self, first: (ConversationId, u64, AppendOutcome)) {
        let mut done = Some(first);
        while let Some((conversation, append, outcome)) = done {
            self.commit_done(conversation, append, outcome);
            // One turn for all that are there: their publishes go together.
            done = self.commits.next().now_or_never().flatten();
        }
    }

    async fn finish(&mut self) {
        while let Some(done) = self.commits.next().await {
            self.commits_done(done);
            self.end_turn();
        }
        self.save_cursors();
        let (actors, mail) = self.residents.drain();
        let waiting = actors.into_iter().flat_map(|ready| self.leave(*ready));
        let waiting: Vec<Mail> = waiting.chain(mail).collect();
        for mail in waiting {
            mail.refuse(ApiError::unavailable("the node stops"));
        }
        while let Some(()) = self.chores.next().await {}
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
