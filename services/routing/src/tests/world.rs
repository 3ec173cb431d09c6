//! The other roles, in memory: the real conversation, presence and queue
//! machines behind the traits, with a fuse that lets routing die in the middle.

use crate::service::{Deps, RoutingService, Running, start};
use crate::settings::RoutingSettings;
use frontdesk_core::conversation::{Command, Conversation, Outcome, StartRequest, Summary};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, QueueId, SiteId};
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_core::presence::{
    Action, AgentKey, AgentProfile, AgentStatus, AgentView, Command as PresenceCommand, NodeRole,
    PresenceState, Reply, RequestId, incarnation_id,
};
use frontdesk_core::queue::{Board, Terms};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::*;
use frontdesk_proto::internal::AgentNotice;
use frontdesk_proto::v1::{ServerFrame, server_frame::Frame};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(super) const OFFER_SECS: u64 = 20;
pub(super) const WRAP_UP_SECS: u64 = 30;
const TERMS: Terms = Terms { priority_minutes: 0, weight: 1 };

pub(super) fn site() -> SiteId {
    "shop".parse().unwrap()
}

pub(super) fn sales() -> QueueId {
    "sales".parse().unwrap()
}

pub(super) fn agent_id(id: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(id))
}

pub(super) fn conversation_id(id: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(id))
}

pub(super) fn principal(role: Role, id: u128) -> Principal {
    Principal { site: site(), role, id: Uuid::from_u128(id), name: "".into() }
}

fn gateway() -> NodeId {
    incarnation_id("gw", 1).unwrap()
}

pub(super) struct Inner {
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) presence: PresenceState,
    log: u64,
    pub(super) board: Board,
    pub(super) published: Vec<AgentNotice>,
    /// Steps that may still happen; then routing hangs as if it had died.
    fuse: Option<usize>,
    router: Option<Arc<RoutingService>>,
    /// Observations are lost on their way.
    is_deaf: bool,
}

