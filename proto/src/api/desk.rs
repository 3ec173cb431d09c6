//! The role that keeps configuration and accounts.

use super::ApiError;
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, QueueId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a queue works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueConfig {
    /// Its name.
    pub id: QueueId,
    /// Head start in minutes of waiting.
    pub priority_minutes: u32,
    /// Slots of an agent that one chat takes.
    pub weight: u32,
    /// How long an agent has to answer an offer.
    pub offer_timeout: Millis,
    /// How long the slots stay taken after a chat.
    pub wrap_up: Millis,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteConfig {
    /// Its name.
    pub id: SiteId,
    /// Name to show.
    pub title: String,
    /// Public key of the widget: `pk_` and 24 or more characters.
    pub key: String,
    /// Origins (`https://shop.example`) whose pages may carry the widget; `*`
    /// allows all.
    pub allowed_origins: Vec<String>,
    /// Queue of conversations that name none; one of `queues`.
    pub default_queue: QueueId,
    /// At least one.
    pub queues: Vec<QueueConfig>,
}

/// An agent's or supervisor's account, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAccount {
    /// Its id.
    pub id: AgentId,
    /// The tenant.
    pub site: SiteId,
    /// Unique within the site, in lower case.
    pub email: String,
    /// `Agent` or `Supervisor`.
    pub role: Role,
    /// Name, capacity, queues.
    pub profile: AgentProfile,
    /// Disabled accounts cannot sign in and their tokens are refused.
    pub disabled: bool,
}

/// An uploaded file; its bytes lie in the attachment store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRecord {
    /// Its id.
    pub id: AttachmentId,
    /// The tenant.
    pub site: SiteId,
    /// The conversation it was uploaded to.
    pub conversation: ConversationId,
    /// File name without path parts, at most 200 bytes.
    pub name: String,
    /// Found by looking at the bytes.
    pub media_type: String,
    /// Bytes.
    pub size: u32,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// The role that keeps configuration and accounts.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// A site by the public key of its widget.
    async fn site_by_key(&self, key: &str) -> Result<Option<Arc<SiteConfig>>, ApiError>;

    /// A site by name.
    async fn site(&self, site: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError>;

    /// All sites.
    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError>;

    /// Checks a password. `Unauthenticated` says nothing of whether the site,
    /// the address or the password was wrong, and takes as long for each.
    async fn sign_in(
        &self,
        site: &str,
        email: &str,
        password: &str,
    ) -> Result<AgentAccount, ApiError>;

    /// An account.
    async fn agent(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError>;

    /// Records an uploaded file.
    async fn add_attachment(&self, record: AttachmentRecord) -> Result<(), ApiError>;

    /// A file of a site.
    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError>;
}
