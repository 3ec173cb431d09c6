//! The other roles, in memory: the real conversation, presence and queue
//! machines behind the traits, with a fuse that lets routing die in the middle.

use crate::service::{Clock, Deps, RoutingService, Running, start};
use crate::settings::RoutingSettings;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::{Bus, Published, Subscription};
use frontdesk_core::conversation::{Command, Conversation, Outcome, StartRequest, Summary};
use frontdesk_core::ids::{
    AgentId, AttachmentId, ConnectionId, ConversationId, NodeId, QueueId, SiteId,
};
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_core::presence::{
    Action, AgentKey, AgentProfile, AgentStatus, AgentView, Command as PresenceCommand, NodeRole,
    PresenceState, Reply, RequestId, incarnation_id,
};
use frontdesk_core::queue::{Board, Entry, Terms};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::*;
use frontdesk_proto::internal::{AgentNotice, DeliveryBatch, delivery::Kind};
use frontdesk_proto::v1::{ServerFrame, server_frame::Frame};
use prost::Message as _;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(super) const OFFER_SECS: u64 = 20;
pub(super) const WRAP_UP_SECS: u64 = 30;
const TERMS: Terms = Terms {
    priority_minutes: 0,
    weight: 1,
};

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
    Principal {
        site: site(),
        role,
        id: Uuid::from_u128(id),
        name: "".into(),
    }
}

fn gateway() -> NodeId {
    incarnation_id("gw", 1).unwrap()
}

struct Inner {
    conversations: BTreeMap<ConversationId, Conversation>,
    presence: PresenceState,
    log: u64,
    board: Board,
    published: Vec<AgentNotice>,
    /// Steps that may still happen; then routing hangs as if it had died.
    fuse: Option<usize>,
    router: Option<Arc<RoutingService>>,
    /// Observations are lost on their way.
    is_deaf: bool,
}

