//! Who takes part in a conversation, and on whose behalf a command comes.

use crate::ids::{AgentId, SiteId, VisitorId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Kind of participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A visitor of the site.
    Visitor,
    /// An agent.
    Agent,
    /// A supervisor.
    Supervisor,
    /// Frontdesk itself.
    System,
}

/// A participant as events name it. The nil UUID stands for the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Kind.
    pub party: Party,
    /// Visitor's or agent's id; nil for the system.
    pub id: Uuid,
    /// Name to show, at most 80 characters; may be empty.
    pub name: Arc<str>,
}

impl Participant {
    /// Frontdesk itself.
    pub fn system() -> Self {
        Self { party: Party::System, id: Uuid::nil(), name: Arc::from("") }
    }

    /// An agent.
    pub fn agent(id: AgentId, name: impl Into<Arc<str>>) -> Self {
        Self { party: Party::Agent, id: id.as_uuid(), name: name.into() }
    }

    /// A visitor.
    pub fn visitor(id: VisitorId, name: impl Into<Arc<str>>) -> Self {
        Self { party: Party::Visitor, id: id.as_uuid(), name: name.into() }
    }

    /// The agent's id when this is an agent or supervisor.
    pub fn agent_id(&self) -> Option<AgentId> {
        matches!(self.party, Party::Agent | Party::Supervisor).then(|| AgentId::from_uuid(self.id))
    }
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Own conversations, public events.
    Visitor,
    /// Conversations of the site that it has, had or is offered.
    Agent,
    /// Every conversation of the site.
    Supervisor,
}

/// An authenticated caller: who, with which rights, of which site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The tenant; every lookup is within it.
    pub site: SiteId,
    /// Rights.
    pub role: Role,
    /// Visitor's or agent's id.
    pub id: Uuid,
    /// Name to show.
    pub name: Arc<str>,
}

impl Principal {
    /// As events name this caller.
    pub fn participant(&self) -> Participant {
        let party = match self.role {
            Role::Visitor => Party::Visitor,
            Role::Agent => Party::Agent,
            Role::Supervisor => Party::Supervisor,
        };
        Participant { party, id: self.id, name: self.name.clone() }
    }

    /// Whether this is the visitor with that id.
    pub fn is_visitor(&self, id: VisitorId) -> bool {
        self.role == Role::Visitor && self.id == id.as_uuid()
    }

    /// The agent id of staff.
    pub fn agent_id(&self) -> Option<AgentId> {
        (self.role != Role::Visitor).then(|| AgentId::from_uuid(self.id))
    }
}

/// On whose behalf a command comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A client.
    Client(Principal),
    /// Routing, time-outs, reconcilers.
    System,
}

/// Who may see an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The visitor and the staff.
    Public,
    /// The staff only.
    Internal,
}

impl Audience {
    /// Whether a reader of this audience may see an event of the other.
    /// Staff read as `Internal` and see everything.
    pub fn may_see(self, event: Self) -> bool {
        self == Self::Internal || event == Self::Public
    }
}
