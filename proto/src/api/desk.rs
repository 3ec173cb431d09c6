//! The role that keeps configuration and accounts.

use super::{ApiError, PasswordAttempt, Unbound, Vouched};
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditPlace, AuditQuery, Author};
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::{AgentId, AttachmentId, CalendarId, ConversationId, QueueId, SiteId};
use frontdesk_core::matching::Rules;
use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::privacy::Privacy;
use frontdesk_core::queue::{AlarmRule, Limits};
use frontdesk_core::routes::Route;
use frontdesk_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// How its conversations find an agent. Absent in what earlier versions say.
    #[serde(default)]
    pub rules: Arc<Rules>,
    /// When somebody is there, one of the site's calendars; always without.
    #[serde(default)]
    pub hours: Option<CalendarId>,
    /// How many may wait, how long, and what becomes of the others.
    #[serde(default)]
    pub limits: Limits,
    /// Within what one is to be served; the service level is measured against it.
    #[serde(default)]
    pub answer_within: Option<Millis>,
    /// What is done when something has been so for long. Absent in what earlier versions
    /// say.
    #[serde(default)]
    pub alarms: Vec<AlarmRule>,
    /// How long a transfer may wait to be taken before it comes back; always without.
    #[serde(default)]
    pub transfer_return: Option<Millis>,
}

impl QueueConfig {
    /// One that takes everything as it comes: of weight 1, half a minute to answer an
    /// offer, no wrap-up.
    pub fn plain(id: QueueId) -> Self {
        Self {
            id,
            priority_minutes: 0,
            weight: 1,
            offer_timeout: Millis::from_secs(30),
            wrap_up: Millis::ZERO,
            rules: Arc::default(),
            hours: None,
            limits: Limits::default(),
            answer_within: None,
            alarms: Vec::new(),
            transfer_return: None,
        }
    }
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
    /// Which queue a conversation goes to that names none: that of the first that
    /// holds. Absent in what earlier versions say.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Opening hours that queues may name.
    #[serde(default)]
    pub calendars: BTreeMap<CalendarId, Arc<Hours>>,
    /// Offers an agent may miss in a row before it is away; `None`: any number.
    #[serde(default)]
    pub away_after_missed: Option<u32>,
    /// What it keeps of visitors, and what they agree to.
    #[serde(default)]
    pub privacy: Privacy,
    /// Addresses of the accounts that are no person's: what they do is not the staff's
    /// in figures.
    #[serde(default)]
    pub bots: BTreeSet<String>,
}

impl SiteConfig {
    /// A queue of this name.
    pub fn queue(&self, id: &QueueId) -> Option<&QueueConfig> {
        self.queues.iter().find(|queue| queue.id == *id)
    }

    /// When somebody is there for a queue; `None`: always.
    pub fn hours(&self, queue: &QueueConfig) -> Option<&Arc<Hours>> {
        queue.hours.as_ref().and_then(|name| self.calendars.get(name))
    }
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
    /// Tokens of an earlier generation are refused. Absent in what earlier versions say.
    #[serde(default)]
    pub generation: u32,
}

/// An account whose sessions were ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSessions {
    /// Its id.
    pub agent: AgentId,
    /// Its address.
    pub email: String,
    /// Tokens of an earlier one are refused from now on.
    pub generation: u32,
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

/// What was wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
    /// In one line.
    pub reason: String,
}

/// An account that a document made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeAccount {
    /// To sign in with.
    pub email: String,
    /// Nobody can learn it afterwards.
    pub password: String,
}

impl std::fmt::Debug for MadeAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

/// What came of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Version of the site's configuration now.
    pub version: u64,
    /// What differs from before, a line each: `+` new, `-` gone, `~` changed.
    pub changes: Vec<String>,
    /// When there are any, nothing was changed.
    pub problems: Vec<Problem>,
    /// Accounts that were made.
    pub made: Vec<MadeAccount>,
}

/// A page of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<AuditPlace>,
}

/// Which files of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentFilter {
    /// Those uploaded to a conversation.
    OfConversation(ConversationId),
    /// Some of those uploaded before then, the oldest first.
    Before(Timestamp),
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
    /// Who is let in stands in the audit log before; who is not, once for each run of
    /// failures, and only where there is the account.
    async fn sign_in(&self, _: PasswordAttempt) -> Result<AgentAccount, ApiError>;

    /// The account of somebody for whom a provider has vouched: the one that is bound to
    /// who it is, or else the one with the address, which is bound then. `NotFound` when
    /// there is none and none is to be made, `Forbidden` when the one with the address is
    /// somebody else's, `Unauthenticated` when it is disabled.
    async fn sign_in_vouched(&self, _: Vouched) -> Result<AgentAccount, ApiError> {
        Err(ApiError::Unimplemented("this desk takes passwords only".into()))
    }

    /// An account.
    async fn agent(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError>;

    /// Puts a site's configuration, a document in YAML, in force, once it is in the
    /// audit log that this one does so; with nobody only says what that would change.
    /// `Unavailable` when somebody else changes it at the same time.
    async fn apply(
        &self,
        site: &SiteId,
        document: &str,
        by: Option<Author>,
    ) -> Result<Applied, ApiError>;

    /// Has all tokens of an account refused that were issued before, once it is in the
    /// audit log that this one does so. `account` is its id or its address.
    async fn end_sessions(
        &self,
        _: &SiteId,
        _account: &str,
        _: Author,
    ) -> Result<EndedSessions, ApiError> {
        Err(ApiError::Unimplemented("sessions cannot be ended here".into()))
    }

    /// Frees an account of whom a provider knows it was bound to and signs it out
    /// everywhere, once it is in the audit log that this one does so. `account` is its id
    /// or its address.
    async fn unbind(&self, _: &SiteId, _account: &str, _: Author) -> Result<Unbound, ApiError> {
        Err(ApiError::Unimplemented("accounts cannot be unbound here".into()))
    }

    /// The generations of a site's accounts that are above 0. Asked every few seconds by
    /// each gateway with staff of the site.
    async fn generations(&self, _: &SiteId) -> Result<Arc<BTreeMap<AgentId, u32>>, ApiError> {
        Ok(Arc::default())
    }

    /// Adds to the audit log, before what it says is carried out. Repeating an entry is
    /// harmless. A desk that keeps no log refuses, and with it what was to be done.
    async fn record(&self, _: AuditEntry) -> Result<(), ApiError> {
        Err(ApiError::Unimplemented("no audit log is kept here".into()))
    }

    /// Reads the audit log.
    async fn audit(&self, _: AuditQuery) -> Result<AuditPage, ApiError> {
        Err(ApiError::Unimplemented("no audit log is kept here".into()))
    }

    /// Records an uploaded file.
    async fn add_attachment(&self, record: AttachmentRecord) -> Result<(), ApiError>;

    /// A file of a site.
    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError>;

    /// Files of a site.
    async fn attachments(
        &self,
        _site: &SiteId,
        _filter: AttachmentFilter,
    ) -> Result<Vec<AttachmentRecord>, ApiError> {
        Err(ApiError::Unimplemented("files are not listed here".into()))
    }

    /// Forgets files of a site; their bytes have been removed.
    async fn remove_attachments(
        &self,
        _site: &SiteId,
        _ids: Vec<AttachmentId>,
    ) -> Result<(), ApiError> {
        Err(ApiError::Unimplemented("files are not forgotten here".into()))
    }
}
