//! The engines under the roles of a cluster: PostgreSQL and Redis.

use super::ClusterError;
use super::process::Process;
use bytes::Bytes;
use frontdesk_bus::{Bus, DirectPath, FallbackBus, RedisBus};
use frontdesk_cluster::{Cluster, DirectFeed};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::NodeRole;
use frontdesk_store::postgres::{PostgresError, PostgresSettings};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

/// A gateway that hears nothing asks again well within this time.
const FEED_DIRECTLY: Duration = Duration::from_secs(4);

/// How long a start waits for the database: engines and processes are often started
/// together, and whoever starts again what has ended waits longer from one time to the next.
const DATABASE_PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// Opens what needs the database, waiting for as long as nobody answers there. Nothing when
/// the process is asked to stop meanwhile.
pub(super) async fn once_reachable<T>(
    process: &mut Process,
    open: impl AsyncFn(&PostgresSettings) -> Result<T, PostgresError>,
) -> Result<Option<T>, ClusterError> {
    let settings = process.settings.postgres.clone();
    tokio::select! {
        opened = persistently(DATABASE_PATIENCE, || open(&settings)) => Ok(Some(opened?)),
        () = process.until_stopped() => Ok(None),
    }
}

async fn persistently<T>(
    patience: Duration,
    open: impl AsyncFn() -> Result<T, PostgresError>,
) -> Result<T, PostgresError> {
    let until = Instant::now() + patience;
    loop {
        match open().await {
            Err(error @ PostgresError::Unreachable(_)) if Instant::now() < until => {
                tracing::warn!(%error, "waiting for the database");
                // The last attempt is made when the time is over.
                let _ = timeout_at(until, sleep(DATABASE_PAUSE)).await;
            }
            done => return done,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn away() -> PostgresError {
        PostgresError::Unreachable("connection refused".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_waits_for_the_database_but_not_for_ever() {
        let asked = Cell::new(0);
        let opened = persistently(DATABASE_PATIENCE, async || {
            asked.set(asked.get() + 1);
            if asked.get() < 4 { Err(away()) } else { Ok(asked.get()) }
        });
        assert_eq!(opened.await.unwrap(), 4);

        let began = Instant::now();
        let never = persistently(DATABASE_PATIENCE, async || Err::<(), _>(away())).await;
        assert!(matches!(never, Err(PostgresError::Unreachable(_))));
        assert_eq!(began.elapsed(), DATABASE_PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waiting_does_not_mend_is_told_at_once() {
        let began = Instant::now();
        let refused = persistently(DATABASE_PATIENCE, async || {
            Err::<(), _>(PostgresError::Refused("password authentication failed".into()))
        });
        assert!(matches!(refused.await, Err(PostgresError::Refused(_))));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
