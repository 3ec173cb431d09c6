//! `frontdesk dev`: every role in one process on embedded parts. The same role
//! crates as in a cluster; only the wiring is here.

mod relay;

use crate::announce::Ready;
use crate::blobs::Blobs;
use crate::cli::{AccountsArgs, DevArgs};
use crate::ops::{self, AdminToken, DebugPages, LateInspector, Ops, TooShort};
use crate::settings::Settings;
use crate::{accounts, keys};
use frontdesk_actor::Ownership;
use frontdesk_bus::{Bus, LocalBus};
use frontdesk_core::ids::{ConversationId, InvalidId, NodeId};
use frontdesk_core::presence::{NodeRole, incarnation_id};
use frontdesk_core::time::Timestamp;
use frontdesk_desk::{DeskError, DeskService};
use frontdesk_gateway::{
    DemoSettings, Gateway, GatewayDeps, ReadinessCheck, StartError, TokenAlgorithm, TokenKey,
};
use frontdesk_presence::{LocalRouter, PresenceError, PresenceService, PresenceSettings};
use frontdesk_proto::api::{ApiError, Desk, Presence, Routing, Sessions, WorkObserver};
use frontdesk_queueing::QueueingService;
use frontdesk_sessions::{Clock as _, SessionsDeps, SessionsError, SessionsService, SystemClock};
use frontdesk_store::attachments::LocalAttachments;
use frontdesk_store::journal::Journal;
use frontdesk_store::sqlite::{DataFolder, OpenError, SqliteDesk, SqliteJournal};
use frontdesk_telemetry::traces::{Identity, TracesError, init_traces};
use frontdesk_telemetry::{LogError, MetricsError, MetricsHandle};
use futures::FutureExt as _;
use relay::Relay;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::info;
use uuid::Uuid;

/// How often recorded metrics are folded together.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// The longest a readiness check may take.
const READINESS_DEADLINE: Duration = Duration::from_secs(1);

