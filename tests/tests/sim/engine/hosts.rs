//! The processes of a simulated cluster: the real roles, wired as the program
//! wires them, on the simulated network, broker, journal and desk.

use super::broker::SimBroker;
use super::desk::SimDesk;
use super::journal::SimJournal;
use super::net;
use super::never::NeverExpires;
use super::plan::{Bug, VOTERS};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_actor::{Ownership, ShardHost};
use frontdesk_bus::{DirectPath, FallbackBus};
use frontdesk_cluster::{
    Cluster, ClusterSettings, ClusterTasks, DirectFeed, Disk, GrpcTransport, MemoryDisk, Offer,
    PresenceGroup, RemoteObserver, RemotePresence, RemoteQueueing, RemoteRouting, RemoteSessions,
    SystemClock, keep, routes,
};
use frontdesk_core::ids::{AttachmentId, NodeId, SiteId};
use frontdesk_core::presence::{NodeRole, incarnation_id};
use frontdesk_core::time::Timestamp;
use frontdesk_gateway::{
    AttachmentBlobs, FeedingBus, Gateway, GatewayDeps, Settings, TokenKey, count_rejoins,
};
use frontdesk_presence::{MemberSettings, PresenceService, PresenceSettings};
use frontdesk_proto::api::{ApiError, Presence};
use frontdesk_sessions::{SessionsDeps, SessionsService};
use frontdesk_store::journal::Journal;
use futures::FutureExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};
use turmoil::Result;

/// How long a process that is asked to stop waits for others to take over.
const PATIENCE: Duration = Duration::from_secs(6);
/// A gateway that hears nothing asks again well within this time.
const FEED: Duration = Duration::from_secs(4);
/// 32 bytes, in Base64.
const KEY: &str = "c2ltdWxhdGlvbi1zaW11bGF0aW9uLXNpbXVsYXRpb24=";

/// What all processes share.
#[derive(Clone)]
pub(crate) struct Engines {
    pub(crate) journal: SimJournal,
    pub(crate) broker: SimBroker,
    pub(crate) desk: Arc<SimDesk>,
    pub(crate) disks: Vec<MemoryDisk>,
    /// The voters that were started last, by number: to look into what they hold.
    pub(crate) groups: Arc<Mutex<Vec<Option<PresenceGroup>>>>,
    /// Number of the voter that was the last to lead.
    pub(crate) leader: Arc<AtomicUsize>,
    pub(crate) bug: Option<Bug>,
}

fn address(host: &str) -> String {
    format!("{host}:{}", net::INTERNAL)
}

fn time() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(now.as_millis() as u64)
}

/// A process's place among the others.
struct Member {
    cluster: Arc<Cluster>,
    tasks: ClusterTasks,
    bus: Arc<FallbackBus>,
}

impl Member {
    fn join(
        engines: &Engines,
        name: &str,
        role: NodeRole,
        inlet: Option<mpsc::Receiver<Bytes>>,
    ) -> Result<Self> {
        let settings = ClusterSettings {
            node: incarnation_id(name, time().as_millis())?,
            roles: vec![role],
            address: Arc::from(address(name)),
            voters: VOTERS.into_iter().map(|v| Arc::from(address(v))).collect(),
        };
        let (cluster, tasks) = Cluster::start(settings, net::channels());
        let feed = DirectFeed::new(cluster.clone());
        let direct: DirectPath = Arc::new(move |gateway, batch| feed.push(gateway, batch));
        let broker = Arc::new(engines.broker.clone());
        Ok(Self { cluster, tasks, bus: Arc::new(FallbackBus::new(broker, direct, inlet)) })
    }

    fn feed_directly(&self) -> Arc<dyn Fn(NodeId) + Send + Sync> {
        let bus = self.bus.clone();
        Arc::new(move |gateway| bus.feed_directly(gateway, FEED))
    }

    /// Serves until it is asked to stop.
    async fn serve(&self, offer: &Offer, mut stop: watch::Receiver<bool>) -> Result {
        let router = routes(offer).prepare().into_axum_router();
        tokio::select! {
            served = net::serve(net::INTERNAL, router) => Ok(served?),
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        }
    }

