//! Keeps lanes and links going: finds the way for what waits when the placement
//! changes, and ends links to nodes that are no more.

use super::lane::{Lanes, LinkId, Route};
use super::link::{self, Handles};
use crate::fabric::{Cluster, ClusterView};
use frontdesk_core::ids::{Epoch, NodeId};
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_telemetry::tasks;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Before a link that has ended is opened again.
const REOPEN_PAUSE: Duration = Duration::from_millis(100);
/// While nothing waits there is nothing to do.
const IDLE: Duration = Duration::from_secs(60);

/// An open link; dropped, it ends.
struct Open {
    id: LinkId,
    handles: Handles,
    opened: Instant,
    _stop: DropGuard,
}

struct Pump {
    cluster: Arc<Cluster>,
    lanes: Arc<Lanes>,
    links: HashMap<NodeId, Open>,
    next_link: LinkId,
    /// The links' tasks; each ends with its stream.
    tasks: JoinSet<()>,
    /// Epochs that have been told of.
    epochs: HashMap<ShardId, Epoch>,
    moves: broadcast::Sender<ShardId>,
}

/// Runs until the task is aborted.
pub(super) async fn run(
    cluster: Arc<Cluster>,
    lanes: Arc<Lanes>,
    moves: broadcast::Sender<ShardId>,
) {
    let _refuse = RefuseAtTheEnd(lanes.clone());
    let mut view = cluster.view();
    let mut pump = Pump {
        cluster,
        lanes: lanes.clone(),
        links: HashMap::new(),
        next_link: 1,
        tasks: JoinSet::new(),
        epochs: HashMap::new(),
        moves,
    };
    let mut again = Instant::now();
    loop {
        tokio::select! {
            changed = view.changed() => {
                if changed.is_err() {
                    return;
                }
                let seen = view.borrow_and_update().clone();
                pump.placement_changed(&seen);
            }
            () = lanes.waiting.notified() => {}
            () = sleep_until(again) => {}
        }
        while pump.tasks.try_join_next().is_some() {}
        let seen = view.borrow().clone();
        again = pump.flush(&seen);
    }
}

/// Whoever waits is answered when the pump is aborted.
struct RefuseAtTheEnd(Arc<Lanes>);

impl Drop for RefuseAtTheEnd {
    fn drop(&mut self) {
        self.0.refuse_all();
    }
}

impl Pump {
    fn placement_changed(&mut self, view: &ClusterView) {
        // What was sent to a node that is no more comes back to its lane.
        self.links.retain(|node, _| view.member(node).is_some());
        for shard in ShardId::all() {
            let place = view.place(NodeRole::Sessions, shard);
            let settled = place.filter(|p| p.moving.is_none());
            if let Some(link) = self.lanes.reroute(shard, settled.map(|p| p.epoch)) {
                self.recall(link, shard);
            }
            let Some(epoch) = place.map(|p| p.epoch) else { continue };
            let before = self.epochs.insert(shard, epoch);
            if before.is_some_and(|before| before != epoch) {
                // Fails when nobody listens, which is fine.
                let _ = self.moves.send(shard);
            }
        }
    }

    /// Has a link give back what it has of a shard. One that has ended, or is about
    /// to, gives everything back by itself.
    fn recall(&self, link: LinkId, shard: ShardId) {
        if let Some(open) = self.links.values().find(|open| open.id == link) {
            // Never full: each shard is recalled once between two routes.
            let _ = open.handles.recalls.try_send(shard);
        }
    }

    /// Sends what waits; gives when to look again.
    fn flush(&mut self, view: &ClusterView) -> Instant {
        let now = Instant::now();
        let lanes = self.lanes.clone();
        let again = ShardId::all()
            .filter_map(|shard| lanes.flush(shard, now, || self.route(view, shard, now)))
            .min();
        again.unwrap_or(now + IDLE)
    }

    /// The way to the owner of a shard, unless it is on the move or nobody has it.
    fn route(&mut self, view: &ClusterView, shard: ShardId, now: Instant) -> Option<Route> {
        let place = view.place(NodeRole::Sessions, shard)?;
        if place.moving.is_some() {
            return None;
        }
        let member = view.member(&place.node)?;
        let epoch = place.epoch;
        if let Some(open) = self.links.get(&member.node) {
            if !open.handles.asks.is_closed() {
                return Some(Route { epoch, id: open.id, link: open.handles.asks.clone() });
            }
            if now < open.opened + REOPEN_PAUSE {
                return None;
            }
        }
        let channel = self.cluster.channels().to(&member.address).ok()?;
        let stop = CancellationToken::new();
        let id = self.next_link;
        self.next_link += 1;
        let (handles, task) = link::start(id, channel, self.lanes.clone(), stop.clone());
        tasks::spawn_in(&mut self.tasks, "gateway.link", task);
        let link = handles.asks.clone();
        let open = Open { id, handles, opened: now, _stop: stop.drop_guard() };
        self.links.insert(member.node.clone(), open);
        Some(Route { epoch, id, link })
    }
}