/// Why the process could not start or run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("data folder: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Presence(#[from] PresenceError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    #[error(transparent)]
    Gateway(#[from] StartError),
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error(transparent)]
    AdminToken(#[from] TooShort),
    #[error("cannot announce: {0}")]
    Announce(#[from] serde_json::Error),
}

/// The embedded parts under all roles.
struct Embedded {
    folder: DataFolder,
    journal: Arc<SqliteJournal>,
    desk_store: Arc<SqliteDesk>,
    bus: Arc<LocalBus>,
    clock: Arc<SystemClock>,
}

/// The roles, in the order in which they start.
struct Roles {
    presence: Arc<PresenceService>,
    desk: Arc<DeskService>,
    sessions: Arc<SessionsService>,
    queueing: Arc<QueueingService>,
    queueing_tasks: frontdesk_queueing::Running,
    routing: Arc<dyn Routing>,
    routing_tasks: frontdesk_routing::Running,
}

/// Runs until SIGINT or SIGTERM.
pub(crate) async fn run(settings: Settings, args: &DevArgs) -> Result<(), DevError> {
    let logs = frontdesk_telemetry::init_logs(&settings.log)?;
    let metrics = frontdesk_telemetry::init_metrics()?;
    frontdesk_telemetry::tasks::log_panics();
    let identity = Identity { role: "dev".into(), instance: "dev".into() };
    let traces = init_traces(&settings.telemetry.traces, &identity)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let embedded = open(&settings)?;
    let node = incarnation_id("dev", embedded.clock.now().as_millis())?;
    let roles = start_roles(&settings, &embedded, &node).await?;
    let scheme = if settings.gateway.tls.is_some() { "https" } else { "http" };
    let site = roles.desk.ensure_dev_site(&origins(scheme, settings.gateway.listen)).await?;
    let AccountsArgs { print, reset_passwords, extra_agents } = args.accounts;
    let accounts =
        accounts::prepare(&roles.desk, site.accounts, reset_passwords, extra_agents).await?;
    let mut gateway_settings = settings.gateway.clone();
    keys::resolve(&mut gateway_settings)?;
    if gateway_settings.keys.is_empty() && gateway_settings.keys_file.is_none() {
        gateway_settings.keys.push(token_key(&keys::load_or_make(embedded.folder.path())?));
    }
    let site_key = site.site.key.clone();
    gateway_settings.demo.get_or_insert(DemoSettings { site_key: site_key.clone() });
    let gateway_deps = gateway_deps(&embedded, &roles, &node, metrics.clone())?;
    let gateway = Gateway::start(gateway_settings, gateway_deps).await?;
    let _keys = keys::follow(gateway.key_ring(), &settings.gateway);
    let ops = Ops {
        metrics: metrics.clone(),
        readiness: readiness(embedded.journal.clone()),
        logs,
        admin_token: AdminToken::new(&settings.telemetry.admin_token)?,
        debug: debug_pages(&embedded, &roles, &gateway),
    };
    let ops = operated(&settings, ops).await?;
    let address = gateway.local_addr();
    if address.port() != settings.gateway.listen.port() {
        // The port was chosen just now: the demo page's origin is known only here.
        roles.desk.ensure_dev_site(&origins(scheme, address)).await?;
    }
    let url = format!("{scheme}://{address}");
    Ready::new(url, site.site.id.as_str(), &site_key, &accounts, embedded.folder.path())
        .print(print)?;

    let mut upkeep = tokio::time::interval(METRICS_UPKEEP);
    loop {
        tokio::select! {
            _ = upkeep.tick() => metrics.upkeep(),
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    info!("stopping");
    stop(gateway, roles, embedded).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    // Tells to the end how the stop goes on.
    drop(ops);
    Ok(())
}

/// What an operator may look at: everything is here.
fn debug_pages(
    embedded: &Embedded,
    roles: &Roles,
    gateway: &frontdesk_gateway::Running,
) -> DebugPages {
    let (late, bus) = (LateInspector::default(), embedded.bus.clone());
    late.get_or_init(|| gateway.inspector());
    let bus: Arc<dyn Bus> = bus;
    DebugPages::default()
        .sessions(&roles.sessions)
        .connections(&late)
        .queueing(&roles.queueing, &clock(embedded))
        .raft(roles.presence.group())
        .bus(&bus)
}

/// The health listener, where one is asked for; it ends when the guard is dropped.
async fn operated(settings: &Settings, ops: Ops) -> Result<Option<DropGuard>, DevError> {
    let Some(address) = settings.cluster.health_listen else { return Ok(None) };
    let stop = CancellationToken::new();
    // Ends with the guard.
    drop(ops::serve(address, ops, stop.clone()).await?);
    Ok(Some(stop.drop_guard()))
}

/// The stop order: nobody new, nothing new, then what is in flight, then the
/// files.
async fn stop(gateway: frontdesk_gateway::Running, roles: Roles, embedded: Embedded) {
    gateway.stop().await;
    roles.routing_tasks.stop().await;
    roles.queueing_tasks.stop().await;
    roles.sessions.stop().await;
    roles.presence.shutdown().await;
    let Embedded { journal, desk_store, .. } = embedded;
    let closed = tokio::task::spawn_blocking(move || {
        journal.close();
        desk_store.close();
    });
    if let Err(error) = closed.await {
        tracing::error!(%error, "closing the files failed");
    }
}

fn open(settings: &Settings) -> Result<Embedded, DevError> {
    std::fs::create_dir_all(&settings.data)?;
    let folder = DataFolder::lock(&settings.data)?;
    Ok(Embedded {
        journal: Arc::new(SqliteJournal::open(&folder)?),
        desk_store: Arc::new(SqliteDesk::open(&folder)?),
        bus: Arc::new(LocalBus::new()),
        clock: Arc::new(SystemClock::default()),
        folder,
    })
}

async fn start_roles(
    settings: &Settings,
    embedded: &Embedded,
    node: &NodeId,
) -> Result<Roles, DevError> {
    let presence = PresenceService::start(
        &PresenceSettings::alone(embedded.folder.path().join("presence")),
        Arc::new(LocalRouter::default()),
        Arc::new(frontdesk_presence::SystemClock),
    )
    .await?;
    presence.join_node(node.clone(), NodeRole::Gateway).await?;
    presence.join_node(node.clone(), NodeRole::Sessions).await?;
    let owned = presence.assign_all_shards(node.clone()).await?;
    let desk = Arc::new(DeskService::new(embedded.desk_store.clone(), &settings.desk).await?);

    // Sessions tells queueing and routing, which ask sessions: one of the two
    // has to be introduced late.
    let relay = Arc::new(Relay::default());
    let deps = SessionsDeps {
        journal: embedded.journal.clone(),
        bus: embedded.bus.clone(),
        observers: vec![relay.clone()],
        clock: embedded.clock.clone(),
    };
    let sessions = Arc::new(SessionsService::start(settings.sessions.clone(), &owned, deps).await?);
    let (queueing, queueing_tasks) = frontdesk_queueing::start(
        frontdesk_queueing::Deps {
            sessions: sessions.clone(),
            presence: presence.clone(),
            desk: desk.clone(),
            owned: Ownership::everything(),
            clock: clock(embedded),
        },
        &settings.queueing,
    );
    let (routing, routing_tasks) = frontdesk_routing::start(
        frontdesk_routing::Deps {
            sessions: sessions.clone(),
            presence: presence.clone(),
            queueing: queueing.clone(),
            desk: desk.clone(),
            bus: embedded.bus.clone(),
            owned: Ownership::everything(),
            clock: clock(embedded),
        },
        &settings.routing,
    );
    let observers: [Arc<dyn WorkObserver>; 2] = [queueing.clone(), routing.clone()];
    relay.introduce(observers);
    Ok(Roles { presence, desk, sessions, queueing, queueing_tasks, routing, routing_tasks })
}

fn gateway_deps(
    embedded: &Embedded,
    roles: &Roles,
    node: &NodeId,
    metrics: MetricsHandle,
) -> Result<GatewayDeps, DevError> {
    let attachments = LocalAttachments::open(embedded.folder.path().join("attachments"))?;
    let sessions: Arc<dyn Sessions> = roles.sessions.clone();
    let presence: Arc<dyn Presence> = roles.presence.clone();
    let desk: Arc<dyn Desk> = roles.desk.clone();
    let bus: Arc<dyn Bus> = embedded.bus.clone();
    Ok(GatewayDeps {
        sessions,
        presence,
        queueing: roles.queueing.clone(),
        routing: roles.routing.clone(),
        desk,
        bus,
        blobs: Arc::new(Blobs::new(attachments)),
        node_id: node.clone(),
        rejoined: tokio::sync::watch::channel(0).1,
        metrics_render: Arc::new(move || metrics.render()),
        readiness: readiness(embedded.journal.clone()),
        clock: clock(embedded),
    })
}

fn clock(embedded: &Embedded) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let clock = embedded.clock.clone();
    Arc::new(move || clock.now())
}

/// Ready while the journal can be read.
fn readiness(journal: Arc<SqliteJournal>) -> ReadinessCheck {
    Arc::new(move || {
        let journal = journal.clone();
        async move {
            // Any id will do; that there is no such conversation is an answer.
            let id = ConversationId::from_uuid(Uuid::max());
            match tokio::time::timeout(READINESS_DEADLINE, journal.summary(id)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the journal does not answer".to_owned()),
            }
        }
        .boxed()
    })
}

fn token_key(secret: &[u8]) -> TokenKey {
    use base64::Engine as _;
    TokenKey {
        kid: "dev".into(),
        algorithm: TokenAlgorithm::Hs256,
        secret: base64::engine::general_purpose::STANDARD.encode(secret),
        public: String::new(),
    }
}

/// Pages of this machine may carry the demo's widget.
fn origins(scheme: &str, listen: SocketAddr) -> Vec<String> {
    let port = listen.port();
    let mut origins = vec![
        format!("{scheme}://127.0.0.1:{port}"),
        format!("{scheme}://localhost:{port}"),
        format!("{scheme}://{listen}"),
    ];
    origins.dedup();
    origins.sort();
    origins.dedup();
    origins
}
