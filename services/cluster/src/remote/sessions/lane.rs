//! One lane for each shard: the way to its owner while that is known, and what
//! waits while it is not. Order within a lane is the order of asking.

use super::pending::Pending;
use frontdesk_core::ids::Epoch;
use frontdesk_core::shard::{SHARDS, ShardId};
use frontdesk_proto::api::ApiError;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// Asks that may wait for one shard: at about 1 KiB each, 256 MiB when all do.
const MAX_HELD: usize = 1_000;
/// Pause after an owner has said that it is not the owner (yet, or any more).
const DETOUR: Duration = Duration::from_millis(30);

/// Where a lane leads.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) epoch: Epoch,
    pub(super) link: mpsc::Sender<(ShardId, Pending)>,
}

#[derive(Default)]
struct Lane {
    route: Option<Route>,
    held: VecDeque<Pending>,
    /// Not tried again before.
    pause_until: Option<Instant>,
}

/// All lanes. Each lock is held for a few steps, never over an await.
pub(super) struct Lanes {
    lanes: Vec<Mutex<Lane>>,
    /// Something waits.
    pub(super) waiting: Notify,
}

impl Default for Lanes {
    fn default() -> Self {
        let lanes = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { lanes, waiting: Notify::new() }
    }
}

impl Lanes {
    fn lane(&self, shard: ShardId) -> MutexGuard<'_, Lane> {
        // No code panics while holding it, so a poisoned lane is a whole one.
        self.lanes[usize::from(shard.get())].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an ask on its way, behind those before it.
    pub(super) fn post(&self, shard: ShardId, pending: Pending) {
        let mut lane = self.lane(shard);
        let pending = match &lane.route {
            Some(route) if lane.held.is_empty() => match route.link.try_send((shard, pending)) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full((_, pending))) => {
                    pending.refuse(ApiError::unavailable("the link to the owner is full"));
                    return;
                }
                Err(mpsc::error::TrySendError::Closed((_, pending))) => pending,
            },
            _ => pending,
        };
        if lane.held.len() >= MAX_HELD {
            pending.refuse(ApiError::unavailable("too much waits for an owner of the shard"));
            return;
        }
        lane.held.push_back(pending);
        self.waiting.notify_one();
    }

    /// Takes back, in order, what was sent and not answered. It goes before what
    /// waits: it was asked first.
    pub(super) fn give_back(&self, shard: ShardId, pending: Vec<Pending>, epoch: Option<Epoch>) {
        let mut lane = self.lane(shard);
        if epoch.is_none() || lane.route.as_ref().map(|r| r.epoch) == epoch {
            lane.route = None;
        }
        lane.pause_until = Some(Instant::now() + DETOUR);
        for pending in pending.into_iter().rev().filter(Pending::is_awaited) {
            lane.held.push_front(pending);
        }
        self.waiting.notify_one();
    }

    /// Sends along `route` what waits, or drops the route when there is none, and
    /// answers what has waited too long. Gives when to come again, if anything
    /// still waits.
    pub(super) fn flush(
        &self,
        shard: ShardId,
        now: Instant,
        route: impl FnOnce() -> Option<Route>,
    ) -> Option<Instant> {
        let mut lane = self.lane(shard);
        if lane.held.is_empty() {
            return None;
        }
        while let Some(late) = lane.held.pop_front_if(|p| p.give_up <= now) {
            late.refuse(ApiError::unavailable("no owner of the shard was found in time"));
        }
        if let Some(until) = lane.pause_until.filter(|until| now < *until) {
            return Some(until);
        }
        lane.pause_until = None;
        lane.route = route();
        let link = lane.route.as_ref().map(|route| route.link.clone());
        while let Some(link) = &link
            && let Some(pending) = lane.held.pop_front()
        {
            if let Err(error) = link.try_send((shard, pending)) {
                let (_, pending) = error.into_inner();
                lane.held.push_front(pending);
                lane.route = None;
                break;
            }
        }
        (!lane.held.is_empty()).then(|| now + DETOUR)
    }

    /// The placement has changed: a lane whose route is of another epoch, or whose
    /// shard is on the move, finds its way anew.
    pub(super) fn reroute(&self, shard: ShardId, epoch: Option<Epoch>) {
        let mut lane = self.lane(shard);
        if lane.route.as_ref().map(|route| route.epoch) != epoch {
            lane.route = None;
            lane.pause_until = None;
            self.waiting.notify_one();
        }
    }

    /// Nothing is sent any more.
    pub(super) fn refuse_all(&self) {
        for shard in ShardId::all() {
            let mut lane = self.lane(shard);
            lane.route = None;
            for pending in lane.held.drain(..) {
                pending.refuse(ApiError::unavailable("the process stops"));
            }
        }
    }
}