pub(super) struct World {
    inner: Mutex<Inner>,
    pub(super) presence: broadcast::Sender<PresenceChange>,
    pub(super) queues: broadcast::Sender<QueueChange>,
    began: Instant,
    pub(super) config: Arc<SiteConfig>,
    /// For futures that outlive the borrow of a trait's `&self`.
    pub(super) itself: Weak<Self>,
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        Self::with(|_| {})
    }

    /// With something configured otherwise.
    pub(super) fn with(change: impl FnOnce(&mut SiteConfig)) -> Arc<Self> {
        let queue = QueueConfig {
            offer_timeout: Millis::from_secs(OFFER_SECS),
            wrap_up: Millis::from_secs(WRAP_UP_SECS),
            ..QueueConfig::plain(sales())
        };
        let mut config = SiteConfig {
            id: site(),
            title: String::new(),
            key: String::new(),
            allowed_origins: vec![],
            default_queue: sales(),
            routes: vec![],
            queues: vec![queue],
            calendars: BTreeMap::new(),
            away_after_missed: None,
            privacy: Default::default(),
            bots: BTreeSet::new(),
        };
        change(&mut config);
        let world = Arc::new_cyclic(|itself| Self {
            inner: Mutex::new(Inner {
                conversations: BTreeMap::new(),
                presence: PresenceState::default(),
                log: 0,
                board: Board::default(),
                published: vec![],
                fuse: None,
                router: None,
                is_deaf: false,
            }),
            presence: broadcast::channel(256).0,
            queues: broadcast::channel(256).0,
            began: Instant::now(),
            config: Arc::new(config),
            itself: itself.clone(),
        });
        let join =
            Action::JoinNode { node: gateway(), role: NodeRole::Gateway, address: "".into() };
        world.decree(join);
        world
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000) + Millis::from(self.began.elapsed())
    }

    /// Starts routing anew; what was there is cut off wherever it is.
    pub(super) fn start_routing(self: &Arc<Self>) -> Running {
        let clock: Clock = {
            let world = self.clone();
            Arc::new(move || world.now())
        };
        let deps = Deps {
            sessions: self.clone(),
            presence: self.clone(),
            queueing: self.clone(),
            desk: self.clone(),
            bus: self.clone(),
            owned: frontdesk_actor::Ownership::everything(),
            clock,
        };
        let (service, running) = start(deps, &RoutingSettings::default());
        self.lock().router = Some(service);
        running
    }

    pub(super) fn routing(&self) -> Arc<RoutingService> {
        self.lock().router.clone().unwrap()
    }

    pub(super) fn set_fuse(&self, fuse: Option<usize>) {
        self.lock().fuse = fuse;
    }

    pub(super) fn set_deaf(&self, is_deaf: bool) {
        self.lock().is_deaf = is_deaf;
    }

    /// Every changing call passes here before and after it takes effect.
    pub(super) async fn gate(&self) {
        let blown = match &mut self.lock().fuse {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        };
        if blown {
            pending::<()>().await;
        }
    }

    /// Lets time pass, second by second, with presence's own deadlines.
    pub(super) async fn pass(&self, secs: u64) {
        for _ in 0..secs {
            sleep(Duration::from_secs(1)).await;
            self.decree(Action::Expire);
        }
    }

    /// Lets everything that can happen now happen.
    pub(super) async fn calm(&self) {
        sleep(Duration::from_millis(20)).await;
    }

    /// What presence answers to a command, at once.
    pub(super) fn reply(&self, action: Action) -> Reply {
        let mut inner = self.lock();
        inner.log += 1;
        let (index, now) = (inner.log, self.now());
        let request = RequestId::from_uuid(Uuid::now_v7());
        let applied = inner.presence.apply(index, PresenceCommand { request, now, action });
        drop(inner);
        for agent in applied.agents {
            let _ = self.presence.send(PresenceChange { agent });
        }
        applied.reply
    }

    /// Something that presence does not refuse.
    pub(super) fn decree(&self, action: Action) {
        let reply = self.reply(action);
        assert!(!matches!(reply, Reply::Refused(_)), "{reply}");
    }

    pub(super) fn connect(&self, id: u128, capacity: u32) {
        self.connect_as(id, AgentProfile { capacity, ..AgentProfile::default() });
    }

    pub(super) fn connect_as(&self, id: u128, profile: AgentProfile) {
        let connection = ConnectionId::from_uuid(Uuid::from_u128(id));
        let (key, gateway) = (key(id), gateway());
        self.decree(Action::Connect { key, profile, gateway, connection });
        self.set_agent_status(id, AgentStatus::Online);
    }

    pub(super) fn disconnect(&self, id: u128) {
        let connection = ConnectionId::from_uuid(Uuid::from_u128(id));
        let action = Action::Disconnect { key: key(id), gateway: gateway(), connection };
        self.decree(action);
    }

    pub(super) fn set_agent_status(&self, id: u128, status: AgentStatus) {
        let reason = "".into();
        self.decree(Action::SetStatus { key: key(id), status, reason });
    }

    /// Presence loses the room an agent holds for a conversation.
    pub(super) fn lose_room(&self, id: u128, conversation: u128) {
        let (conversation, wrap_up) = (conversation_id(conversation), Millis::ZERO);
        self.decree(Action::Release { key: key(id), conversation, wrap_up, missed: None });
    }

    /// A visitor opens the conversation with that number.
    pub(super) async fn open(&self, id: u128) {
        self.open_in(id, "").await;
    }

    /// The same, in a language.
    pub(super) async fn open_in(&self, id: u128, language: &str) {
        let start = StartRequest {
            queue: sales(),
            attributes: BTreeMap::new(),
            page: "".into(),
            language: language.into(),
            channel: None,
            consent: None,
            extra_minutes: 0,
            first_message: None,
        };
        let origin = Origin::Client(principal(Role::Visitor, id));
        let opened =
            Conversation::open(conversation_id(id), &origin, &Command::Start(start), self.now());
        let conversation = opened.unwrap().0;
        let summary = Arc::new(conversation.summary());
        self.lock().conversations.insert(conversation_id(id), conversation);
        self.committed(summary).await;
    }

    /// A client does something, past the fuse.
    pub(super) async fn client(&self, role: Role, id: u128, conversation: u128, command: Command) {
        let origin = Origin::Client(principal(role, id));
        let conversation = conversation_id(conversation);
        self.commit(Envelope { conversation, origin, command }).await.unwrap();
    }

    pub(super) async fn commit(&self, envelope: Envelope) -> Result<Outcome, ApiError> {
        let (summary, outcome) = {
            let mut inner = self.lock();
            let found = inner.conversations.get_mut(&envelope.conversation);
            let it = found.ok_or_else(|| ApiError::NotFound("conversation".into()))?;
            let step = it.step(&envelope.origin, &envelope.command, self.now())?;
            (Arc::new(it.summary()), step.outcome)
        };
        self.committed(summary).await;
        Ok(outcome)
    }

    async fn committed(&self, summary: Arc<Summary>) {
        let (change, router) = {
            let mut inner = self.lock();
            let router = inner.router.clone().filter(|_| !inner.is_deaf);
            (inner.board.observe(&summary, TERMS), router)
        };
        for queue in change.queues {
            let _ = self.queues.send(QueueChange { queue: QueueKey { site: site(), queue } });
        }
        if let Some(router) = router {
            let _ = router.observe(vec![summary]).await;
        }
    }

    pub(super) fn summary_of(&self, id: u128) -> Summary {
        self.lock().conversations[&conversation_id(id)].summary()
    }

    pub(super) fn summaries(&self) -> Vec<Summary> {
        self.lock().conversations.values().map(Conversation::summary).collect()
    }

    pub(super) fn view(&self, id: u128) -> Arc<AgentView> {
        self.lock().presence.agent(&key(id)).unwrap().clone()
    }

    pub(super) fn views(&self) -> Vec<Arc<AgentView>> {
        self.lock().presence.agents().cloned().collect()
    }

    /// What the agents were told since this was asked last.
    pub(super) fn told(&self) -> Vec<(Option<Frame>, Vec<u8>)> {
        let notices = std::mem::take(&mut self.lock().published);
        let frame = |bytes: &[u8]| ServerFrame::decode(bytes).unwrap().frame;
        notices.into_iter().map(|n| (frame(&n.frame), n.assigned_conversation.to_vec())).collect()
    }
}

fn key(id: u128) -> AgentKey {
    AgentKey { site: site(), agent: agent_id(id) }
}
