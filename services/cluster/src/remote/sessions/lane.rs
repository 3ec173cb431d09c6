//! One lane for each shard: the way to its owner while that is known, and what
//! waits while it is not. Order within a lane is the order of asking.

use super::pending::Pending;
use crate::metrics::{NotSent, not_sent};
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

/// Names a link for its life.
pub(super) type LinkId = u64;

/// An ask on its way to an owner.
pub(super) struct Parcel {
    pub(super) shard: ShardId,
    /// Under which the owner is thought to have the shard.
    pub(super) epoch: Epoch,
    pub(super) pending: Pending,
}

/// Where a lane leads.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) epoch: Epoch,
    pub(super) id: LinkId,
    pub(super) link: mpsc::Sender<Parcel>,
}

impl Route {
    /// Hands an ask to the link; gives it back when it cannot be taken.
    fn send(&self, shard: ShardId, pending: Pending) -> Result<(), Unsent> {
        let sent = self.link.try_send(Parcel { shard, epoch: self.epoch, pending });
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(parcel) => Unsent::Full(parcel.pending),
            mpsc::error::TrySendError::Closed(parcel) => Unsent::Closed(parcel.pending),
        })
    }
}

/// Why a link did not take an ask.
enum Unsent {
    Full(Pending),
    Closed(Pending),
}