    /// Gives its shards away while it still serves, then leaves.
    async fn leave(self, offer: &Offer) -> Result {
        let router = routes(offer).prepare().into_axum_router();
        tokio::select! {
            served = net::serve(net::INTERNAL, router) => served?,
            // What was not taken over in time is taken by force.
            _ = self.cluster.drain(PATIENCE) => {}
        }
        let _ = self.cluster.leave().await;
        self.tasks.stop().await;
        Ok(())
    }
}

/// A voter; `n` counts from 0.
pub(crate) async fn voter(engines: Engines, n: usize) -> Result {
    let members = VOTERS.into_iter().zip(1..);
    let settings = PresenceSettings {
        folder: PathBuf::new(),
        voter: n as u64 + 1,
        members: members.map(|(v, id)| MemberSettings { id, address: address(v) }).collect(),
        ready_within_secs: 30,
        node_ttl_secs: 3,
    };
    let transport = Arc::new(GrpcTransport::new(net::channels()));
    let disk = Disk::Memory(engines.disks[n].clone());
    let presence =
        PresenceService::open_on(disk, &settings, transport, Arc::new(SystemClock)).await?;
    engines.groups.lock().unwrap_or_else(PoisonError::into_inner)[n] =
        Some(presence.group().clone());
    let mut leading = presence.group().leading();
    tokio::spawn(async move {
        while leading.wait_for(|leads| *leads).await.is_ok() {
            engines.leader.store(n, Ordering::Relaxed);
            if leading.wait_for(|leads| !*leads).await.is_err() {
                return;
            }
        }
    });
    let offer = Offer { presence: Some(presence.group().clone()), ..Offer::default() };
    Ok(net::serve(net::INTERNAL, routes(&offer).prepare().into_axum_router()).await?)
}

/// An owner of conversations.
pub(crate) async fn owner(engines: Engines, name: &str, stop: watch::Receiver<bool>) -> Result {
    let member = Member::join(&engines, name, NodeRole::Sessions, None)?;
    let cluster = member.cluster.clone();
    let journal: Arc<dyn Journal> = engines.journal.of(name);
    let deps = SessionsDeps {
        journal,
        bus: member.bus.clone(),
        observers: vec![
            Arc::new(RemoteObserver::queueing(cluster.clone())),
            Arc::new(RemoteObserver::routing(cluster.clone())),
        ],
        clock: Arc::new(frontdesk_sessions::SystemClock::default()),
    };
    let settings = frontdesk_sessions::Settings { beacons: true, ..Default::default() };
    let sessions = Arc::new(SessionsService::start(settings, &[], deps).await?);
    let offer = Offer {
        sessions: Some(sessions.clone()),
        feed_directly: Some(member.feed_directly()),
        ..Offer::default()
    };
    tokio::spawn(keep(cluster, NodeRole::Sessions, sessions.clone()));
    member.serve(&offer, stop).await?;
    member.leave(&offer).await?;
    sessions.stop().await;
    Ok(())
}

/// A keeper of queues.
pub(crate) async fn keeper(engines: Engines, name: &str, stop: watch::Receiver<bool>) -> Result {
    let member = Member::join(&engines, name, NodeRole::Queueing, None)?;
    let cluster = member.cluster.clone();
    let (sessions, _links) = RemoteSessions::start(cluster.clone());
    let deps = frontdesk_queueing::Deps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        desk: engines.desk.clone(),
        owned: Ownership::nothing(),
        clock: Arc::new(time),
    };
    let (queueing, _running) = frontdesk_queueing::start(deps, &Default::default());
    let offer = Offer { queueing: Some(queueing.clone()), ..Offer::default() };
    let host: Arc<dyn ShardHost> = queueing;
    tokio::spawn(keep(cluster, NodeRole::Queueing, host));
    member.serve(&offer, stop).await?;
    member.leave(&offer).await
}

