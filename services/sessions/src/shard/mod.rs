//! One shard: a task that owns its conversations.
//!
//! Takes what waits as a batch, steps it, submits one append per conversation,
//! and goes on while commits are in flight. Never answers or publishes anything
//! that is not on stable storage.

mod beacons;
mod commit;
mod erase;
mod load;
mod outgoing;
mod ready;
mod reload;
mod say;
mod step;
mod submit;
mod sweep;
mod traced;
mod visitors;

use crate::clock::Clock;
use crate::inspect::Watched;
use crate::mail::Mail;
use crate::metrics::Meters;
use crate::notify::Notifier;
use crate::settings::Settings;
use frontdesk_actor::Residents;
use frontdesk_bus::Bus;
use frontdesk_core::ids::{ConversationId, Epoch, NodeId, Seq};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::{Journal, ReadCursors};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use outgoing::Outgoing;
use ready::{Encoder, MAX_WAITING, Ready, Spares};
use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
pub(crate) use step::audience_of;
use submit::Committing;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use visitors::Visitors;

/// Mail taken at a time.
const BATCH: usize = 128;
/// Loads in flight beyond which no mail is taken; with what one batch may add,
/// at most 383 of a shard.
const MAX_LOADS: usize = 256;
/// Chores in flight beyond which optional ones are left out.
const MAX_CHORES: usize = 256;
/// Appends given up whose answers are still listened for.
const MAX_LATE: usize = 256;
/// The longest a read or write of the journal may take before it counts as
/// failed, and the longest a command is run again.
const DEADLINE: Duration = Duration::from_secs(5);

/// Gateways that are no more.
#[derive(Clone, Default)]
pub(crate) struct GoneGateways(pub(crate) Arc<BTreeSet<NodeId>>);

/// What a shard works with; the same for all shards of a node.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) settings: Arc<Settings>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: Notifier,
    pub(crate) meters: Meters,
    pub(crate) gone: watch::Receiver<GoneGateways>,
}

pub(crate) struct Shard {
    id: ShardId,
    epoch: Epoch,
    parts: Parts,
    mailbox: mpsc::Receiver<Mail>,
    residents: Residents<ConversationId, Box<Ready>, Mail>,
    /// Gateways with a reader, kept apart so that a conversation that has left
    /// memory costs only this.
    interest: HashMap<ConversationId, Vec<NodeId>>,
    visitors: Visitors,
    commits: FuturesUnordered<Committing>,
    /// Appends given up: the journal may apply them yet.
    late: FuturesUnordered<Committing>,
    loads: FuturesUnordered<BoxFuture<'static, load::Loaded>>,
    /// Reads and writes that no conversation waits for.
    chores: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Conversations with an append to submit at the end of this turn.
    touched: Vec<ConversationId>,
    spares: Spares,
    encoder: Encoder,
    /// Read cursors that were told of and are not stored yet.
    unsaved_cursors: HashMap<ConversationId, ReadCursors>,
    /// The last event published, where later ones may be durable that memory does
    /// not know: a load has failed, or an append was applied late.
    unpublished: HashMap<ConversationId, Seq>,
    /// The journal could not be read when a conversation was loaded last, and that was told.
    unread: bool,
    outgoing: Outgoing,
    /// Sweeps for which gateways are still told how far a conversation has come.
    beacons: HashMap<ConversationId, u8>,
    next_append: u64,
    /// When this turn began.
    turn: Instant,
    /// When idle conversations were looked for.
    looked_for_idle: Instant,
    /// Depth of the mailbox as the gauge has it.
    depth_told: usize,
    /// A higher epoch owns the shard: nothing may be said any more.
    fenced: bool,
    /// What is told of it to whoever operates the node.
    watched: Arc<Watched>,
    /// Commits that took longer are told of.
    slow_from: Duration,
}

