//! A gateway: ends clients' connections and asks everybody else.

use super::ClusterError;
use super::clock::clock;
use super::parts::{FanOut, joined, once_reachable, owned};
use super::process::{Process, leave};
use crate::blobs::Blobs;
use crate::keys;
use crate::ops::{DebugPages, LateInspector};
use bytes::Bytes;
use frontdesk_cluster::{
    Cluster, ClusterView, Offer, RemoteDesk, RemotePresence, RemoteQueueing, RemoteRouting,
    RemoteSessions,
};
use frontdesk_core::presence::NodeRole;
use frontdesk_gateway::{
    AttachmentBlobs, FeedingBus, Gateway, GatewayDeps, Running, count_rejoins,
};
use frontdesk_store::attachments::MovedAttachments;
use frontdesk_store::postgres::PostgresAttachments;
use frontdesk_store::s3::S3Attachments;
use frontdesk_telemetry::tasks;
use futures::FutureExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};

/// Batches from the direct way that may wait.
const INLET: usize = 1_024;

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let bucket = process.settings.attachments.s3.as_ref().map(S3Attachments::open).transpose()?;
    let open = async |settings: &_| PostgresAttachments::open(settings).await;
    let Some(database) = once_reachable(&mut process, open).await? else { return Ok(()) };
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Gateway])?;
    let (direct, inlet) = mpsc::channel::<Bytes>(INLET);
    let fan_out = FanOut::start(&process, &cluster, Some(inlet))?;
    let (sessions, sessions_tasks) = RemoteSessions::start(cluster.clone());
    let (queueing, queueing_tasks) = RemoteQueueing::start(cluster.clone());
    let (rejoined, rejoins) = watch::channel(0);
    let watcher = tasks::spawn("gateway.rejoins", count_rejoins(cluster.joined(), rejoined));
    let draining = Arc::new(AtomicBool::new(false));
    let readiness = readiness(&cluster, draining.clone());
    let bus = FeedingBus::new(fan_out.as_bus(), cluster.clone());
    let metrics = process.metrics.clone();
    let deps = GatewayDeps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        queueing,
        routing: Arc::new(RemoteRouting::new(cluster.clone())),
        desk: Arc::new(RemoteDesk::new(cluster.clone())),
        bus: Arc::new(bus),
        blobs: files(bucket, database),
        node_id: cluster.node().clone(),
        rejoined: rejoins,
        metrics_render: Arc::new(move || metrics.render()),
        readiness: readiness.clone(),
        clock: clock(),
    };
    let offer = Offer { gateway: Some((cluster.node().clone(), direct)), ..Offer::default() };
    let late = LateInspector::default();
    let pages = DebugPages::default().placement(&cluster).connections(&late);
    let served = process.serve(listener, &offer, readiness, pages.bus(&fan_out.as_bus())).await?;
    let mut settings = process.settings.gateway.clone();
    keys::resolve(&mut settings).map_err(|error| ClusterError::Settings(error.to_string()))?;
    let gateway = Gateway::start(settings, deps).await?;
    late.get_or_init(|| gateway.inspector());
    let _keys = keys::follow(gateway.key_ring(), &process.settings.gateway);
    tokio::select! {
        () = process.until_stopped() => {
            draining.store(true, Ordering::Relaxed);
            tokio::select! {
                () = gateway.drain() => {}
                // Asked again: at once.
                () = process.until_stopped() => {}
            }
        }
        // It takes nobody new from then on, and goes on running until it is stopped.
        () = drained_by_operator(&cluster, &gateway, &draining) => process.until_stopped().await,
    }
    gateway.stop().await;
    watcher.abort();
    leave(&cluster, tasks).await;
    queueing_tasks.stop().await;
    sessions_tasks.stop().await;
    served.stop().await;
    Ok(())
}

/// Where files are: in the database, or in an object store and, from before that, in the
/// database.
fn files(bucket: Option<S3Attachments>, database: PostgresAttachments) -> Arc<dyn AttachmentBlobs> {
    match bucket {
        None => Arc::new(Blobs::new(database)),
        Some(bucket) => Arc::new(Blobs::new(MovedAttachments::new(bucket, database))),
    }
}

/// Whether this gateway can serve. At the start that takes an owner for every shard;
/// one that is lost later is all gateways' loss and heals by itself, so it takes none of
/// them out.
fn readiness(
    cluster: &Arc<Cluster>,
    draining: Arc<AtomicBool>,
) -> frontdesk_gateway::ReadinessCheck {
    let (known, cluster) = (cluster.joined(), cluster.clone());
    let begun = AtomicBool::new(false);
    Arc::new(move || {
        let is_ready = || {
            if draining.load(Ordering::Relaxed) {
                return Err("stopping".into());
            }
            joined(&known)?;
            if !begun.load(Ordering::Relaxed) {
                owned(&cluster, NodeRole::Sessions)?;
                begun.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        std::future::ready(is_ready()).boxed()
    })
}

/// Asks all clients to go elsewhere once the group says that this process drains.
async fn drained_by_operator(cluster: &Cluster, gateway: &Running, draining: &AtomicBool) {
    let mut view = cluster.view();
    let drains =
        |view: &Arc<ClusterView>| view.member(cluster.node()).is_some_and(|own| own.draining);
    // An error means that the connection to the cluster has ended.
    if view.wait_for(drains).await.is_err() {
        std::future::pending::<()>().await;
    }
    tracing::info!("an operator has asked this gateway to drain");
    draining.store(true, Ordering::Relaxed);
    gateway.drain().await;
}
