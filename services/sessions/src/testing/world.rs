//! The role on doubles, and short names for what the tests say to it.

use super::{FakeJournal, RecordingBus, RecordingObserver};
use crate::{Clock, SessionsDeps, SessionsService, Settings};
use frontdesk_core::conversation::{Command, Conversation, Outcome, StartRequest};
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, NodeId, OfferId, Seq, VisitorId};
use frontdesk_core::party::{Origin, Participant, Principal, Role};
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, Attach, Attached, Envelope, ReplyFuture, Sessions as _};
use frontdesk_proto::convert::decode_event;
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// Follows the paused clock of the test.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.0.elapsed().as_millis() as u64)
    }
}

/// The role on doubles; owns all shards.
pub(crate) struct World {
    pub(crate) journal: Arc<FakeJournal>,
    pub(crate) bus: Arc<RecordingBus>,
    pub(crate) observer: Arc<RecordingObserver>,
    pub(crate) sessions: Arc<SessionsService>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::on(FakeJournal::start(), settings, 1).await
    }

    /// On a journal that may hold something already.
    pub(crate) async fn on(journal: Arc<FakeJournal>, settings: Settings, epoch: u64) -> Self {
        let bus = RecordingBus::new(journal.clone());
        let observer = Arc::new(RecordingObserver::default());
        let deps = SessionsDeps {
            journal: journal.clone(),
            bus: bus.clone(),
            observers: vec![observer.clone()],
            clock: Arc::new(TestClock(Instant::now())),
        };
        let owned: Vec<_> = ShardId::all().map(|shard| (shard, Epoch::new(epoch))).collect();
        let sessions = Arc::new(SessionsService::start(settings, &owned, deps).await.unwrap());
        Self { journal, bus, observer, sessions }
    }

    pub(crate) fn submit(
        &self,
        id: ConversationId,
        origin: impl Into<OriginArg>,
        command: Command,
    ) -> ReplyFuture {
        let OriginArg(origin) = origin.into();
        self.sessions.submit(Envelope { conversation: id, origin, command })
    }

    pub(crate) async fn say(&self, id: ConversationId, who: &Principal, key: &str) -> u32 {
        match self.submit(id, who, message(key)).await.unwrap() {
            Outcome::Sent { seq, .. } => seq.get(),
            Outcome::Done => panic!("a message has a seq"),
        }
    }

    pub(crate) async fn attach(
        &self,
        id: ConversationId,
        who: &Principal,
        cursor: u32,
    ) -> Result<Attached, ApiError> {
        let cursor = Seq::new(cursor);
        let request = Attach { conversation: id, who: who.clone(), gateway: gateway(), cursor };
        self.sessions.attach(request).await
    }

    /// Starts conversation `n` by visitor `n` and has agent 7 accept it.
    pub(crate) async fn assigned(&self, n: u128) -> ConversationId {
        let id = conversation(n);
        self.submit(id, &visitor(n), start()).await.unwrap();
        let offer = OfferId::from_uuid(Uuid::from_u128(n + 1));
        let ana = AgentId::from_uuid(agent(7).id);
        let expires_at = Timestamp::from_millis(u64::MAX);
        let offered = Command::Offer { offer, agent: Participant::agent(ana, "Ana"), expires_at };
        self.submit(id, Origin::System, offered).await.unwrap();
        self.submit(id, Origin::System, Command::Accept { offer, agent: ana }).await.unwrap();
        id
    }

    /// The conversation as the journal tells it.
    pub(crate) fn folded(&self, id: ConversationId) -> Option<Conversation> {
        let stored = self.journal.stored();
        let mut records = stored.records.get(&id)?.iter();
        let event =
            |r: &frontdesk_store::journal::Record| decode_event(&r.payload, r.prev_public).unwrap();
        let mut state = Conversation::from_first(&event(records.next()?))?;
        records.for_each(|record| state.apply(&event(record)));
        Some(state)
    }
}

/// So that tests may name a person where an origin is asked for.
pub(crate) struct OriginArg(Origin);

impl From<Origin> for OriginArg {
    fn from(origin: Origin) -> Self {
        Self(origin)
    }
}

impl From<&Principal> for OriginArg {
    fn from(who: &Principal) -> Self {
        Self(Origin::Client(who.clone()))
    }
}

pub(crate) fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(0xc000 + n))
}

pub(crate) fn visitor(n: u128) -> Principal {
    let id = VisitorId::from_uuid(Uuid::from_u128(0xa000 + n)).as_uuid();
    Principal { site: "demo".parse().unwrap(), role: Role::Visitor, id, name: "Vi".into() }
}

pub(crate) fn agent(n: u128) -> Principal {
    let id = AgentId::from_uuid(Uuid::from_u128(0xb000 + n)).as_uuid();
    Principal { site: "demo".parse().unwrap(), role: Role::Agent, id, name: "Ana".into() }
}

pub(crate) fn gateway() -> NodeId {
    "gateway-1".parse().unwrap()
}

pub(crate) fn start() -> Command {
    Command::Start(StartRequest {
        queue: "sales".parse().unwrap(),
        attributes: Default::default(),
        page: "https://shop.example/".into(),
        language: "en".into(),
        channel: None,
        consent: None,
        extra_minutes: 0,
        first_message: None,
    })
}

pub(crate) fn message(key: &str) -> Command {
    Command::Send {
        client_msg_id: key.parse().unwrap(),
        text: format!("text of {key}").into(),
        attachments: Vec::new(),
        after: None,
    }
}

/// Lets everything run that can without time passing.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
