//! One site with one agent and one supervisor.

use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::privacy::Privacy;
use frontdesk_proto::api::{
    AgentAccount, ApiError, Applied, AttachmentFilter, AttachmentRecord, AuditPage, Desk,
    PasswordAttempt, QueueConfig, SiteConfig, Vouched,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub(crate) const SITE_KEY: &str = "pk_0123456789abcdef01234567";
pub(crate) const AGENT_EMAIL: &str = "ana@example.com";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn agent_id() -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(0xA))
}

pub(crate) fn supervisor_id() -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(0xB))
}

#[derive(Default)]
pub(crate) struct FakeDesk {
    /// The agent's account is disabled.
    pub(crate) disabled: AtomicBool,
    /// Of every account.
    pub(crate) generation: AtomicU32,
    /// It is bound to somebody else of the provider.
    pub(crate) bound_to_another: AtomicBool,
    /// For whom a provider has vouched.
    pub(crate) vouched: Mutex<Vec<Vouched>>,
    attachments: Mutex<HashMap<AttachmentId, AttachmentRecord>>,
    /// What the site keeps and asks for.
    pub(crate) privacy: Mutex<Privacy>,
    /// Nothing can be written down.
    pub(crate) log_is_away: AtomicBool,
    log: Mutex<Vec<AuditEntry>>,
}

impl FakeDesk {
    /// What was written down, the oldest first.
    pub(crate) fn log(&self) -> Vec<AuditEntry> {
        self.log.lock().unwrap().clone()
    }

    fn site_config(&self) -> Arc<SiteConfig> {
        let privacy = self.privacy.lock().unwrap().clone();
        let queue = "sales".parse().unwrap();
        Arc::new(SiteConfig {
            id: super::site(),
            title: "Demo".into(),
            key: SITE_KEY.into(),
            allowed_origins: vec!["https://shop.example".into()],
            default_queue: queue,
            routes: vec![],
            queues: vec![QueueConfig::plain("sales".parse().unwrap())],
            calendars: BTreeMap::new(),
            away_after_missed: None,
            privacy,
            bots: BTreeSet::new(),
        })
    }

    fn account(&self, id: AgentId) -> Option<AgentAccount> {
        let supervisor = id == supervisor_id();
        (supervisor || id == agent_id()).then(|| AgentAccount {
            id,
            site: super::site(),
            email: AGENT_EMAIL.into(),
            role: if supervisor { Role::Supervisor } else { Role::Agent },
            profile: AgentProfile {
                name: "Ana".into(),
                capacity: 3,
                supervisor,
                ..AgentProfile::default()
            },
            disabled: self.disabled.load(Ordering::SeqCst),
            generation: self.generation.load(Ordering::SeqCst),
        })
    }
}

#[async_trait]
impl Desk for FakeDesk {
    async fn site_by_key(&self, key: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok((key == SITE_KEY).then(|| self.site_config()))
    }

    async fn site(&self, site: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok((*site == super::site()).then(|| self.site_config()))
    }

    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        Ok(vec![self.site_config()])
    }

    async fn sign_in(&self, asked: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        let said = (&*asked.site, &*asked.email, &*asked.password);
        let good = said == ("demo", AGENT_EMAIL, PASSWORD);
        self.account(agent_id())
            .filter(|_| good)
            .ok_or_else(|| ApiError::Unauthenticated("wrong".into()))
    }

    async fn sign_in_vouched(&self, who: Vouched) -> Result<AgentAccount, ApiError> {
        let found = self.account(agent_id()).filter(|a| a.email == who.email && a.site == who.site);
        if self.bound_to_another.load(Ordering::SeqCst) {
            return Err(ApiError::Forbidden("bound to another".into()));
        }
        self.vouched.lock().unwrap().push(who);
        match found {
            None => Err(ApiError::NotFound("account".into())),
            Some(account) if account.disabled => Err(ApiError::Unauthenticated("disabled".into())),
            Some(account) => Ok(account),
        }
    }

    async fn agent(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        Ok(self.account(agent).filter(|a| a.site == *site).map(Arc::new))
    }

    async fn generations(&self, _: &SiteId) -> Result<Arc<BTreeMap<AgentId, u32>>, ApiError> {
        let generation = self.generation.load(Ordering::SeqCst);
        Ok(Arc::new([agent_id(), supervisor_id()].map(|id| (id, generation)).into()))
    }

    async fn apply(&self, _: &SiteId, _: &str, _: Option<Author>) -> Result<Applied, ApiError> {
        Err(ApiError::Unimplemented("the configuration is fixed here".into()))
    }

    async fn record(&self, entry: AuditEntry) -> Result<(), ApiError> {
        if self.log_is_away.load(Ordering::SeqCst) {
            return Err(ApiError::Unimplemented("no log".into()));
        }
        self.log.lock().unwrap().push(entry);
        Ok(())
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, ApiError> {
        let older = |e: &AuditEntry| query.before.is_none_or(|before| e.place() < before);
        let mut entries: Vec<_> = self.log().into_iter().filter(older).collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
        let more = entries.len() > query.limit as usize;
        entries.truncate(query.limit as usize);
        let next = entries.last().filter(|_| more).map(AuditEntry::place);
        Ok(AuditPage { entries, next })
    }

    async fn add_attachment(&self, record: AttachmentRecord) -> Result<(), ApiError> {
        self.attachments.lock().unwrap().insert(record.id, record);
        Ok(())
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        let found = self.attachments.lock().unwrap().get(&id).cloned();
        Ok(found.filter(|r| r.site == *site))
    }

    async fn attachments(
        &self,
        site: &SiteId,
        filter: AttachmentFilter,
    ) -> Result<Vec<AttachmentRecord>, ApiError> {
        let is_meant = |file: &&AttachmentRecord| match filter {
            AttachmentFilter::OfConversation(id) => file.conversation == id,
            AttachmentFilter::Before(at) => file.created_at < at,
        };
        let files = self.attachments.lock().unwrap();
        Ok(files.values().filter(|file| file.site == *site).filter(is_meant).cloned().collect())
    }

    async fn remove_attachments(&self, _: &SiteId, ids: Vec<AttachmentId>) -> Result<(), ApiError> {
        self.attachments.lock().unwrap().retain(|id, _| !ids.contains(id));
        Ok(())
    }
}
