//! What roles ask each other, apart from the way of commands. New kinds may be
//! added; one that the other side does not know is answered `Unimplemented`.

use crate::MembershipChange;
use frontdesk_core::audit::{AuditEntry, AuditQuery, Author};
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, NodeId, OfferId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::presence::{Action, RequestId};
use frontdesk_proto::api::{
    AttachmentFilter, AttachmentRecord, ListFilter, Place, QueueKey, Vouched, Whence,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A question and the role it is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// For a voter: who is there.
    Presence(PresenceQuestion),
    /// For a voter: nodes, placement, the group itself.
    Cluster(ClusterQuestion),
    /// For an owner of conversations.
    Sessions(SessionsQuestion),
    /// For the keeper of a site's queues.
    Queueing(QueueingQuestion),
    /// For the router of a site.
    Routing(RoutingQuestion),
    /// For the desk.
    Desk(DeskQuestion),
    /// For whoever publishes to gateways; answered with `()`.
    FeedDirectly {
        /// Nothing reaches this gateway through the broker.
        gateway: NodeId,
    },
    /// For any process; answered with an `About`.
    About,
}

/// See `Presence`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceQuestion {
    /// Answered with a `Reply`; repeated with the same id it acts once.
    Propose {
        /// Names the request.
        request: RequestId,
        /// What to do.
        action: Action,
    },
    /// Answered with an `Option<AgentView>`, linearizably.
    Agent {
        /// The tenant.
        site: SiteId,
        /// The agent.
        agent: AgentId,
    },
    /// Answered with `Vec<AgentView>`, linearizably.
    Agents {
        /// `None`: of all sites.
        site: Option<SiteId>,
    },
}

/// What is asked of the group itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterQuestion {
    /// The node lives; answered with whether it has joined.
    Heartbeat {
        /// The node.
        node: NodeId,
    },
    /// Answered with a `ClusterView`, linearizably.
    View,
    /// Answered with a `GroupStatus` of the voter asked.
    Status,
    /// Answered with the voter's id.
    ChangeVoters(MembershipChange),
    /// Answered with the id of the voter at an address, if there is one.
    VoterAt {
        /// `host:port`.
        address: String,
    },
    /// Answered with a `Founding`, also by a founder that has no voter yet.
    Founding,
}

/// The parts of `Sessions` that are not hot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionsQuestion {
    /// Answered with a `Summary`.
    Summary {
        /// The conversation.
        conversation: ConversationId,
        /// `None`: the system.
        who: Option<Principal>,
    },
    /// Answered with `Vec<Summary>`.
    List {
        /// The tenant.
        site: Option<SiteId>,
        /// Which.
        filter: ListFilter,
        /// At most this many.
        limit: u32,
    },
    /// Answered with a `RecordPage`.
    Records {
        /// The tenant.
        site: SiteId,
        /// From here on.
        from: Place,
        /// At most this many.
        limit: u32,
    },
    /// Answered with a `SummaryPage`.
    Changed {
        /// The tenant, or everything that is open.
        site: Option<SiteId>,
        /// From here on.
        from: Place,
        /// At most this many.
        limit: u32,
    },
}

/// See `Queueing`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueingQuestion {
    /// Take note; answered with `()`.
    Observe(Vec<Arc<Summary>>),
    /// Answered with `Vec<WaitingEntry>`.
    Waiting {
        /// Of which queue.
        queue: QueueKey,
        /// At most this many.
        limit: u32,
    },
    /// Answered with `Vec<QueueKey>`: those of the node asked.
    Active,
    /// Answered with `Vec<QueueView>`.
    Queues {
        /// The tenant.
        site: SiteId,
    },
    /// Answered with `Option<QueuePosition>`.
    Position {
        /// The tenant.
        site: SiteId,
        /// The conversation.
        conversation: ConversationId,
    },
}

