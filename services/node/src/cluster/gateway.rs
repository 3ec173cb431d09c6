//! A gateway: ends clients' connections and asks everybody else.

use super::ClusterError;
use super::clock::clock;
use super::parts::{FanOut, joined, owned};
use super::process::{Process, leave};
use crate::blobs::Blobs;
use bytes::Bytes;
use frontdesk_bus::Bus;
use frontdesk_cluster::{
    Cluster, ClusterView, Offer, Question, RemoteDesk, RemotePresence, RemoteQueueing,
    RemoteRouting, RemoteSessions,
};
use frontdesk_core::presence::NodeRole;
use frontdesk_gateway::{Gateway, GatewayDeps, Running};
use frontdesk_store::postgres::PostgresAttachments;
use futures::FutureExt as _;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Batches from the direct way that may wait.
const INLET: usize = 1_024;
/// How often publishers are asked while nothing comes through the broker.
const ASK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Gateway])?;
    let (direct, inlet) = mpsc::channel::<Bytes>(INLET);
    let fan_out = FanOut::start(&process, &cluster, Some(inlet))?;
    let (sessions, sessions_tasks) = RemoteSessions::start(cluster.clone());
    let (queueing, queueing_tasks) = RemoteQueueing::start(cluster.clone());
    let attachments = PostgresAttachments::open(&process.settings.postgres).await?;
    let (rejoined, rejoins) = watch::channel(0);
    let watcher = tokio::spawn(watch_membership(cluster.joined(), rejoined));
    let (known, ready) = (cluster.joined(), cluster.clone());
    let readiness: frontdesk_gateway::ReadinessCheck = Arc::new(move || {
        let is_ready = joined(&known).and_then(|()| owned(&ready, NodeRole::Sessions));
        std::future::ready(is_ready).boxed()
    });
    let bus = WatchedBus { bus: fan_out.as_bus(), cluster: cluster.clone() };
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

/// Counts how often the group had taken this process for dead.
async fn watch_membership(mut joined: watch::Receiver<bool>, rejoined: watch::Sender<u64>) {
    // An error means that the connection to the cluster has ended.
    while joined.wait_for(|known| *known).await.is_ok() {
        if joined.wait_for(|known| !*known).await.is_err()
            || joined.wait_for(|known| *known).await.is_err()
        {
            return;
        }
        rejoined.send_modify(|times| *times += 1);
    }
}

/// The fan-out of a gateway: while nothing comes through the broker, publishers
/// are asked to feed it directly.
struct WatchedBus {
    bus: Arc<dyn Bus>,
    cluster: Arc<Cluster>,
}

impl Bus for WatchedBus {
    fn publish(
        &self,
        gateway: &frontdesk_core::ids::NodeId,
        payload: Bytes,
    ) -> frontdesk_bus::Published {
        self.bus.publish(gateway, payload)
    }

    fn subscribe(
        &self,
        gateway: frontdesk_core::ids::NodeId,
    ) -> Box<dyn frontdesk_bus::Subscription> {
        let subscription = self.bus.subscribe(gateway);
        // Ends with the subscription.
        tokio::spawn(ask_for_feeds(self.cluster.clone(), subscription.live()));
        subscription
    }
}

async fn ask_for_feeds(cluster: Arc<Cluster>, mut live: watch::Receiver<bool>) {
    while live.wait_for(|live| !*live).await.is_ok() {
        let view = cluster.view().borrow().clone();
        let publishers = view.members().filter(|m| {
            m.roles.contains(&NodeRole::Sessions) || m.roles.contains(&NodeRole::Routing)
        });
        let question = Question::FeedDirectly { gateway: cluster.node().clone() };
        let asked = publishers.map(|member| {
            let (cluster, question) = (&cluster, &question);
            async move {
                if let Err(error) = cluster.tell(&member.address, question, ASK_EVERY).await {
                    tracing::debug!(node = %member.node, %error, "could not ask to be fed directly");
                }
            }
        });
        join_all(asked).await;
        tokio::time::sleep(ASK_EVERY).await;
    }
}
