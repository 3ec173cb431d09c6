//! The other roles as lists that a test writes to.

use crate::service::{Deps, QueueingService, Running, start};
use crate::settings::QueueingSettings;
use frontdesk_actor::Ownership;
use frontdesk_core::conversation::{
    Command, Conversation, Event, StartRequest, Summary, TransferTarget, VisitorSeen,
};
use frontdesk_core::figures::{Fold, Record};
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::{AgentId, ConversationId, OfferId, QueueId, SiteId};
use frontdesk_core::party::{Origin, Participant, Principal, Role};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView};
use frontdesk_core::queue::{AlarmRule, Limits};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{PresenceChange, QueueKey};
use frontdesk_proto::v1::QueuePush;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::broadcast;
use tokio::time::Instant;
use uuid::Uuid;

pub(super) fn site() -> SiteId {
    "shop".parse().unwrap()
}

pub(super) fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

pub(super) fn key(name: &str) -> QueueKey {
    QueueKey { site: site(), queue: queue(name) }
}

pub(super) fn id(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn agent() -> Participant {
    Participant::agent(AgentId::from_uuid(Uuid::from_u128(10)), "Ann")
}

fn opened(n: u128, since: u64) -> (Conversation, Vec<Event>) {
    let start = StartRequest {
        queue: queue("sales"),
        attributes: BTreeMap::new(),
        page: "".into(),
        language: "".into(),
        channel: None,
        consent: None,
        extra_minutes: 0,
        first_message: None,
    };
    let (site, role, name) = (site(), Role::Visitor, "".into());
    let origin = Origin::Client(Principal { site, role, id: Uuid::from_u128(n), name });
    let opened = Conversation::open(id(n), &origin, &Command::Start(start), at(since));
    let (conversation, step) = opened.unwrap();
    (conversation, step.events)
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) agents: Vec<Arc<AgentView>>,
    pub(super) hints: Vec<QueuePush>,
    pub(super) is_away: bool,
    pub(super) head_start: u32,
    /// Of the queue `sales`; it aims at a minute.
    pub(super) alarms: Vec<AlarmRule>,
    /// Of every queue.
    pub(super) transfer_return: Option<Millis>,
    /// What owners say of their visitors.
    pub(super) visitor: Option<VisitorSeen>,
    /// How often one was asked how it is.
    pub(super) looks: usize,
    /// Of the queue `sales`.
    pub(super) limits: Limits,
    /// Of the queue `sales`.
    pub(super) hours: Option<Hours>,
    pub(super) records: Vec<Record>,
}

