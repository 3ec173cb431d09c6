//! The role that brings conversations and agents together.

use super::ApiError;
use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, OfferId, QueueId, SiteId};
use frontdesk_core::matching::Trace;
use frontdesk_core::party::Principal;
use frontdesk_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Hears of conversations whose phase, queue, agent or place has changed, after
/// the commit. May miss some (a reconciler tells again) and may hear an older
/// one late: a summary whose `head` is lower than one heard before is ignored.
#[async_trait]
pub trait WorkObserver: Send + Sync + 'static {
    /// Takes note. `Unavailable` when full: the reconciler will tell again.
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError>;
}

/// An open offer as its agent sees it.
#[derive(Debug, Clone)]
pub struct OfferView {
    /// The conversation, in `Phase::Offered`.
    pub summary: Arc<Summary>,
}

/// The last decision about a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When it was made.
    pub at: Timestamp,
    /// Where the conversation waited.
    pub queue: QueueId,
    /// Since when.
    pub waiting_since: Timestamp,
    /// What was required and what came of each agent.
    pub trace: Trace,
}

/// The role that brings conversations and agents together.
#[async_trait]
pub trait Routing: WorkObserver {
    /// The agent takes an offer: its reservation is confirmed, then the
    /// conversation is assigned. Repeating it is harmless.
    async fn accept(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
    ) -> Result<(), ApiError>;

    /// The agent refuses; the conversation waits again at its old place.
    async fn decline(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
        reason: &str,
    ) -> Result<(), ApiError>;

    /// A supervisor becomes the agent who has the conversation, whoever has it or is
    /// asked: `State` when it is closed, or the supervisor is not online or has no room.
    /// Repeating it is harmless.
    async fn take_over(
        &self,
        who: &Principal,
        conversation: ConversationId,
    ) -> Result<(), ApiError>;

    /// Sends an encoded `ServerFrame` push to all connections of an agent; may be lost.
    async fn tell(&self, site: &SiteId, agent: AgentId, frame: Vec<u8>) -> Result<(), ApiError>;

    /// Open conversations of a site in which an agent takes part as a guest. May lag a
    /// little behind, and after a restart of this role for some seconds lack some.
    async fn guest_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError>;

    /// Open conversations of a site in which a colleague asks an agent to join or to look
    /// (`Summary::asked`). May lag and lack some as `guest_in`.
    async fn asked_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError>;

    /// The last decision about a conversation of a site; `None` when there was none,
    /// or it is forgotten: only the newest are kept, and not over a restart.
    async fn explain(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<Explanation>, ApiError>;
}