/// See `Routing`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutingQuestion {
    /// Take note; answered with `()`.
    Observe(Vec<Arc<Summary>>),
    /// Answered with `()`.
    Accept {
        /// The agent.
        who: Principal,
        /// The conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
    },
    /// Answered with `()`.
    Decline {
        /// The agent.
        who: Principal,
        /// The conversation.
        conversation: ConversationId,
        /// The offer.
        offer: OfferId,
        /// In the agent's words.
        reason: String,
    },
    /// Answered with `()`.
    TakeOver {
        /// The supervisor.
        who: Principal,
        /// The conversation.
        conversation: ConversationId,
    },
    /// Answered with `()`.
    Tell {
        /// The tenant.
        site: SiteId,
        /// Whom.
        agent: AgentId,
        /// What.
        frame: Vec<u8>,
    },
    /// Answered with a `Vec<ConversationId>`.
    GuestIn {
        /// The tenant.
        site: SiteId,
        /// Who takes part.
        agent: AgentId,
    },
    /// Answered with a `Vec<ConversationId>`.
    AskedIn {
        /// The tenant.
        site: SiteId,
        /// Who is asked for something.
        agent: AgentId,
    },
    /// Answered with an `Option<Explanation>`.
    Explain {
        /// The tenant.
        site: SiteId,
        /// The conversation.
        conversation: ConversationId,
    },
}

/// See `Desk`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskQuestion {
    /// Answered with `Option<SiteConfig>`.
    SiteByKey {
        /// Public key of the widget.
        key: String,
    },
    /// Answered with `Option<SiteConfig>`.
    Site {
        /// Its name.
        site: SiteId,
    },
    /// Answered with `Vec<SiteConfig>`.
    Sites,
    /// Answered with an `AgentAccount`.
    SignIn {
        /// As typed.
        site: String,
        /// As typed.
        email: String,
        /// As typed.
        password: Secret,
        /// Absent in what earlier versions ask.
        #[serde(default)]
        from: Option<Whence>,
    },
    /// Answered with an `AgentAccount`.
    SignInVouched(Vouched),
    /// Answered with an `Applied`.
    Apply {
        /// The tenant.
        site: SiteId,
        /// In YAML.
        document: String,
        /// Only say what it would change. Else it is refused: an earlier version asks so,
        /// which does not say who does it.
        dry_run: bool,
    },
    /// Answered with an `Applied`.
    ApplyBy {
        /// The tenant.
        site: SiteId,
        /// In YAML.
        document: String,
        /// Who puts it in force.
        by: Author,
    },
    /// Answered with an `EndedSessions`.
    EndSessions {
        /// The tenant.
        site: SiteId,
        /// Its id or address.
        account: String,
        /// Who ends them.
        by: Author,
    },
    /// Answered with an `Unbound`.
    Unbind {
        /// The tenant.
        site: SiteId,
        /// Its id or address.
        account: String,
        /// Who frees it.
        by: Author,
    },
    /// Answered with a `BTreeMap<AgentId, u32>`.
    Generations {
        /// The tenant.
        site: SiteId,
    },
    /// Add to the audit log; answered with `()`.
    Record(AuditEntry),
    /// Answered with an `AuditPage`.
    Audit(AuditQuery),
    /// Answered with `Option<AgentAccount>`.
    Agent {
        /// The tenant.
        site: SiteId,
        /// The agent.
        agent: AgentId,
    },
    /// Answered with `()`.
    AddAttachment(AttachmentRecord),
    /// Answered with `Vec<AttachmentRecord>`.
    Attachments {
        /// The tenant.
        site: SiteId,
        /// Which.
        filter: AttachmentFilter,
    },
    /// Answered with `()`.
    RemoveAttachments {
        /// The tenant.
        site: SiteId,
        /// The files.
        ids: Vec<AttachmentId>,
    },
    /// Answered with `Option<AttachmentRecord>`.
    Attachment {
        /// The tenant.
        site: SiteId,
        /// The file.
        id: AttachmentId,
    },
}

/// A text that is never printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What to be told of from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowQuestion {
    /// For a voter: nodes, placement, agents. Answered with `News`.
    Cluster,
    /// For a keeper of queues: answered with `Vec<QueueKey>`, those that changed.
    Queues,
}
