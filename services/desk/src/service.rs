//! The role's trait on a store.

use crate::cache::Cache;
use crate::convert::{agent_account, attachment_record, site_config, stored_attachment};
use crate::error::DeskError;
use crate::guesses::Guesses;
use crate::password::Passwords;
use crate::refusals::Refusals;
use crate::settings::DeskSettings;
use crate::validate;
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use frontdesk_proto::api::{
    AgentAccount, ApiError, Applied, AttachmentFilter, AttachmentRecord, AuditPage, Desk,
    EndedSessions, PasswordAttempt, SiteConfig, Unbound, Vouched,
};
use frontdesk_store::desk::{AttachmentQuery, DeskStore, StoredSite, Versioned};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How old an answer about generations may be: all gateways ask every few seconds.
const GENERATIONS_FRESH: Duration = Duration::from_secs(1);

/// Files of one list of old ones.
const ATTACHMENTS: u32 = 500;

/// The role.
pub struct DeskService {
    pub(crate) store: Arc<dyn DeskStore>,
    pub(crate) passwords: Passwords,
    sites: Cache<SiteId, Arc<SiteConfig>>,
    sites_by_key: Cache<String, Arc<SiteConfig>>,
    agents: Cache<(SiteId, AgentId), Arc<AgentAccount>>,
    generations: Cache<SiteId, Arc<BTreeMap<AgentId, u32>>>,
    pub(crate) guesses: Guesses,
    pub(crate) refusals: Refusals,
}

impl DeskService {
    /// The role on `store`. Takes as long as one password hash.
    ///
    /// # Errors
    /// `Invalid` when the settings are out of range.
    pub async fn new(
        store: Arc<dyn DeskStore>,
        settings: &DeskSettings,
    ) -> Result<Self, DeskError> {
        let keep_for = settings.cache_for.to_duration();
        Ok(Self {
            store,
            passwords: Passwords::new(settings).await?,
            sites: Cache::new(keep_for),
            sites_by_key: Cache::new(keep_for),
            agents: Cache::new(keep_for),
            generations: Cache::new(keep_for.min(GENERATIONS_FRESH)),
            guesses: Guesses::default(),
            refusals: Refusals::default(),
        })
    }

    /// After a change made here: others see it when their copy has grown old.
    pub(crate) fn forget_cached(&self) {
        self.sites.clear();
        self.sites_by_key.clear();
        self.agents.clear();
        self.generations.clear();
    }

    fn remember_site(&self, site: Versioned<StoredSite>) -> Arc<SiteConfig> {
        let site = Arc::new(site_config(site.value));
        self.sites.put(site.id.clone(), site.clone());
        self.sites_by_key.put(site.key.clone(), site.clone());
        site
    }
}

#[async_trait]
impl Desk for DeskService {
    async fn site_by_key(&self, key: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        if let Some(site) = self.sites_by_key.get(&key.to_owned()) {
            return Ok(Some(site));
        }
        let stored = self.store.site_by_key(key).await.map_err(DeskError::from)?;
        Ok(stored.map(|site| self.remember_site(site)))
    }

    async fn site(&self, site: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        if let Some(site) = self.sites.get(site) {
            return Ok(Some(site));
        }
        let stored = self.store.site(site).await.map_err(DeskError::from)?;
        Ok(stored.map(|site| self.remember_site(site)))
    }

    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        let stored = self.store.sites().await.map_err(DeskError::from)?;
        Ok(stored.into_iter().map(|site| self.remember_site(site)).collect())
    }

    async fn sign_in(&self, attempt: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        self.account_of_password(attempt).await
    }

    async fn sign_in_vouched(&self, who: Vouched) -> Result<AgentAccount, ApiError> {
        self.account_of_vouched(who).await
    }

    async fn agent(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        let key = (site.clone(), agent);
        if let Some(account) = self.agents.get(&key) {
            return Ok(Some(account));
        }
        let stored = self.store.account(site, agent).await.map_err(DeskError::from)?;
        Ok(stored.map(|stored| {
            let account = Arc::new(agent_account(stored));
            self.agents.put(key, account.clone());
            account
        }))
    }

    async fn apply(
        &self,
        site: &SiteId,
        document: &str,
        by: Option<Author>,
    ) -> Result<Applied, ApiError> {
        Ok(self.apply_document(site, document, by).await?)
    }

    async fn end_sessions(
        &self,
        site: &SiteId,
        account: &str,
        by: Author,
    ) -> Result<EndedSessions, ApiError> {
        Ok(self.end_sessions_of(site, account, by).await?)
    }

    async fn unbind(&self, site: &SiteId, account: &str, by: Author) -> Result<Unbound, ApiError> {
        Ok(self.unbind_account(site, account, by).await?)
    }

    async fn generations(&self, site: &SiteId) -> Result<Arc<BTreeMap<AgentId, u32>>, ApiError> {
        if let Some(generations) = self.generations.get(site) {
            return Ok(generations);
        }
        let stored = self.store.generations(site).await.map_err(DeskError::from)?;
        let generations = Arc::new(stored);
        self.generations.put(site.clone(), generations.clone());
        Ok(generations)
    }

    async fn record(&self, entry: AuditEntry) -> Result<(), ApiError> {
        Ok(self.write_down(entry).await?)
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, ApiError> {
        Ok(self.read_log(query).await?)
    }

    async fn add_attachment(&self, record: AttachmentRecord) -> Result<(), ApiError> {
        validate::file_name(&record.name)?;
        let added = self.store.add_attachment(stored_attachment(record)).await;
        Ok(added.map_err(DeskError::from)?)
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        let stored = self.store.attachment(site, id).await.map_err(DeskError::from)?;
        Ok(stored.map(attachment_record))
    }

    async fn attachments(
        &self,
        site: &SiteId,
        filter: AttachmentFilter,
    ) -> Result<Vec<AttachmentRecord>, ApiError> {
        let query = match filter {
            AttachmentFilter::OfConversation(id) => AttachmentQuery::OfConversation(id),
            AttachmentFilter::Before(at) => AttachmentQuery::Before(at, ATTACHMENTS),
        };
        let stored = self.store.attachments(site, query).await.map_err(DeskError::from)?;
        Ok(stored.into_iter().map(attachment_record).collect())
    }

    async fn remove_attachments(
        &self,
        site: &SiteId,
        ids: Vec<AttachmentId>,
    ) -> Result<(), ApiError> {
        Ok(self.store.remove_attachments(site, &ids).await.map_err(DeskError::from)?)
    }
}