#[derive(Default)]
struct Lane {
    route: Option<Route>,
    held: VecDeque<Pending>,
    /// A link that still has some of this lane's asks, sent before all that waits:
    /// nothing goes on until they are back.
    recalled: Option<LinkId>,
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
            Some(route) if lane.held.is_empty() => match route.send(shard, pending) {
                Ok(()) => return,
                Err(Unsent::Full(pending)) => {
                    not_sent(NotSent::LinkFull);
                    pending.refuse(ApiError::unavailable("the link to the owner is full"));
                    return;
                }
                Err(Unsent::Closed(pending)) => pending,
            },
            _ => pending,
        };
        if lane.held.len() >= MAX_HELD {
            not_sent(NotSent::NoOwner);
            pending.refuse(ApiError::unavailable("too much waits for an owner of the shard"));
            return;
        }
        lane.held.push_back(pending);
        self.waiting.notify_one();
    }

    /// Takes back from a link, in order, all that it was sent for a shard and has not
    /// answered. It goes before what waits: it was asked first.
    pub(super) fn give_back(&self, shard: ShardId, pending: Vec<Pending>, from: LinkId) {
        let mut lane = self.lane(shard);
        if lane.recalled == Some(from) {
            lane.recalled = None;
        }
        if lane.route.as_ref().is_some_and(|route| route.id == from) {
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
        if lane.recalled.is_some() {
            // The link says when; this only looks for asks that wait too long.
            return (!lane.held.is_empty()).then(|| now + DETOUR);
        }
        lane.pause_until = None;
        lane.route = route();
        let route = lane.route.clone();
        while let Some(route) = &route
            && let Some(pending) = lane.held.pop_front()
        {
            if let Err(Unsent::Full(pending) | Unsent::Closed(pending)) = route.send(shard, pending)
            {
                lane.held.push_front(pending);
                lane.route = None;
                break;
            }
        }
        (!lane.held.is_empty()).then(|| now + DETOUR)
    }

    /// The placement has changed: a lane whose route is of another epoch, or whose
    /// shard is on the move, finds its way anew. Gives the link that has to give back
    /// first what it has.
    pub(super) fn reroute(&self, shard: ShardId, epoch: Option<Epoch>) -> Option<LinkId> {
        let mut lane = self.lane(shard);
        if lane.route.as_ref().map(|route| route.epoch) == epoch {
            return None;
        }
        let link = lane.route.take().map(|route| route.id);
        lane.pause_until = None;
        lane.recalled = link.or(lane.recalled);
        self.waiting.notify_one();
        link
    }

    /// A link has ended, and has given back all it had.
    pub(super) fn ended(&self, link: LinkId) {
        for shard in ShardId::all() {
            let mut lane = self.lane(shard);
            if lane.recalled == Some(link) {
                lane.recalled = None;
            }
            if lane.route.as_ref().is_some_and(|route| route.id == link) {
                lane.route = None;
            }
        }
        self.waiting.notify_one();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::sessions::pending::Asked;
    use bytes::Bytes;
    use frontdesk_core::conversation::Outcome;
    use frontdesk_proto::internal::link_ask::Ask;
    use tokio::sync::oneshot;

    type Answer = oneshot::Receiver<Result<Outcome, ApiError>>;

    fn shard() -> ShardId {
        ShardId::new(7).unwrap()
    }

    fn ask(name: &'static str) -> (Pending, Answer) {
        let (answer, answered) = oneshot::channel();
        let asked = Asked::Command(Bytes::from_static(name.as_bytes()), answer);
        (Pending::new(asked, Instant::now() + Duration::from_secs(8)), answered)
    }

    fn route(id: LinkId, epoch: u64) -> (Route, mpsc::Receiver<Parcel>) {
        let (link, asks) = mpsc::channel(8);
        (Route { epoch: Epoch::new(epoch), id, link }, asks)
    }

    fn names(asks: &[Pending]) -> Vec<Bytes> {
        let name = |pending: &Pending| match pending.ask() {
            Ask::Command(name) => name,
            _ => panic!("a command"),
        };
        asks.iter().map(name).collect()
    }

    fn taken(asks: &mut mpsc::Receiver<Parcel>) -> Vec<Pending> {
        std::iter::from_fn(|| asks.try_recv().ok()).map(|parcel| parcel.pending).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_comes_before_what_waits() {
        let lanes = Lanes::default();
        let (old, mut at_old) = route(1, 5);
        let (new, mut at_new) = route(2, 9);
        let (first, _a) = ask("1");
        let (second, _b) = ask("2");
        let (third, _c) = ask("3");
        lanes.post(shard(), first);
        lanes.flush(shard(), Instant::now(), || Some(old));
        lanes.post(shard(), second);
        let sent = taken(&mut at_old);
        assert_eq!(names(&sent), ["1", "2"]);
        // The shard moves while both are on their way.
        assert_eq!(lanes.reroute(shard(), Some(Epoch::new(9))), Some(1));
        lanes.post(shard(), third);
        lanes.flush(shard(), Instant::now(), || Some(new.clone()));
        assert!(taken(&mut at_new).is_empty(), "it would overtake the others");
        lanes.give_back(shard(), sent, 1);
        tokio::time::advance(DETOUR).await;
        lanes.flush(shard(), Instant::now(), || Some(new));
        assert_eq!(names(&taken(&mut at_new)), ["1", "2", "3"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_has_ended_holds_nobody_up() {
        let lanes = Lanes::default();
        let (old, at_old) = route(1, 5);
        let (first, _a) = ask("1");
        lanes.post(shard(), first);
        lanes.flush(shard(), Instant::now(), || Some(old));
        assert_eq!(lanes.reroute(shard(), None), Some(1));
        drop(at_old);
        lanes.ended(1);
        let (second, _b) = ask("2");
        lanes.post(shard(), second);
        let (new, mut at_new) = route(2, 9);
        lanes.flush(shard(), Instant::now(), || Some(new));
        assert_eq!(names(&taken(&mut at_new)), ["2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_for_ever_and_not_too_much_waits() {
        let lanes = Lanes::default();
        let (late, answered) = ask("late");
        lanes.post(shard(), late);
        tokio::time::advance(Duration::from_secs(8)).await;
        assert_eq!(lanes.flush(shard(), Instant::now(), || None), None);
        assert!(matches!(answered.await.unwrap(), Err(ApiError::Unavailable { .. })));
        let mut answers: Vec<Answer> = (0..=MAX_HELD)
            .map(|_| {
                let (pending, answered) = ask("x");
                lanes.post(shard(), pending);
                answered
            })
            .collect();
        let last = answers.pop().unwrap().await.unwrap();
        assert!(matches!(last, Err(ApiError::Unavailable { .. })), "one too many");
    }
}
