//! What every process of a cluster has: logs, metrics, signals, the internal
//! listener, the health listener, and its connection to the others.

use super::listener::InternalListener;
use super::settings::ClusterSection;
use super::{ClusterError, Role, about};
use crate::ops::{self, AdminToken, DebugPages, Ops};
use crate::settings::Settings;
use frontdesk_cluster::tls::{ReloadTask, Tls, TlsError};
use frontdesk_cluster::{About, Channels, Cluster, ClusterSettings, ClusterTasks, Offer, routes};
use frontdesk_core::presence::{NodeRole, incarnation_id};
use frontdesk_core::time::Timestamp;
use frontdesk_gateway::ReadinessCheck;
use frontdesk_telemetry::traces::{Exporting, Identity, init_traces};
use frontdesk_telemetry::{LogControl, MetricsHandle};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often recorded metrics are folded together.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// The longest that calls of other processes are waited for at a stop.
const SERVER_GRACE: Duration = Duration::from_secs(3);

/// A process that is about to take up a role.
pub(super) struct Process {
    role: Role,
    pub(super) settings: Settings,
    pub(super) metrics: MetricsHandle,
    logs: LogControl,
    admin_token: AdminToken,
    pub(super) channels: Arc<Channels>,
    traces: Option<Exporting>,
    tls: Option<Tls>,
    /// Follows the certificates' files for as long as the process runs.
    _reload: Option<ReloadTask>,
    interrupt: Signal,
    terminate: Signal,
}

impl Process {
    /// Logs, metrics and signals.
    pub(super) fn start(role: Role, settings: Settings) -> Result<Self, ClusterError> {
        let logs = frontdesk_telemetry::init_logs(&settings.log)?;
        let metrics = frontdesk_telemetry::init_metrics()?;
        frontdesk_telemetry::tasks::log_panics();
        let admin_token = AdminToken::new(&settings.telemetry.admin_token)?;
        if settings.cluster.name.is_empty() {
            return Err(ClusterError::Settings("the process needs a name: --name".into()));
        }
        if settings.cluster.voters.is_empty() {
            return Err(ClusterError::Settings("no voters are configured: cluster.voters".into()));
        }
        let identity =
            Identity { role: role.as_str().into(), instance: settings.cluster.name.clone() };
        let traces = init_traces(&settings.telemetry.traces, &identity)?;
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let tls = load_tls(&settings.cluster)?;
        let channels = Arc::new(Channels::new(tls.clone()));
        let _reload = tls.as_ref().map(Tls::follow);
        Ok(Self {
            role,
            settings,
            metrics,
            logs,
            admin_token,
            traces,
            channels,
            tls,
            _reload,
            interrupt,
            terminate,
        })
    }

    /// Binds the internal listener; what it offers comes later.
    pub(super) async fn listen(&self) -> Result<InternalListener, ClusterError> {
        InternalListener::bind(self.settings.cluster.listen).await
    }

    /// Joins the cluster in these roles, to be reached at `listener`.
    pub(super) fn join(
        &self,
        listener: &InternalListener,
        roles: Vec<NodeRole>,
    ) -> Result<(Arc<Cluster>, ClusterTasks), ClusterError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let section = &self.settings.cluster;
        let settings = ClusterSettings {
            node: incarnation_id(&section.name, Timestamp::from_millis(now).as_millis())?,
            roles,
            address: section.address(listener.address()),
            voters: section.voter_addresses(),
        };
        Ok(Cluster::start(settings, self.channels.clone()))
    }

    /// Offers this process's roles to the others, and its health to everyone.
    pub(super) async fn serve(
        &self,
        listener: InternalListener,
        offer: &Offer,
        readiness: ReadinessCheck,
        debug: DebugPages,
    ) -> Result<Served, ClusterError> {
        let stop = CancellationToken::new();
        let health = match self.settings.cluster.health_listen {
            Some(address) => {
                let ops = Ops {
                    metrics: self.metrics.clone(),
                    readiness,
                    logs: self.logs.clone(),
                    admin_token: self.admin_token.clone(),
                    debug,
                };
                let serving = ops::serve(address, ops, stop.clone()).await;
                Some(serving.map_err(|source| ClusterError::Listen { address, source })?)
            }
            None => None,
        };
        let (role, settings) = (self.role, self.settings.clone());
        let about: Arc<dyn Fn() -> About + Send + Sync> =
            Arc::new(move || about::about(role, &settings));
        let offer = Offer { about: Some(about), ..offer.clone() };
        let server = listener.serve(routes(&offer), self.tls.clone(), stop.clone());
        Ok(Served { stop, server, health })
    }

    /// Waits for SIGINT or SIGTERM.
    pub(super) async fn until_stopped(&mut self) {
        let mut upkeep = tokio::time::interval(METRICS_UPKEEP);
        loop {
            tokio::select! {
                _ = upkeep.tick() => self.metrics.upkeep(),
                _ = self.interrupt.recv() => break,
                _ = self.terminate.recv() => break,
            }
        }
        tracing::info!("stopping");
    }

    /// The task that sends spans, for whoever stops it last.
    pub(super) fn take_traces(&mut self) -> Option<Exporting> {
        self.traces.take()
    }

    /// How long a stop waits for others to take over.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.settings.cluster.drain_seconds)
    }
}

/// The certificates between processes, if any are configured.
pub(crate) fn load_tls(section: &ClusterSection) -> Result<Option<Tls>, TlsError> {
    let Some(files) = section.tls.clone() else { return Ok(None) };
    if files.ca.is_none() {
        return Err(TlsError::NoAuthority);
    }
    Tls::load(files).map(Some)
}

/// The listeners that run.
pub(super) struct Served {
    stop: CancellationToken,
    server: JoinHandle<()>,
    health: Option<JoinHandle<()>>,
}

impl Served {
    /// Takes no more calls and waits a little for those under way.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        let tasks = [Some(self.server), self.health];
        for task in tasks.into_iter().flatten() {
            if tokio::time::timeout(SERVER_GRACE, task).await.is_err() {
                tracing::debug!("a listener was cut with calls under way");
            }
        }
    }
}

/// Leaves the cluster; when that is not heard the group notices by itself.
pub(super) async fn leave(cluster: &Cluster, tasks: ClusterTasks) {
    if let Err(error) = cluster.leave().await {
        tracing::warn!(%error, "could not say good-bye to the cluster");
    }
    tasks.stop().await;
}

/// Gives this process's shards away before it stops.
pub(super) async fn drain(cluster: &Cluster, patience: Duration) {
    if let Err(error) = cluster.drain(patience).await {
        tracing::warn!(%error, "stopping before all shards were taken over");
    }
}
