//! The role through the `Presence` trait, with a clock that the test moves.

use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView, NodeRole, incarnation_id};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_presence::{Clock, LocalRouter, PresenceService, PresenceSettings};
use frontdesk_proto::api::{AgentConnect, ApiError, Presence, PresenceChange, ReserveRequest};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// Against hangs only.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stands still until it is moved.
struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(watch::channel(START).0))
    }

    fn advance(&self, by: Millis) {
        self.0.send_modify(|now| *now = *now + by);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let mut now = self.0.subscribe();
        now.wait_for(|now| *now >= at).await.expect("the clock outlives the role");
    }
}

struct Role {
    service: Arc<PresenceService>,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Role {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), ManualClock::new()).await
    }

    async fn start_in(folder: TempDir, clock: Arc<ManualClock>) -> Self {
        let settings = PresenceSettings::alone(folder.path());
        let router = Arc::new(LocalRouter::default());
        let service = PresenceService::start(&settings, router, clock.clone()).await;
        Self { service: service.expect("starts"), clock, folder }
    }

    async fn online(&self, capacity: u32) -> AgentView {
        self.service.join_node(gateway(1), NodeRole::Gateway).await.expect("joins");
        let profile = AgentProfile { name: Arc::from("Ann"), capacity, ..AgentProfile::default() };
        let connect = AgentConnect {
            site: site(),
            agent: agent(),
            profile,
            gateway: gateway(1),
            connection: connection(),
        };
        let view = self.service.connect(connect).await.expect("connects");
        assert_eq!(view.status, AgentStatus::Away);
        let site = site();
        let set = self.service.set_status(&site, agent(), AgentStatus::Online, "here");
        set.await.expect("goes online")
    }

    async fn reserve(&self, n: u128, lasts: Millis) -> Result<(), ApiError> {
        let request = ReserveRequest {
            site: site(),
            agent: agent(),
            conversation: conversation(n),
            weight: 1,
            expires_at: self.clock.now() + lasts,
            claim: None,
        };
        self.service.reserve(request).await
    }

    async fn view(&self) -> AgentView {
        let found = self.service.agent(&site(), agent()).await.expect("is read");
        found.expect("has connected")
    }
}

fn site() -> SiteId {
    "acme".parse().expect("a slug")
}

fn agent() -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(1))
}

fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n + 1))
}

fn connection() -> ConnectionId {
    ConnectionId::from_uuid(Uuid::from_u128(1))
}

fn gateway(incarnation: u64) -> NodeId {
    incarnation_id("gw", incarnation).expect("a slug")
}

async fn until(
    changes: &mut broadcast::Receiver<PresenceChange>,
    wanted: impl Fn(&AgentView) -> bool,
) -> Arc<AgentView> {
    let waiting = async {
        loop {
            let change = changes.recv().await.expect("the role lives");
            if wanted(&change.agent) {
                return change.agent;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("happens at last")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_confirms_frees_its_room_by_itself() {
    let role = Role::start().await;
    role.online(1).await;
    let mut changes = role.service.subscribe();
    role.reserve(0, Millis::from_secs(20)).await.expect("has room");
    assert!(matches!(role.reserve(1, Millis::from_secs(20)).await, Err(ApiError::State(_))));
    role.clock.advance(Millis::from_secs(19));
    assert_eq!(role.view().await.load, 1);
    until(&mut changes, |a| a.load == 1).await;
    role.clock.advance(Millis::from_secs(1));
    until(&mut changes, |a| a.load == 0).await;
    // The clock has not moved further: it was the deadline that woke the role.
    role.reserve(1, Millis::from_secs(20)).await.expect("has room");
    role.service.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_the_gateway_is_offline_after_the_grace_period() {
    let role = Role::start().await;
    role.online(3).await;
    let mut changes = role.service.subscribe();
    role.service.drop_gateway(gateway(1)).await.expect("drops");
    let gone = until(&mut changes, |a| a.gateways.is_empty()).await;
    assert_eq!(gone.status, AgentStatus::Online);
    role.clock.advance(Millis::from_secs(30));
    let offline = until(&mut changes, |a| a.status == AgentStatus::Offline).await;
    assert_eq!(offline.since, START + Millis::from_secs(30));
    role.service.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_confirmed_wrapped_up_and_over() {
    let role = Role::start().await;
    role.online(1).await;
    role.reserve(0, Millis::from_secs(20)).await.expect("has room");
    let (site, agent) = (site(), agent());
    role.service.confirm(&site, agent, conversation(0)).await.expect("confirms");
    let mut changes = role.service.subscribe();
    let wrap_up = Millis::from_secs(10);
    for _ in 0..2 {
        let release = role.service.release(&site, agent, conversation(0), wrap_up);
        release.await.expect("repeating is harmless");
    }
    role.clock.advance(wrap_up);
    until(&mut changes, |a| a.load == 0).await;
    role.service.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_in_the_api_s_words() {
    let role = Role::start().await;
    let (site, nobody) = (site(), AgentId::from_uuid(Uuid::from_u128(99)));
    let set = role.service.set_status(&site, nobody, AgentStatus::Online, "").await;
    assert!(matches!(set, Err(ApiError::NotFound(_))));
    assert_eq!(role.service.agent(&site, nobody).await, Ok(None));
    let closed = role.service.disconnect(&site, nobody, &gateway(1), connection()).await;
    assert_eq!(closed, Ok(()));
    role.online(1).await;
    let long = "x".repeat(201);
    let set = role.service.set_status(&site, agent(), AgentStatus::Away, &long).await;
    assert!(matches!(set, Err(ApiError::Invalid(_))));
    let confirm = role.service.confirm(&site, agent(), conversation(7)).await;
    assert!(matches!(confirm, Err(ApiError::State(_))));
    role.service.shutdown().await;
    let late = role.reserve(0, Millis::from_secs(5)).await;
    assert!(matches!(late, Err(ApiError::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_agents_and_raises_the_epochs() {
    let role = Role::start().await;
    role.online(2).await;
    role.reserve(0, Millis::from_secs(60)).await.expect("has room");
    role.service.confirm(&site(), agent(), conversation(0)).await.expect("confirms");
    role.service.join_node(gateway(1), NodeRole::Sessions).await.expect("joins");
    let first = role.service.assign_all_shards(gateway(1)).await.expect("assigns");
    assert_eq!(first.len(), 256);
    role.service.shutdown().await;

    let Role { clock, folder, .. } = role;
    let role = Role::start_in(folder, clock).await;
    for kind in [NodeRole::Gateway, NodeRole::Sessions] {
        role.service.join_node(gateway(2), kind).await.expect("joins");
    }
    let second = role.service.assign_all_shards(gateway(2)).await.expect("assigns");
    assert!(first.iter().zip(&second).all(|((_, old), (_, new))| new > old));
    let placement = role.service.placement().await.expect("is read");
    assert!(placement.iter().all(|(_, p)| p.node == gateway(2)));
    let view = role.view().await;
    assert_eq!((view.load, view.gateways.len()), (1, 0));
    let mut changes = role.service.subscribe();
    role.clock.advance(Millis::from_secs(30));
    until(&mut changes, |a| a.status == AgentStatus::Offline && a.load == 1).await;
    let stale = role.service.join_node(gateway(1), NodeRole::Gateway).await;
    assert!(matches!(stale, Err(ApiError::State(_))));
    role.service.shutdown().await;
}
