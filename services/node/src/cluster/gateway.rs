//! A gateway: ends clients' connections and asks everybody else.

use super::ClusterError;
use super::clock::clock;
use super::parts::{FanOut, joined, owned};
use super::process::{Process, leave};
use crate::blobs::Blobs;
use bytes::Bytes;
use frontdesk_cluster::{
    Cluster, ClusterView, Offer, RemoteDesk, RemotePresence, RemoteQueueing, RemoteRouting,
    RemoteSessions,
};
use frontdesk_core::presence::NodeRole;
use frontdesk_gateway::{FeedingBus, Gateway, GatewayDeps, Running, count_rejoins};
use frontdesk_store::postgres::PostgresAttachments;
use futures::FutureExt as _;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Batches from the direct way that may wait.
const INLET: usize = 1_024;

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Gateway])?;
    let (direct, inlet) = mpsc::channel::<Bytes>(INLET);
    let fan_out = FanOut::start(&process, &cluster, Some(inlet))?;
    let (sessions, sessions_tasks) = RemoteSessions::start(cluster.clone());
    let (queueing, queueing_tasks) = RemoteQueueing::start(cluster.clone());
    let attachments = PostgresAttachments::open(&process.settings.postgres).await?;
    let (rejoined, rejoins) = watch::channel(0);
    let watcher = tokio::spawn(count_rejoins(cluster.joined(), rejoined));
    let (known, ready) = (cluster.joined(), cluster.clone());
    let readiness: frontdesk_gateway::ReadinessCheck = Arc::new(move || {
        let is_ready = joined(&known).and_then(|()| owned(&ready, NodeRole::Sessions));
        std::future::ready(is_ready).boxed()
    });
    let bus = FeedingBus::new(fan_out.as_bus(), cluster.clone());
    let metrics = process.metrics.clone();
    let deps = GatewayDeps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        queueing,
        routing: Arc::new(RemoteRouting::new(cluster.clone())),
        desk: Arc::new(RemoteDesk::new(cluster.clone())),
        bus: Arc::new(bus),
        blobs: Arc::new(Blobs::new(attachments)),
        node_id: cluster.node().clone(),
        rejoined: rejoins,
        metrics_render: Arc::new(move || metrics.render()),
        readiness: readiness.clone(),
        clock: clock(),
    };
    let offer = Offer { gateway: Some((cluster.node().clone(), direct)), ..Offer::default() };
    let served = process.serve(listener, &offer, readiness).await?;
    let gateway = Gateway::start(process.settings.gateway.clone(), deps).await?;
    tokio::select! {
        () = process.until_stopped() => {
            tokio::select! {
                () = gateway.drain() => {}
                // Asked again: at once.
                () = process.until_stopped() => {}
            }
        }
        // It takes nobody new from then on, and goes on running until it is stopped.
        () = drained_by_operator(&cluster, &gateway) => process.until_stopped().await,
    }
    gateway.stop().await;
    watcher.abort();
    leave(&cluster, tasks).await;
    queueing_tasks.stop().await;
    sessions_tasks.stop().await;
    served.stop().await;
    Ok(())
}

/// Asks all clients to go elsewhere once the group says that this process drains.
async fn drained_by_operator(cluster: &Cluster, gateway: &Running) {
    let mut view = cluster.view();
    let drains =
        |view: &Arc<ClusterView>| view.member(cluster.node()).is_some_and(|own| own.draining);
    // An error means that the connection to the cluster has ended.
    if view.wait_for(drains).await.is_err() {
        std::future::pending::<()>().await;
    }
    tracing::info!("an operator has asked this gateway to drain");
    gateway.drain().await;
}
