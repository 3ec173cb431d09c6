//! Keeps a role in step with the placement: takes over the shards it is given,
//! finishes with those it loses, and says so when one is to be handed on.

use crate::fabric::{Cluster, ClusterView};
use crate::metrics::{Moved, moved};
use frontdesk_actor::{AcquireError, ShardHost};
use frontdesk_core::ids::{Epoch, NodeId};
use frontdesk_core::presence::{Action, NodeRole, Reply};
use frontdesk_core::shard::ShardId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Before a take-over that failed, or a release that was not heard, is repeated.
const RETRY: Duration = Duration::from_millis(300);
/// While nothing changes there is nothing to do.
const IDLE: Duration = Duration::from_secs(60);
/// So many refusals in a row (3 s) are no race with news that are under way.
const REFUSALS: u32 = 10;
/// Then it is said again: once a minute.
const SAY_EVERY: u32 = 200;

/// Runs until the task is aborted, which releases nothing.
pub async fn keep(cluster: Arc<Cluster>, role: NodeRole, host: Arc<dyn ShardHost>) {
    let held = BTreeMap::new();
    let mut tenure = Tenure { cluster: cluster.clone(), role, host, held, refusals: 0 };
    let mut view = cluster.view();
    loop {
        let seen = view.borrow_and_update().clone();
        let wait = if tenure.follow(&seen).await { IDLE } else { RETRY };
        match timeout(wait, view.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => return,
        }
    }
}

struct Tenure {
    cluster: Arc<Cluster>,
    role: NodeRole,
    host: Arc<dyn ShardHost>,
    /// What is owned here, and under which epoch.
    held: BTreeMap<ShardId, Epoch>,
    /// Take-overs in a row that were refused as outdated.
    refusals: u32,
}

impl Tenure {
    /// Does what the placement asks; whether all of it was done.
    async fn follow(&mut self, view: &ClusterView) -> bool {
        let steps = steps(view, self.role, self.cluster.node(), &self.held);
        if !steps.release.is_empty() {
            tracing::info!(role = self.role.as_str(), shards = steps.release.len(), "letting go");
            self.host.release(&steps.release).await;
            self.held.retain(|shard, _| !steps.release.contains(shard));
            moved(self.role, Moved::LetGo, steps.release.len(), self.held.len());
        }
        let acquired = steps.acquire.is_empty() || self.acquire(steps.acquire).await;
        let handed_on = steps.hand_on.is_empty() || self.hand_on(steps.hand_on).await;
        acquired && handed_on
    }

    async fn acquire(&mut self, shards: Vec<(ShardId, Epoch)>) -> bool {
        let count = shards.len();
        let given: BTreeMap<ShardId, Epoch> = shards.iter().copied().collect();
        tracing::info!(role = self.role.as_str(), shards = count, "taking over");
        match self.host.acquire(&shards).await {
            Ok(()) => {
                self.refusals = 0;
                self.held.extend(shards);
                moved(self.role, Moved::TakenOver, count, self.held.len());
                true
            }
            Err(AcquireError::Outdated { shard, epoch }) => {
                self.refusals = self.refusals.saturating_add(1);
                let given = given.get(&shard).copied().unwrap_or_default();
                say_refused(self.refusals, shard, given, epoch);
                false
            }
            Err(error) => {
                tracing::warn!(%error, "shards could not be taken over; trying again");
                moved(self.role, Moved::Failed, count, self.held.len());
                false
            }
        }
    }

    async fn hand_on(&self, shards: Vec<(ShardId, Epoch)>) -> bool {
        let (role, node) = (self.role, self.cluster.node().clone());
        match self.cluster.propose(Action::ReleaseShards { role, node, shards }).await {
            Ok(Reply::Shards(placed)) => {
                tracing::debug!(shards = placed.len(), "handed on");
                moved(role, Moved::HandedOn, placed.len(), self.held.len());
                true
            }
            Ok(reply) => {
                tracing::warn!(%reply, "a release was not taken");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a release was not heard; trying again");
                false
            }
        }
    }
}

