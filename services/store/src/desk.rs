//! The desk's tables as a contract: sites, accounts, metadata of uploaded files, the
//! audit log.
//!
//! Values are typed but not judged: the desk role decides what a valid title,
//! address or password is.

use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery};
use frontdesk_core::hours::Hours;
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AttachmentId, CalendarId, ConversationId, QueueId, SiteId};
use frontdesk_core::language::Language;
use frontdesk_core::matching::Rules;
use frontdesk_core::privacy::Privacy;
use frontdesk_core::queue::{AlarmRule, Limits};
use frontdesk_core::routes::Route;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskStoreError {
    /// Somebody else changed it first; read it again.
    #[error("{what} is at version {version} by now")]
    Stale {
        /// What.
        what: &'static str,
        /// The version there is; 0 when there is none.
        version: u64,
    },
    /// The name, key or address is taken.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// There is no such thing.
    #[error("no such {0}")]
    Missing(&'static str),
    /// The database is away, full or overloaded; try again.
    #[error("desk store unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be understood; a defect or a damaged file.
    #[error("desk store damaged: {0}")]
    Damaged(String),
}

/// Settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredQueue {
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
    /// How its conversations find an agent. Absent in what earlier versions stored.
    #[serde(default)]
    pub rules: Rules,
    /// One of the site's calendars; always open without.
    #[serde(default)]
    pub hours: Option<CalendarId>,
    /// How many may wait, how long, and what becomes of the others.
    #[serde(default)]
    pub limits: Limits,
    /// Within what one is to be served; the service level is measured against it.
    #[serde(default)]
    pub answer_within: Option<Millis>,
    /// What is done when something has been so for long.
    #[serde(default)]
    pub alarms: Vec<AlarmRule>,
    /// How long a transfer may wait to be taken before it comes back; always without.
    #[serde(default)]
    pub transfer_return: Option<Millis>,
}

impl StoredQueue {
    /// One that takes everything as it comes: of weight 1, half a minute to answer an
    /// offer, no wrap-up.
    pub fn plain(id: QueueId) -> Self {
        Self {
            id,
            priority_minutes: 0,
            weight: 1,
            offer_timeout: Millis::from_secs(30),
            wrap_up: Millis::ZERO,
            rules: Rules::default(),
            hours: None,
            limits: Limits::default(),
            answer_within: None,
            alarms: Vec::new(),
            transfer_return: None,
        }
    }
}

/// Settings of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSite {
    /// Its name; never changes.
    pub id: SiteId,
    /// Name to show.
    pub title: String,
    /// Public key of the widget; unique among all sites.
    pub key: String,
    /// Origins whose pages may carry the widget.
    pub allowed_origins: Vec<String>,
    /// One of `queues`.
    pub default_queue: QueueId,
    /// At least one.
    pub queues: Vec<StoredQueue>,
    /// Which queue a conversation goes to that names none: that of the first that
    /// holds. Absent in what earlier versions stored.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Opening hours that queues may name.
    #[serde(default)]
    pub calendars: BTreeMap<CalendarId, Hours>,
    /// Offers an agent may miss in a row before it is away; `None`: any number.
    #[serde(default)]
    pub away_after_missed: Option<u32>,
    /// What it keeps of visitors, and what they agree to.
    #[serde(default)]
    pub privacy: Privacy,
    /// Addresses of the accounts that are no person's.
    #[serde(default)]
    pub bots: BTreeSet<String>,
}

/// A value and how often it has been changed: 1 when new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Goes up by one with each change.
    pub version: u64,
    /// The value.
    pub value: T,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Carries chats.
    Agent,
    /// Sees every conversation of the site, and may carry chats.
    Supervisor,
}

/// What accounts have that the first versions did not know. Stored as one document,
/// whose fields are only ever added to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountDetails {
    /// Languages it speaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// Most conversations of a queue that it has at once, where it says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub caps: BTreeMap<QueueId, u32>,
}

/// Which files of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentQuery {
    /// Those uploaded to a conversation.
    OfConversation(ConversationId),
    /// Those uploaded before then, the oldest first, at most so many.
    Before(Timestamp, u32),
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its id.
    pub id: AgentId,
    /// The tenant.
    pub site: SiteId,
    /// In lower case; unique within the site.
    pub email: String,
    /// What it may do.
    pub kind: AccountKind,
    /// Name to show.
    pub name: String,
    /// Slots for chats.
    pub capacity: u32,
    /// Queues it serves, those it serves first coming first; empty for all of the site.
    pub queues: Vec<QueueId>,
    /// What it is good at.
    pub skills: Skills,
    /// What was added later.
    pub details: AccountDetails,
    /// Cannot sign in.
    pub disabled: bool,
    /// PHC string.
    pub password_hash: String,
    /// Goes up when all its tokens are to be refused; each says which it was made under.
    /// 0 when new. Only the store changes it: a change that is based on an older reading
    /// never takes it back.
    pub generation: u32,
}

