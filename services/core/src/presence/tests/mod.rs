//! The rules of presence one by one, and invariants over random logs.

mod agents;
mod caps;
mod placement;
mod properties;

use super::*;
use crate::ids::{AgentId, ConnectionId, ConversationId, NodeId};
use crate::time::{Millis, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

const START: u64 = 1_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn agent(n: u128) -> AgentKey {
    AgentKey {
        site: "acme".parse().expect("a slug"),
        agent: AgentId::from_uuid(Uuid::from_u128(n + 1)),
    }
}

fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n + 1))
}

fn connection(n: u128) -> ConnectionId {
    ConnectionId::from_uuid(Uuid::from_u128(n + 1))
}

fn gateway(name: &str, incarnation: u64) -> NodeId {
    incarnation_id(name, incarnation).expect("a slug")
}

fn profile(capacity: u32) -> AgentProfile {
    AgentProfile {
        name: Arc::from("Ann"),
        capacity,
        queues: Vec::new(),
        supervisor: false,
        ..AgentProfile::default()
    }
}

/// A state with a log that numbers its entries.
#[derive(Default)]
struct Log {
    state: PresenceState,
    index: u64,
}

impl Log {
    fn apply(&mut self, millis: u64, action: Action) -> Applied {
        let request = RequestId::from_uuid(Uuid::from_u128(u128::from(self.index) + 1));
        self.index += 1;
        self.state.apply(self.index, Command { request, now: at(millis), action })
    }

    /// An agent with this capacity, online over one connection at `gw`.
    fn online(capacity: u32) -> Self {
        let mut log = Self::default();
        log.apply(
            0,
            Action::JoinNode {
                node: gateway("gw", 1),
                role: NodeRole::Gateway,
                address: "".into(),
            },
        );
        log.connect(0, capacity, 0);
        log.status(0, AgentStatus::Online);
        log
    }

    fn connect(&mut self, millis: u64, capacity: u32, link: u128) -> Applied {
        self.apply(
            millis,
            Action::Connect {
                key: agent(0),
                profile: profile(capacity),
                gateway: gateway("gw", 1),
                connection: connection(link),
            },
        )
    }

    fn disconnect(&mut self, millis: u64, link: u128) -> Applied {
        self.apply(
            millis,
            Action::Disconnect {
                key: agent(0),
                gateway: gateway("gw", 1),
                connection: connection(link),
            },
        )
    }

    fn status(&mut self, millis: u64, status: AgentStatus) -> Applied {
        let reason = Arc::from("");
        self.apply(millis, Action::SetStatus { key: agent(0), status, reason })
    }

    fn reserve(&mut self, millis: u64, n: u128, weight: u32, until: u64) -> Reply {
        let (key, conversation) = (agent(0), conversation(n));
        let expires_at = at(until);
        self.apply(millis, Action::Reserve { key, conversation, weight, expires_at, claim: None })
            .reply
    }

    fn confirm(&mut self, millis: u64, n: u128) -> Reply {
        let (key, conversation) = (agent(0), conversation(n));
        self.apply(millis, Action::Confirm { key, conversation }).reply
    }

    fn release(&mut self, millis: u64, n: u128, wrap_up: Millis) -> Reply {
        let (key, conversation) = (agent(0), conversation(n));
        self.apply(millis, Action::Release { key, conversation, wrap_up, missed: None }).reply
    }

    fn expire(&mut self, millis: u64) -> Applied {
        self.apply(millis, Action::Expire)
    }

    fn view(&self) -> &AgentView {
        self.state.agent(&agent(0)).expect("the agent has connected")
    }
}
