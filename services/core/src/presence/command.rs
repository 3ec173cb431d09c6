//! What can be asked of the presence state, and what it answers.

use super::claim::Claim;
use super::nodes::NodeRole;
use super::placement::{Place, PlacedBy, Placement};
use super::view::{AgentProfile, AgentStatus, AgentView};
use crate::ids::{AgentId, ConnectionId, ConversationId, Epoch, NodeId, SiteId};
use crate::shard::ShardId;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Names one request for all its retries; chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Wraps a UUID that no other request has.
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }
}

/// An agent of a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AgentKey {
    /// The tenant.
    pub site: SiteId,
    /// The agent.
    pub agent: AgentId,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Under which the outcome is remembered.
    pub request: RequestId,
    /// The leader's time when it was proposed.
    pub now: Timestamp,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Only lets time pass; proposed when a deadline has come.
    Expire,
    /// A node takes part in a role. Older incarnations of it are dead.
    JoinNode {
        /// The node, named by `incarnation_id`.
        node: NodeId,
        /// What it does; a node of several roles joins once for each.
        role: NodeRole,
        /// `host:port` for the others; empty within one process.
        #[serde(default = "nowhere")]
        address: Arc<str>,
    },
    /// A node gets no more shards.
    DrainNode {
        /// The node.
        node: NodeId,
    },
    /// A node is dead or has left: its agents' connections are gone. Its shards
    /// stay with it until they are assigned anew.
    RemoveNode {
        /// The node.
        node: NodeId,
    },
    /// Gives shards to a node, each with a new epoch, whoever had them.
    AssignShards {
        /// Of which role.
        #[serde(default = "sessions")]
        role: NodeRole,
        /// Which.
        shards: Vec<ShardId>,
        /// To a live node of the role.
        node: NodeId,
    },
    /// Asks the owners of shards to finish and hand them on.
    MoveShards {
        /// Of which role.
        role: NodeRole,
        /// Which.
        shards: Vec<ShardId>,
        /// To a live node of the role; shards that it has already stay.
        to: NodeId,
        /// Whose wish it is. Without one it is the plan's, as before there were
        /// others.
        #[serde(default)]
        by: PlacedBy,
    },
    /// An owner has finished with shards that move: each goes to its next owner
    /// with a new epoch.
    ReleaseShards {
        /// Of which role.
        role: NodeRole,
        /// The owner.
        node: NodeId,
        /// Which, with the epoch under which it had them.
        shards: Vec<(ShardId, Epoch)>,
    },
    /// An agent's connection has opened at a node that has joined.
    Connect {
        /// The agent.
        key: AgentKey,
        /// What `desk` says of it; replaces what was known.
        profile: AgentProfile,
        /// The gateway.
        gateway: NodeId,
        /// The connection.
        connection: ConnectionId,
    },
    /// A connection has closed; harmless when it is not known.
    Disconnect {
        /// The agent.
        key: AgentKey,
        /// The gateway.
        gateway: NodeId,
        /// The connection.
        connection: ConnectionId,
    },
    /// Sets the status of a connected agent.
    SetStatus {
        /// The agent.
        key: AgentKey,
        /// The new status.
        status: AgentStatus,
        /// Why, at most `MAX_REASON_BYTES`.
        reason: Arc<str>,
    },
    /// Takes room for an offer, or renews it.
    Reserve {
        /// The agent.
        key: AgentKey,
        /// For which conversation.
        conversation: ConversationId,
        /// Slots, at least 1.
        weight: u32,
        /// When the room is free again unless it is confirmed.
        expires_at: Timestamp,
        /// What it counts for. Absent where nothing is counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim: Option<Claim>,
    },
    /// Keeps reserved room until it is released.
    Confirm {
        /// The agent.
        key: AgentKey,
        /// For which conversation.
        conversation: ConversationId,
    },
    /// Frees room; that of a chat only after the wrap-up.
    Release {
        /// The agent.
        key: AgentKey,
        /// For which conversation.
        conversation: ConversationId,
        /// How long the slots of a chat stay taken.
        wrap_up: Millis,
        /// The offer was not answered: the agent is away once it has missed so many in
        /// a row. Absent for any other end, and where that is not wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missed: Option<u32>,
    },
}

/// As joins were stored before nodes had addresses.
fn nowhere() -> Arc<str> {
    Arc::from("")
}

/// As assignments were stored before there were other roles.
fn sessions() -> NodeRole {
    NodeRole::Sessions
}

impl Action {
    /// A short, fixed name for logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Expire => "expire",
            Self::JoinNode { .. } => "join_node",
            Self::DrainNode { .. } => "drain_node",
            Self::RemoveNode { .. } => "remove_node",
            Self::AssignShards { .. } => "assign_shards",
            Self::MoveShards { .. } => "move_shards",
            Self::ReleaseShards { .. } => "release_shards",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::SetStatus { .. } => "set_status",
            Self::Reserve { .. } => "reserve",
            Self::Confirm { .. } => "confirm",
            Self::Release { .. } => "release",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.name(), self.request.0)
    }
}

/// Why a command did nothing. Final: the same command is refused again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The agent never connected.
    #[error("the agent is not known")]
    UnknownAgent,
    /// The node has not joined in that role, or is dead.
    #[error("the node has not joined")]
    UnknownNode,
    /// A newer incarnation of the node has joined.
    #[error("a newer incarnation of the node has joined")]
    StaleNode,
    /// The node leaves and gets no more shards.
    #[error("the node is draining")]
    Draining,
    /// The agent has no connection.
    #[error("the agent is not connected")]
    NotConnected,
    /// The agent is not online.
    #[error("the agent is not online")]
    NotOnline,
    /// The agent's free slots do not suffice.
    #[error("the agent has no room")]
    NoRoom,
    /// The agent has as many conversations of this queue as it may.
    #[error("the agent has as many conversations of this queue as it may")]
    QueueCap,
    /// There is no such reservation, nor is it remembered that there was.
    #[error("there is no such reservation")]
    NoReservation,
    /// The reservation would have expired already.
    #[error("the reservation has expired")]
    Expired,
    /// Capacity not within 1–100.
    #[error("capacity is not within 1 to 100")]
    BadCapacity,
    /// Weight not within 1–100.
    #[error("weight is not within 1 to 100")]
    BadWeight,
    /// Name, reason or list of queues over its limit.
    #[error("name, reason or queues are over their limit")]
    TooLong,
    /// Agents, connections or nodes at their limit.
    #[error("too many agents, connections or nodes")]
    Full,
}

/// The answer to a command; a retry is answered from the state it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done; nothing to show.
    Done,
    /// Done; the agent after it.
    Agent(Arc<AgentView>),
    /// Done; these shards are now placed so.
    Shards(Vec<(Place, Placement)>),
    /// Not done.
    Refused(Refusal),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Agent(agent) => write!(f, "agent {} r{}", agent.id, agent.revision),
            Self::Shards(shards) => write!(f, "{} shards", shards.len()),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

/// What applying one command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// For the caller.
    pub reply: Reply,
    /// Agents that changed, each once, as they are now.
    pub agents: Vec<Arc<AgentView>>,
    /// Shards that changed hands, or are about to.
    pub shards: Vec<(Place, Placement)>,
}