impl Shard {
    pub(crate) fn new(
        id: ShardId,
        epoch: Epoch,
        parts: Parts,
        (mailbox, watched): (mpsc::Receiver<Mail>, Arc<Watched>),
    ) -> Self {
        parts.meters.mailbox_limit.increment(parts.settings.mailbox_commands.get() as f64);
        let now = Instant::now();
        let visitors = Visitors::new(parts.clock.now());
        Self {
            id,
            epoch,
            parts,
            mailbox,
            residents: Residents::new(MAX_WAITING),
            interest: HashMap::new(),
            visitors,
            commits: FuturesUnordered::new(),
            late: FuturesUnordered::new(),
            loads: FuturesUnordered::new(),
            chores: FuturesUnordered::new(),
            touched: Vec::new(),
            spares: Spares::default(),
            encoder: Encoder::default(),
            unsaved_cursors: HashMap::new(),
            unpublished: HashMap::new(),
            unread: false,
            outgoing: Outgoing::default(),
            beacons: HashMap::new(),
            next_append: 0,
            turn: now,
            looked_for_idle: now,
            depth_told: 0,
            fenced: false,
            watched,
            slow_from: Duration::ZERO,
        }
    }

    /// Runs until every sender of mail is gone, then finishes what is in flight.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::new();
        // One timer for the whole life: registering one per turn would cost more
        // than the turn.
        let mut timer = pin!(tokio::time::sleep_until(self.turn));
        let mut timer_runs = false;
        loop {
            let room = self.has_room();
            tokio::select! {
                biased;
                Some(committed) = self.commits.next() => {
                    self.turn = Instant::now();
                    self.commits_done(committed);
                }
                Some(committed) = self.late.next() => {
                    self.turn = Instant::now();
                    self.came_late(committed);
                }
                Some(loaded) = self.loads.next() => {
                    self.turn = Instant::now();
                    self.loaded(loaded);
                }
                Some(()) = self.chores.next() => continue,
                () = &mut timer, if timer_runs => {
                    self.turn = Instant::now();
                    timer_runs = false;
                    // What a burst has needed is given back.
                    batch = Vec::new();
                    self.spares = Spares::default();
                    self.encoder = Encoder::default();
                    self.outgoing = Outgoing::default();
                    self.sweep();
                }
                taken = self.mailbox.recv_many(&mut batch, BATCH), if room => {
                    if taken == 0 {
                        break;
                    }
                    self.turn = Instant::now();
                    self.take_batch(&mut batch);
                }
            }
            self.end_turn();
            if !timer_runs && self.wants_sweep() {
                timer_runs = true;
                timer.as_mut().reset(self.turn + sweep::EVERY);
            }
        }
        self.finish().await;
    }

    fn has_room(&self) -> bool {
        self.commits.len() < self.parts.settings.inflight_appends.get()
            && self.loads.len() < MAX_LOADS
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
        self.watched.live.store(self.residents.len(), Relaxed);
        self.watched.appends.store(self.commits.len(), Relaxed);
        self.watched.loads.store(self.loads.len(), Relaxed);
        self.watched.fenced.store(self.fenced, Relaxed);
    }

    /// Settles what was begun, saves what is worth it, refuses the rest.
    async fn finish(&mut self) {
        // What has not settled by then is refused below.
        let _ = tokio::time::timeout(DEADLINE, self.settle_all()).await;
        self.save_cursors();
        let (conversations, mail) = self.residents.drain();
        for ready in conversations {
            if self.chores.len() >= MAX_CHORES {
                self.chores.next().await;
            }
            self.leave(*ready);
        }
        for mail in mail {
            self.turn_away(mail, ApiError::Moved);
        }
        while let Some(()) = self.chores.next().await {}
        self.tell_depth(0);
        let bound = self.parts.settings.mailbox_commands.get();
        self.parts.meters.mailbox_limit.decrement(bound as f64);
    }

    async fn settle_all(&mut self) {
        loop {
            tokio::select! {
                Some(committed) = self.commits.next() => self.commits_done(committed),
                Some(loaded) = self.loads.next() => self.loaded(loaded),
                else => return,
            }
            self.turn = Instant::now();
            self.end_turn();
        }
    }
}
