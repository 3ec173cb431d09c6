//! Keeps lanes and links going: finds the way for what waits when the placement
//! changes, and ends links to nodes that are no more.

use super::lane::{Lanes, Route};
use super::link::{self, LinkSender};
use crate::fabric::{Cluster, ClusterView};
use frontdesk_core::ids::{Epoch, NodeId};
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
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
    sender: LinkSender,
    opened: Instant,
    _stop: DropGuard,
}

struct Pump {
    cluster: Arc<Cluster>,
    lanes: Arc<Lanes>,
    links: HashMap<NodeId, Open>,
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
            self.lanes.reroute(shard, settled.map(|p| p.epoch));
            let Some(epoch) = place.map(|p| p.epoch) else { continue };
            let before = self.epochs.insert(shard, epoch);
            if before.is_some_and(|before| before != epoch) {
                // Fails when nobody listens, which is fine.
                let _ = self.moves.send(shard);
            }
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
            if !open.sender.is_closed() {
                return Some(Route { epoch, link: open.sender.clone() });
            }
            if now < open.opened + REOPEN_PAUSE {
                return None;
            }
        }
        let channel = self.cluster.channels().to(&member.address).ok()?;
        let stop = CancellationToken::new();
        let (sender, task) = link::start(channel, self.lanes.clone(), stop.clone());
        self.tasks.spawn(task);
        let open = Open { sender: sender.clone(), opened: now, _stop: stop.drop_guard() };
        self.links.insert(member.node.clone(), open);
        Some(Route { epoch, link: sender })
    }
}