pub(super) struct World {
    inner: Mutex<Inner>,
    presence: broadcast::Sender<PresenceChange>,
    queues: broadcast::Sender<QueueChange>,
    began: Instant,
    config: Arc<SiteConfig>,
    /// For futures that outlive the borrow of a trait's `&self`.
    itself: Weak<Self>,
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        let queue = QueueConfig {
            id: sales(),
            priority_minutes: 0,
            weight: 1,
            offer_timeout: Millis::from_secs(OFFER_SECS),
            wrap_up: Millis::from_secs(WRAP_UP_SECS),
        };
        let config = SiteConfig {
            id: site(),
            title: String::new(),
            key: String::new(),
            allowed_origins: vec![],
            default_queue: sales(),
            queues: vec![queue],
        };
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
        let join = Action::JoinNode {
            node: gateway(),
            role: NodeRole::Gateway,
        };
        world.decree(join).unwrap();
        world
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
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
    async fn gate(&self) {
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
            self.decree(Action::Expire).unwrap();
        }
    }

    /// Lets everything that can happen now happen.
    pub(super) async fn calm(&self) {
        sleep(Duration::from_millis(20)).await;
    }

    fn decree(&self, action: Action) -> Result<(), ApiError> {
        let mut inner = self.lock();
        inner.log += 1;
        let (index, now) = (inner.log, self.now());
        let request = RequestId::from_uuid(Uuid::now_v7());
        let applied = inner.presence.apply(
            index,
            PresenceCommand {
                request,
                now,
                action,
            },
        );
        drop(inner);
        for agent in applied.agents {
            let _ = self.presence.send(PresenceChange { agent });
        }
        match applied.reply {
            Reply::Refused(why) => Err(ApiError::State(why.to_string())),
            _ => Ok(()),
        }
    }

    pub(super) fn connect(&self, id: u128, capacity: u32) {
        let profile = AgentProfile {
            name: "".into(),
            capacity,
            queues: vec![],
            supervisor: false,
        };
        let connection = ConnectionId::from_uuid(Uuid::from_u128(id));
        let (key, gateway) = (key(id), gateway());
        self.decree(Action::Connect {
            key,
            profile,
            gateway,
            connection,
        })
        .unwrap();
        self.set_agent_status(id, AgentStatus::Online);
    }

    pub(super) fn disconnect(&self, id: u128) {
        let connection = ConnectionId::from_uuid(Uuid::from_u128(id));
        let action = Action::Disconnect {
            key: key(id),
            gateway: gateway(),
            connection,
        };
        self.decree(action).unwrap();
    }

    pub(super) fn set_agent_status(&self, id: u128, status: AgentStatus) {
        let reason = "".into();
        self.decree(Action::SetStatus {
            key: key(id),
            status,
            reason,
        })
        .unwrap();
    }

    /// A visitor opens the conversation with that number.
    pub(super) async fn open(&self, id: u128) {
        let start = StartRequest {
            queue: sales(),
            attributes: BTreeMap::new(),
            page: "".into(),
            language: "".into(),
            first_message: None,
        };
        let origin = Origin::Client(principal(Role::Visitor, id));
        let opened = Conversation::open(
            conversation_id(id),
            &origin,
            &Command::Start(start),
            self.now(),
        );
        let conversation = opened.unwrap().0;
        let summary = Arc::new(conversation.summary());
        self.lock()
            .conversations
            .insert(conversation_id(id), conversation);
        self.committed(summary).await;
    }

    /// A client does something, past the fuse.
    pub(super) async fn client(&self, role: Role, id: u128, conversation: u128, command: Command) {
        let origin = Origin::Client(principal(role, id));
        let conversation = conversation_id(conversation);
        self.commit(Envelope {
            conversation,
            origin,
            command,
        })
        .await
        .unwrap();
    }

    async fn commit(&self, envelope: Envelope) -> Result<Outcome, ApiError> {
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
            let _ = self.queues.send(QueueChange {
                queue: QueueKey {
                    site: site(),
                    queue,
                },
            });
        }
        if let Some(router) = router {
            let _ = router.observe(vec![summary]).await;
        }
    }

    pub(super) fn summary_of(&self, id: u128) -> Summary {
        self.lock().conversations[&conversation_id(id)].summary()
    }

    pub(super) fn summaries(&self) -> Vec<Summary> {
        self.lock()
            .conversations
            .values()
            .map(Conversation::summary)
            .collect()
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
        notices
            .into_iter()
            .map(|n| (frame(&n.frame), n.assigned_conversation.to_vec()))
            .collect()
    }
}

fn key(id: u128) -> AgentKey {
    AgentKey {
        site: site(),
        agent: agent_id(id),
    }
}

#[async_trait]
impl Presence for World {
    async fn connect(&self, _: AgentConnect) -> Result<AgentView, ApiError> {
        unreachable!("routing connects nobody")
    }
    async fn disconnect(
        &self,
        _: &SiteId,
        _: AgentId,
        _: &NodeId,
        _: ConnectionId,
    ) -> Result<(), ApiError> {
        unreachable!("routing disconnects nobody")
    }
    async fn set_status(
        &self,
        _: &SiteId,
        _: AgentId,
        _: AgentStatus,
        _: &str,
    ) -> Result<AgentView, ApiError> {
        unreachable!("routing sets no status")
    }
    async fn reserve(&self, r: ReserveRequest) -> Result<(), ApiError> {
        self.gate().await;
        let done = self.decree(Action::Reserve {
            key: AgentKey {
                site: r.site,
                agent: r.agent,
            },
            conversation: r.conversation,
            weight: r.weight,
            expires_at: r.expires_at,
        });
        self.gate().await;
        done
    }
    async fn confirm(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        self.gate().await;
        let key = AgentKey {
            site: site.clone(),
            agent,
        };
        let done = self.decree(Action::Confirm { key, conversation });
        self.gate().await;
        done
    }
    async fn release(
        &self,
        site: &SiteId,
        agent: AgentId,
        conversation: ConversationId,
        wrap_up: Millis,
    ) -> Result<(), ApiError> {
        self.gate().await;
        let key = AgentKey {
            site: site.clone(),
            agent,
        };
        let done = self.decree(Action::Release {
            key,
            conversation,
            wrap_up,
        });
        self.gate().await;
        done
    }
    async fn agent(&self, site: &SiteId, agent: AgentId) -> Result<Option<AgentView>, ApiError> {
        let key = AgentKey {
            site: site.clone(),
            agent,
        };
        Ok(self
            .lock()
            .presence
            .agent(&key)
            .map(|view| view.as_ref().clone()))
    }
    async fn agents(&self, _: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        Ok(self.views())
    }
    fn subscribe(&self) -> broadcast::Receiver<PresenceChange> {
        self.presence.subscribe()
    }
}