pub(super) struct World {
    inner: Mutex<Inner>,
    pub(super) presence: broadcast::Sender<PresenceChange>,
    began: Instant,
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            presence: broadcast::channel(16).0,
            began: Instant::now(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn start(self: &Arc<Self>) -> (Arc<QueueingService>, Running) {
        let deps = Deps {
            sessions: self.clone(),
            presence: self.clone(),
            desk: self.clone(),
            owned: Ownership::everything(),
            clock: {
                let world = self.clone();
                Arc::new(move || world.now())
            },
        };
        start(deps, &QueueingSettings::default())
    }

    /// As many seconds as have passed for the test, from 0 on.
    pub(super) fn now(&self) -> Timestamp {
        at(0) + Millis::from(self.began.elapsed())
    }

    pub(super) fn limit(&self, limits: Limits, hours: Option<Hours>) {
        let mut inner = self.lock();
        (inner.limits, inner.hours) = (limits, hours);
    }

    /// Of the queue `sales`.
    pub(super) fn alarms(&self, alarms: Vec<AlarmRule>, transfer_return: Option<Millis>) {
        let mut inner = self.lock();
        (inner.alarms, inner.transfer_return) = (alarms, transfer_return);
    }

    /// What owners say of their visitors from now on.
    pub(super) fn visitor(&self, seen: VisitorSeen) {
        self.lock().visitor = Some(seen);
    }

    /// How often a conversation was asked how it is.
    pub(super) fn looks(&self) -> usize {
        self.lock().looks
    }

    /// The visitor says something now, or the agent.
    pub(super) fn say(&self, n: u128, by_visitor: bool) {
        let now = self.now();
        let mut inner = self.lock();
        let it = inner.conversations.get_mut(&id(n)).unwrap();
        let (role, who) = match by_visitor {
            true => (Role::Visitor, Uuid::from_u128(n)),
            false => (Role::Agent, agent().id),
        };
        let who = Principal { site: site(), role, id: who, name: "".into() };
        let client_msg_id = now.as_millis().to_string().parse().unwrap();
        let (text, attachments, after) = ("hm".into(), vec![], None);
        let command = Command::Send { client_msg_id, text, attachments, after };
        it.step(&Origin::Client(who), &command, now).unwrap();
    }

    /// Its agent hands it on to another queue.
    pub(super) fn transfer(&self, n: u128, to: &str, now: u64) -> Arc<Summary> {
        let mut inner = self.lock();
        let it = inner.conversations.get_mut(&id(n)).unwrap();
        let role = Role::Agent;
        let who = Principal { site: site(), role, id: agent().id, name: "Ann".into() };
        let target = TransferTarget::Queue(queue(to));
        let command = Command::Transfer { target, note: "".into(), warm: false };
        it.step(&Origin::Client(who), &command, at(now)).unwrap();
        Arc::new(it.summary())
    }

    pub(super) fn latest(&self, n: u128) -> Arc<Summary> {
        Arc::new(self.lock().conversations[&id(n)].summary())
    }

    /// When somebody will be there, as visitors were told since this was asked last.
    pub(super) fn told_of_opening(&self) -> Vec<(ConversationId, Option<u64>)> {
        let hints = std::mem::take(&mut self.lock().hints);
        let opens = |h: &QueuePush| Some(h.opens_at.as_ref()?.seconds.unsigned_abs());
        hints.iter().map(|h| (h.conversation_id.parse().unwrap(), opens(h))).collect()
    }

    /// A conversation that waited since then, was taken and was closed, as it is recorded.
    pub(super) fn remember(&self, n: u128, [since, taken, closed]: [u64; 3]) {
        let (mut it, events) = opened(n, since);
        let mut fold = Fold::new(id(n));
        events.iter().for_each(|event| fold.apply(event));
        let offer = OfferId::from_uuid(Uuid::from_u128(n));
        let ask = Command::Offer { offer, agent: agent(), expires_at: at(taken + 20) };
        let accept = Command::Accept { offer, agent: agent().agent_id().unwrap() };
        for (command, now) in [(ask, taken), (accept, taken), (Command::Close, closed)] {
            let step = it.step(&Origin::System, &command, at(now)).unwrap();
            step.events.iter().for_each(|event| fold.apply(event));
        }
        self.lock().records.push(fold.finish());
    }

    /// A conversation that has waited since then.
    pub(super) fn open(&self, n: u128, since: u64) -> Arc<Summary> {
        let conversation = opened(n, since).0;
        let summary = Arc::new(conversation.summary());
        self.lock().conversations.insert(id(n), conversation);
        summary
    }

    pub(super) fn step(&self, n: u128, command: &Command, now: Timestamp) -> Arc<Summary> {
        let mut inner = self.lock();
        let it = inner.conversations.get_mut(&id(n)).unwrap();
        it.step(&Origin::System, command, now).unwrap();
        Arc::new(it.summary())
    }

    pub(super) fn offer(&self, n: u128, now: u64) -> Arc<Summary> {
        let offer = OfferId::from_uuid(Uuid::from_u128(n));
        let expires_at = at(now + 20);
        self.step(n, &Command::Offer { offer, agent: agent(), expires_at }, at(now))
    }

    pub(super) fn accept(&self, n: u128, now: u64) -> Arc<Summary> {
        let offer = OfferId::from_uuid(Uuid::from_u128(n));
        let agent = agent().agent_id().unwrap();
        self.step(n, &Command::Accept { offer, agent }, at(now))
    }

    pub(super) fn close(&self, n: u128, now: u64) -> Arc<Summary> {
        self.step(n, &Command::Close, at(now))
    }

    /// Its visitor ends it.
    pub(super) fn give_up(&self, n: u128, now: u64) {
        let mut inner = self.lock();
        let it = inner.conversations.get_mut(&id(n)).unwrap();
        let role = Role::Visitor;
        let who = Principal { site: site(), role, id: Uuid::from_u128(n), name: "".into() };
        it.step(&Origin::Client(who), &Command::Close, at(now)).unwrap();
    }

    pub(super) fn erase(&self, n: u128) {
        self.lock().conversations.remove(&id(n));
    }

    pub(super) fn set_away(&self, is_away: bool) {
        self.lock().is_away = is_away;
    }

    /// The priority of every queue, in minutes.
    pub(super) fn set_head_start(&self, minutes: u32) {
        self.lock().head_start = minutes;
    }

    pub(super) fn agent_comes(&self, capacity: u32, load: u32, revision: u64) {
        let view = Arc::new(AgentView {
            site: site(),
            id: agent().agent_id().unwrap(),
            profile: AgentProfile { name: "".into(), capacity, ..AgentProfile::default() },
            status: AgentStatus::Online,
            reason: "".into(),
            since: at(0),
            load,
            reservations: vec![],
            idle_since: at(0),
            assigned_at: at(0),
            missed: 0,
            gateways: vec![("gw-1".parse().unwrap(), 1)],
            revision,
        });
        self.lock().agents = vec![view.clone()];
        let _ = self.presence.send(PresenceChange { agent: view });
    }

    /// What visitors were told since this was asked last.
    pub(super) fn told(&self) -> Vec<(ConversationId, u32, bool)> {
        let hints = std::mem::take(&mut self.lock().hints);
        hints
            .into_iter()
            .map(|h| (h.conversation_id.parse().unwrap(), h.position, h.agents_online))
            .collect()
    }
}
