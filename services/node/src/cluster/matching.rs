//! The two roles that work by site: keepers of queues, and routers.

use super::ClusterError;
use super::clock::clock;
use super::parts::{FanOut, joined};
use super::process::{Process, drain, leave};
use crate::ops::DebugPages;
use frontdesk_actor::{Ownership, ShardHost};
use frontdesk_cluster::{
    Cluster, ClusterTasks, Offer, RemoteDesk, RemotePresence, RemoteQueueing, RemoteSessions, keep,
};
use frontdesk_core::presence::NodeRole;
use frontdesk_gateway::ReadinessCheck;
use frontdesk_telemetry::tasks;
use futures::FutureExt as _;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What both have.
struct Member {
    cluster: Arc<Cluster>,
    tasks: ClusterTasks,
    tenure: JoinHandle<()>,
}

impl Member {
    fn start(
        role: NodeRole,
        cluster: Arc<Cluster>,
        tasks: ClusterTasks,
        host: Arc<dyn ShardHost>,
    ) -> Self {
        let tenure = tasks::spawn("matching.tenure", keep(cluster.clone(), role, host));
        Self { cluster, tasks, tenure }
    }

    /// Gives the shards away and leaves.
    async fn stop(self, process: &Process) {
        drain(&self.cluster, process.patience()).await;
        self.tenure.abort();
        leave(&self.cluster, self.tasks).await;
    }
}

fn readiness(cluster: &Cluster) -> ReadinessCheck {
    let known = cluster.joined();
    Arc::new(move || std::future::ready(joined(&known)).boxed())
}

pub(super) async fn run_queueing(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Queueing])?;
    let (sessions, sessions_tasks) = RemoteSessions::start(cluster.clone());
    let deps = frontdesk_queueing::Deps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        desk: Arc::new(RemoteDesk::new(cluster.clone())),
        owned: Ownership::nothing(),
        clock: clock(),
    };
    let (queueing, running) = frontdesk_queueing::start(deps, &process.settings.queueing);
    let offer = Offer { queueing: Some(queueing.clone()), ..Offer::default() };
    let pages = DebugPages::default().placement(&cluster).queueing(&queueing, &clock());
    let served = process.serve(listener, &offer, readiness(&cluster), pages).await?;
    let member = Member::start(NodeRole::Queueing, cluster, tasks, queueing);
    process.until_stopped().await;
    member.stop(&process).await;
    running.stop().await;
    sessions_tasks.stop().await;
    served.stop().await;
    Ok(())
}

pub(super) async fn run_routing(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Routing])?;
    let fan_out = FanOut::start(&process, &cluster, None)?;
    let (sessions, sessions_tasks) = RemoteSessions::start(cluster.clone());
    let (queueing, queueing_tasks) = RemoteQueueing::start(cluster.clone());
    let deps = frontdesk_routing::Deps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        queueing,
        desk: Arc::new(RemoteDesk::new(cluster.clone())),
        bus: fan_out.as_bus(),
        owned: Ownership::nothing(),
        clock: clock(),
    };
    let (routing, running) = frontdesk_routing::start(deps, &process.settings.routing);
    let offer = Offer {
        routing: Some(routing.clone()),
        feed_directly: Some(fan_out.feed_directly()),
        ..Offer::default()
    };
    let pages = DebugPages::default().placement(&cluster).bus(&fan_out.as_bus());
    let served = process.serve(listener, &offer, readiness(&cluster), pages).await?;
    let member = Member::start(NodeRole::Routing, cluster, tasks, routing);
    process.until_stopped().await;
    member.stop(&process).await;
    running.stop().await;
    queueing_tasks.stop().await;
    sessions_tasks.stop().await;
    served.stop().await;
    Ok(())
}