#[async_trait]
impl Sessions for World {
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        let world = self.itself.upgrade().unwrap();
        Box::pin(async move {
            world.gate().await;
            let done = world.commit(envelope).await;
            world.gate().await;
            done
        })
    }
    async fn attach(&self, _: Attach) -> Result<Attached, ApiError> {
        unreachable!("routing attaches nobody")
    }
    async fn detach(&self, _: &NodeId, _: ConversationId) {}
    async fn history(&self, _: HistoryQuery) -> Result<EventPage, ApiError> {
        unreachable!("routing reads no history")
    }
    async fn summary(
        &self,
        conversation: ConversationId,
        _: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        let inner = self.lock();
        let found = inner.conversations.get(&conversation);
        found
            .map(Conversation::summary)
            .ok_or_else(|| ApiError::NotFound("conversation".into()))
    }
    async fn list(
        &self,
        _: Option<&SiteId>,
        _: ListFilter,
        _: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        use frontdesk_core::conversation::Phase;
        let is_open = |s: &Summary| !matches!(s.phase, Phase::Closed { .. });
        Ok(self.summaries().into_iter().filter(is_open).collect())
    }
    fn hint(&self, _: ConversationId, _: bool, _: Bytes) {}
}

#[async_trait]
impl WorkObserver for World {
    async fn observe(&self, _: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        Ok(())
    }
}

#[async_trait]
impl Queueing for World {
    async fn waiting(&self, queue: &QueueKey, limit: u32) -> Result<Vec<Entry>, ApiError> {
        let inner = self.lock();
        Ok(inner
            .board
            .waiting(&queue.queue)
            .take(limit as usize)
            .cloned()
            .collect())
    }
    async fn active(&self) -> Result<Vec<QueueKey>, ApiError> {
        let inner = self.lock();
        let key = |queue: &QueueId| QueueKey {
            site: site(),
            queue: queue.clone(),
        };
        Ok(inner.board.active().map(key).collect())
    }
    async fn queues(&self, _: &SiteId) -> Result<Vec<QueueView>, ApiError> {
        unreachable!("routing shows no queues")
    }
    async fn position(
        &self,
        _: &SiteId,
        _: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError> {
        unreachable!("routing shows no positions")
    }
    fn subscribe(&self) -> broadcast::Receiver<QueueChange> {
        self.queues.subscribe()
    }
}

#[async_trait]
impl Desk for World {
    async fn site_by_key(&self, _: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(None)
    }
    async fn site(&self, _: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok(Some(self.config.clone()))
    }
    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        Ok(vec![self.config.clone()])
    }
    async fn sign_in(&self, _: &str, _: &str, _: &str) -> Result<AgentAccount, ApiError> {
        unreachable!("routing signs nobody in")
    }
    async fn agent(&self, _: &SiteId, _: AgentId) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        Ok(None)
    }
    async fn add_attachment(&self, _: AttachmentRecord) -> Result<(), ApiError> {
        unreachable!("routing stores no files")
    }
    async fn attachment(
        &self,
        _: &SiteId,
        _: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        Ok(None)
    }
}

impl Bus for World {
    fn publish(&self, _: &NodeId, payload: Bytes) -> Published {
        let batch = DeliveryBatch::decode(payload).unwrap();
        let notices = batch.deliveries.into_iter().filter_map(|d| match d.kind {
            Some(Kind::Agent(notice)) => Some(notice),
            _ => None,
        });
        self.lock().published.extend(notices);
        Published::Accepted
    }
    fn subscribe(&self, _: NodeId) -> Box<dyn Subscription> {
        unreachable!("routing does not listen")
    }
}