/// The journal is right: whoever has the higher epoch owns the shard. Nothing here may
/// raise an epoch by itself, as two groups on one database would take turns then.
fn say_refused(refusals: u32, shard: ShardId, given: Epoch, owned: Epoch) {
    if refusals < REFUSALS {
        tracing::info!("the placement has changed meanwhile: not taken over");
    } else if (refusals - REFUSALS).is_multiple_of(SAY_EVERY) {
        tracing::error!(
            shard = shard.get(),
            given = given.get(),
            owned = owned.get(),
            "the journal has shards under higher epochs than this presence group has given: \
             its tables are of another group (restored with new voters?), or the voters cannot \
             be reached; conversations are not served: `frontdesk doctor` says which"
        );
    }
}

/// What the placement asks of a node.
#[derive(Debug, Default, PartialEq, Eq)]
struct Steps {
    /// To let go; it may have another owner already.
    release: Vec<ShardId>,
    /// To take over.
    acquire: Vec<(ShardId, Epoch)>,
    /// To say that it has been let go, under the epoch it was had.
    hand_on: Vec<(ShardId, Epoch)>,
}

fn steps(
    view: &ClusterView,
    role: NodeRole,
    own: &NodeId,
    held: &BTreeMap<ShardId, Epoch>,
) -> Steps {
    let mut steps = Steps::default();
    for shard in ShardId::all() {
        let held = held.get(&shard).copied();
        let place = view.place(role, shard).filter(|place| place.node == *own);
        let kept = place.is_some_and(|p| Some(p.epoch) == held && p.moving.is_none());
        if held.is_some() && !kept {
            steps.release.push(shard);
        }
        match place {
            Some(place) if place.moving.is_some() => steps.hand_on.push((shard, place.epoch)),
            Some(place) if held != Some(place.epoch) => steps.acquire.push((shard, place.epoch)),
            _ => {}
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::presence::{Move, Place, PlacedBy, Placement};
    use frontdesk_core::time::Timestamp;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn shard(n: u16) -> ShardId {
        ShardId::new(n).unwrap()
    }

    fn view(places: &[(u16, &str, u64, Option<&str>)]) -> ClusterView {
        let placed = places.iter().map(|(n, owner, epoch, to)| {
            let moving =
                to.map(|to| Move { to: node(to), since: Timestamp::ZERO, by: PlacedBy::Plan });
            let place = Place { role: NodeRole::Sessions, shard: shard(*n) };
            let by = PlacedBy::Plan;
            (place, Placement { node: node(owner), epoch: Epoch::new(*epoch), moving, by })
        });
        let mut view = ClusterView::default();
        view.learn(None, placed.collect());
        view
    }

    #[test]
    fn what_is_given_is_taken_and_what_is_lost_is_let_go() {
        let seen = view(&[(1, "me", 5, None), (2, "other", 9, None), (3, "me", 7, None)]);
        let held = BTreeMap::from([(shard(2), Epoch::new(4)), (shard(3), Epoch::new(6))]);
        let steps = steps(&seen, NodeRole::Sessions, &node("me"), &held);
        let acquire = vec![(shard(1), Epoch::new(5)), (shard(3), Epoch::new(7))];
        let release = vec![shard(2), shard(3)];
        assert_eq!(steps, Steps { release, acquire, hand_on: vec![] }, "an epoch is a new life");
    }

    #[test]
    fn what_moves_is_let_go_before_it_is_handed_on() {
        let seen = view(&[(1, "me", 5, Some("other"))]);
        let held = BTreeMap::from([(shard(1), Epoch::new(5))]);
        let now = steps(&seen, NodeRole::Sessions, &node("me"), &held);
        let hand_on = vec![(shard(1), Epoch::new(5))];
        assert_eq!((now.release, now.hand_on.clone()), (vec![shard(1)], hand_on));
        // Said again until the group has heard it, without taking it back.
        let again = steps(&seen, NodeRole::Sessions, &node("me"), &BTreeMap::new());
        assert_eq!((again.acquire, again.hand_on), (vec![], now.hand_on));
    }
}
