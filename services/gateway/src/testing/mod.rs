//! A gateway among small fakes of the other roles, for tests in this crate.

mod client;
mod desk;
mod roles;
mod sessions;

pub(crate) use client::TestClient;
pub(crate) use desk::{AGENT_EMAIL, FakeDesk, PASSWORD, SITE_KEY, agent_id, supervisor_id};
pub(crate) use roles::{FakeBlobs, FakePresence, FakeQueueing, FakeRouting};
pub(crate) use sessions::FakeSessions;

use crate::deps::GatewayDeps;
use crate::server::{Gateway, Running};
use crate::settings::{Settings, TokenAlgorithm, TokenKey};
use crate::tokens::{Grant, Tokens};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_bus::LocalBus;
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::time::{Millis, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// A running gateway and what stands around it.
pub(crate) struct World {
    pub(crate) gateway: Running,
    pub(crate) sessions: Arc<FakeSessions>,
    pub(crate) presence: Arc<FakePresence>,
    pub(crate) desk: Arc<FakeDesk>,
    tokens: Tokens,
}

/// The site of all tests.
pub(crate) fn site() -> SiteId {
    "demo".parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn key() -> TokenKey {
    TokenKey {
        kid: "test".into(),
        algorithm: TokenAlgorithm::Hs256,
        secret: STANDARD.encode([7; 32]),
        public: String::new(),
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            keys: vec![key()],
            ..Settings::default()
        };
        change(&mut settings);
        let bus = Arc::new(LocalBus::new());
        let sessions = Arc::new(FakeSessions::new(bus.clone()));
        let presence = Arc::new(FakePresence::default());
        let desk = Arc::new(FakeDesk::default());
        let deps = GatewayDeps {
            sessions: sessions.clone(),
            presence: presence.clone(),
            queueing: Arc::new(FakeQueueing),
            routing: Arc::new(FakeRouting { sessions: sessions.clone() }),
            desk: desk.clone(),
            bus,
            blobs: Arc::new(FakeBlobs::default()),
            node_id: "gateway-1".parse().unwrap(),
            rejoined: tokio::sync::watch::channel(0).1,
            metrics_render: Arc::new(|| "metrics 1\n".to_owned()),
            readiness: Arc::new(|| Box::pin(async { Ok(()) })),
            clock: Arc::new(now),
        };
        let gateway = Gateway::start(settings, deps).await.unwrap();
        Self { gateway, sessions, presence, desk, tokens: Tokens::new(&[key()]).unwrap() }
    }

    /// A token for anybody.
    pub(crate) fn token(&self, role: Role, id: Uuid) -> String {
        self.token_until(role, id, Millis::from_mins(60))
    }

    pub(crate) fn token_until(&self, role: Role, id: Uuid, life: Millis) -> String {
        let who = Principal { site: site(), role, id, name: "".into() };
        let grant = Grant { who: &who, attributes: &BTreeMap::new(), generation: 0 };
        self.tokens.issue(grant, now(), life).unwrap().token
    }

    /// A token for the agent, of a generation.
    pub(crate) fn agent_of(&self, generation: u32) -> String {
        let id = agent_id().as_uuid();
        let who = Principal { site: site(), role: Role::Agent, id, name: "".into() };
        let grant = Grant { who: &who, attributes: &BTreeMap::new(), generation };
        self.tokens.issue(grant, now(), Millis::from_mins(60)).unwrap().token
    }

    pub(crate) fn visitor(&self) -> String {
        self.token(Role::Visitor, Uuid::now_v7())
    }

    pub(crate) fn agent(&self) -> String {
        self.token(Role::Agent, agent_id().as_uuid())
    }

    pub(crate) fn supervisor(&self) -> String {
        self.token(Role::Supervisor, supervisor_id().as_uuid())
    }
}
