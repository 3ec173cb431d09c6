//! The role's trait on a store.

use crate::cache::Cache;
use crate::convert::{agent_account, attachment_record, site_config, stored_attachment};
use crate::error::DeskError;
use crate::guesses::{self, Guesses};
use crate::metrics::{self, SignIn};
use crate::password::Passwords;
use crate::settings::DeskSettings;
use crate::validate;
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use frontdesk_proto::api::{
    AgentAccount, ApiError, Applied, AttachmentFilter, AttachmentRecord, AuditPage, Desk,
    EndedSessions, SiteConfig, Vouched,
};
use frontdesk_store::desk::{AttachmentQuery, DeskStore, StoredAccount, StoredSite, Versioned};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// When a sign-in that was shed may be tried again.
const RETRY_SIGN_IN: Duration = Duration::from_secs(1);
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
    guesses: Guesses,
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

    async fn account_of(
        &self,
        site: &str,
        email: &str,
    ) -> Result<Option<StoredAccount>, DeskError> {
        let (Ok(site), Ok(email)) = (site.parse::<SiteId>(), validate::email(email)) else {
            return Ok(None);
        };
        Ok(self.store.account_by_email(&site, &email).await?)
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

    async fn sign_in(
        &self,
        site: &str,
        email: &str,
        password: &str,
    ) -> Result<AgentAccount, ApiError> {
        if password.len() > validate::MAX_PASSWORD_BYTES {
            return Err(ApiError::Invalid("password is too long".into()));
        }
        // Before it is known whether there is such an account: the answer tells nothing.
        let guessed = guesses::key(site, email);
        if let Err(retry_after) = self.guesses.begin(&guessed) {
            metrics::sign_in(SignIn::Delayed);
            return Err(ApiError::RateLimited { retry_after });
        }
        let account = self.account_of(site, email).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let Ok(matches) = self.passwords.check(password, hash).await? else {
            self.guesses.not_tried(&guessed);
            metrics::sign_in(SignIn::Shed);
            return Err(ApiError::RateLimited { retry_after: RETRY_SIGN_IN });
        };
        match account {
            Some(account) if matches && !account.disabled => {
                metrics::sign_in(SignIn::Ok);
                self.guesses.succeeded(&guessed);
                Ok(agent_account(account))
            }
            _ => {
                metrics::sign_in(SignIn::Refused);
                Err(ApiError::Unauthenticated("wrong site, e-mail address or password".into()))
            }
        }
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
