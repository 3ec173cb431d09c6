//! The engines under the roles of a cluster: PostgreSQL and Redis.

use super::ClusterError;
use super::process::Process;
use bytes::Bytes;
use frontdesk_bus::{Bus, DirectPath, FallbackBus, RedisBus};
use frontdesk_cluster::{Cluster, DirectFeed};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::NodeRole;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// A gateway that hears nothing asks again well within this time.
const FEED_DIRECTLY: Duration = Duration::from_secs(4);

/// The fan-out of this process: Redis, and the direct way while Redis is away.
pub(super) struct FanOut {
    pub(super) bus: Arc<FallbackBus>,
}

impl FanOut {
    /// `inlet` is for a gateway: what other processes send it directly.
    pub(super) fn start(
        process: &Process,
        cluster: &Arc<Cluster>,
        inlet: Option<mpsc::Receiver<Bytes>>,
    ) -> Result<Self, ClusterError> {
        let redis = Arc::new(RedisBus::connect(&process.settings.redis)?);
        let feed = DirectFeed::new(cluster.clone());
        let direct: DirectPath = Arc::new(move |gateway, batch| feed.push(gateway, batch));
        Ok(Self { bus: Arc::new(FallbackBus::new(redis, direct, inlet)) })
    }

    /// As the roles know it.
    pub(super) fn as_bus(&self) -> Arc<dyn Bus> {
        self.bus.clone()
    }

    /// What a publisher does for a gateway that hears nothing.
    pub(super) fn feed_directly(&self) -> Arc<dyn Fn(NodeId) + Send + Sync> {
        let bus = self.bus.clone();
        Arc::new(move |gateway| bus.feed_directly(gateway, FEED_DIRECTLY))
    }
}

/// Ready once the group knows this process.
pub(super) fn joined(joined: &watch::Receiver<bool>) -> Result<(), String> {
    if *joined.borrow() { Ok(()) } else { Err("not part of the cluster yet".into()) }
}

/// Ready once every shard of a role has a live owner.
pub(super) fn owned(cluster: &Cluster, role: NodeRole) -> Result<(), String> {
    let view = cluster.view().borrow().clone();
    let orphans = frontdesk_core::shard::ShardId::all();
    let orphans = orphans.filter(|shard| view.owner(role, *shard).is_none()).count();
    if orphans == 0 {
        Ok(())
    } else {
        Err(format!("{orphans} shards of {} have no owner", role.as_str()))
    }
}