/// A router.
pub(crate) async fn router(engines: Engines, name: &str, stop: watch::Receiver<bool>) -> Result {
    let member = Member::join(&engines, name, NodeRole::Routing, None)?;
    let cluster = member.cluster.clone();
    let (sessions, _links) = RemoteSessions::start(cluster.clone());
    let (queueing, _follower) = RemoteQueueing::start(cluster.clone());
    let presence = RemotePresence::new(cluster.clone());
    let presence: Arc<dyn Presence> = match engines.bug {
        Some(Bug::NoExpiry) => Arc::new(NeverExpires(presence)),
        _ => Arc::new(presence),
    };
    let deps = frontdesk_routing::Deps {
        sessions,
        presence,
        queueing,
        desk: engines.desk.clone(),
        bus: member.bus.clone(),
        owned: Ownership::nothing(),
        clock: Arc::new(time),
    };
    let (routing, _running) = frontdesk_routing::start(deps, &Default::default());
    let offer = Offer {
        routing: Some(routing.clone()),
        feed_directly: Some(member.feed_directly()),
        ..Offer::default()
    };
    let host: Arc<dyn ShardHost> = routing;
    tokio::spawn(keep(cluster, NodeRole::Routing, host));
    member.serve(&offer, stop).await?;
    member.leave(&offer).await
}

/// A gateway.
pub(crate) async fn gateway(
    engines: Engines,
    name: &str,
    mut stop: watch::Receiver<bool>,
) -> Result {
    let (direct, inlet) = mpsc::channel(1_024);
    let member = Member::join(&engines, name, NodeRole::Gateway, Some(inlet))?;
    let cluster = member.cluster.clone();
    let (sessions, _links) = RemoteSessions::start(cluster.clone());
    let (queueing, _follower) = RemoteQueueing::start(cluster.clone());
    let (rejoined, rejoins) = watch::channel(0);
    tokio::spawn(count_rejoins(cluster.joined(), rejoined));
    let deps = GatewayDeps {
        sessions,
        presence: Arc::new(RemotePresence::new(cluster.clone())),
        queueing,
        routing: Arc::new(RemoteRouting::new(cluster.clone())),
        desk: engines.desk.clone(),
        bus: Arc::new(FeedingBus::new(member.bus.clone(), cluster.clone())),
        blobs: Arc::new(NoBlobs),
        node_id: cluster.node().clone(),
        rejoined: rejoins,
        metrics_render: Arc::new(String::new),
        readiness: Arc::new(|| std::future::ready(Ok(())).boxed()),
        clock: Arc::new(time),
    };
    let key = TokenKey {
        kid: "sim".into(),
        algorithm: Default::default(),
        secret: KEY.into(),
        public: String::new(),
    };
    let settings =
        Settings { keys: vec![key], sign_in_attempts_per_minute: 1_000, ..Default::default() };
    let (running, router) = Gateway::start_unbound(settings, deps)?;
    let offer = Offer { gateway: Some((cluster.node().clone(), direct)), ..Offer::default() };
    let internal = routes(&offer).prepare().into_axum_router();
    tokio::select! {
        served = net::serve(net::PUBLIC, router) => served?,
        served = net::serve(net::INTERNAL, internal) => served?,
        () = async {
            let _ = stop.wait_for(|stop| *stop).await;
            running.drain().await;
        } => {}
    }
    running.stop().await;
    let _ = cluster.leave().await;
    member.tasks.stop().await;
    Ok(())
}

/// Nobody uploads here.
struct NoBlobs;

#[async_trait]
impl AttachmentBlobs for NoBlobs {
    async fn put(
        &self,
        _: &SiteId,
        _: AttachmentId,
        _: Bytes,
    ) -> std::result::Result<(), ApiError> {
        Err(ApiError::Unimplemented(String::new()))
    }

    async fn get(
        &self,
        _: &SiteId,
        _: AttachmentId,
    ) -> std::result::Result<Option<Bytes>, ApiError> {
        Ok(None)
    }

    async fn delete(&self, _: &SiteId, _: AttachmentId) -> std::result::Result<(), ApiError> {
        Ok(())
    }
}