/// An uploaded file; its bytes lie in an `AttachmentStore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttachment {
    /// Its id.
    pub id: AttachmentId,
    /// The tenant.
    pub site: SiteId,
    /// The conversation it was uploaded to.
    pub conversation: ConversationId,
    /// File name to show.
    pub name: String,
    /// Found by looking at the bytes.
    pub media_type: String,
    /// Bytes.
    pub size: u32,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// The desk's tables. Text may hold any character but NUL, which a title alone may
/// have; looking for text with a NUL finds nothing.
#[async_trait]
pub trait DeskStore: Send + Sync + 'static {
    /// All sites, by name.
    async fn sites(&self) -> Result<Vec<Versioned<StoredSite>>, DeskStoreError>;

    /// A site by name.
    async fn site(&self, id: &SiteId) -> Result<Option<Versioned<StoredSite>>, DeskStoreError>;

    /// A site by the public key of its widget.
    async fn site_by_key(&self, key: &str)
    -> Result<Option<Versioned<StoredSite>>, DeskStoreError>;

    /// Stores a site that is at `expected_version` (0 for a new one) and gives
    /// its new version.
    ///
    /// # Errors
    /// `Stale` when it is at another version, `Taken` when another site has the key.
    async fn put_site(
        &self,
        site: StoredSite,
        expected_version: u64,
    ) -> Result<u64, DeskStoreError>;

    /// The accounts of a site, by address.
    async fn accounts(&self, site: &SiteId) -> Result<Vec<StoredAccount>, DeskStoreError>;

    /// An account of a site.
    async fn account(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Option<StoredAccount>, DeskStoreError>;

    /// An account by address, in lower case.
    async fn account_by_email(
        &self,
        site: &SiteId,
        email: &str,
    ) -> Result<Option<StoredAccount>, DeskStoreError>;

    /// Adds an account.
    ///
    /// # Errors
    /// `Taken` when its id or address is, `Missing` when there is no such site.
    async fn add_account(&self, account: StoredAccount) -> Result<(), DeskStoreError>;

    /// Replaces all of an account but its address, password and generation, which goes up
    /// when it is disabled or becomes of another kind.
    ///
    /// # Errors
    /// `Missing` when the site has no account of this id.
    async fn change_account(&self, account: StoredAccount) -> Result<(), DeskStoreError>;

    /// Replaces a password; the generation goes up when it is another one.
    ///
    /// # Errors
    /// `Missing` when there is no such account.
    async fn set_password_hash(
        &self,
        site: &SiteId,
        id: AgentId,
        password_hash: String,
    ) -> Result<(), DeskStoreError>;

    /// Has the generation go up by one; gives it.
    ///
    /// # Errors
    /// `Missing` when there is no such account.
    async fn end_sessions(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError>;

    /// The generations of a site's accounts that are above 0.
    async fn generations(&self, site: &SiteId) -> Result<BTreeMap<AgentId, u32>, DeskStoreError>;

    /// The account of a site that is bound to somebody.
    async fn bound_account(
        &self,
        site: &SiteId,
        who: &Identity,
    ) -> Result<Option<StoredAccount>, DeskStoreError>;

    /// Whom an account is bound to, by provider; nobody when the site has no such account.
    async fn identities(&self, site: &SiteId, id: AgentId)
    -> Result<Vec<Identity>, DeskStoreError>;

    /// Binds an account to somebody; doing so again changes nothing.
    ///
    /// # Errors
    /// `Taken` when another account of the site is theirs, or this one is somebody else's
    /// of the same provider; `Missing` when the site has no account of this id.
    async fn bind(&self, site: &SiteId, id: AgentId, who: &Identity) -> Result<(), DeskStoreError>;

    /// Frees an account of everybody it is bound to and has its generation go up by one,
    /// both or neither; gives the generation.
    ///
    /// # Errors
    /// `Missing` when the site has no account of this id.
    async fn unbind(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError>;

    /// Records an uploaded file.
    ///
    /// # Errors
    /// `Taken` when the id is.
    async fn add_attachment(&self, attachment: StoredAttachment) -> Result<(), DeskStoreError>;

    /// A file of a site.
    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, DeskStoreError>;

    /// Files of a site.
    async fn attachments(
        &self,
        site: &SiteId,
        query: AttachmentQuery,
    ) -> Result<Vec<StoredAttachment>, DeskStoreError>;

    /// Forgets files of a site, of which nothing stays in the tables' files where that is
    /// in this store's hands. Those it does not have are passed over.
    async fn remove_attachments(
        &self,
        site: &SiteId,
        ids: &[AttachmentId],
    ) -> Result<(), DeskStoreError>;

    /// Adds an entry to the audit log, which is only ever added to: the tables refuse
    /// every change and removal. Adding the same entry again changes nothing.
    ///
    /// # Errors
    /// `Taken` when its id names another entry, `Missing` when there is no such site.
    async fn add_audit(&self, entry: AuditEntry) -> Result<(), DeskStoreError>;

    /// Entries of the audit log, the newest first.
    async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, DeskStoreError>;
}
