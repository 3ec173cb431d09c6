//! One site with its agents, known to every simulated process.

use async_trait::async_trait;
use frontdesk_core::audit::Author;
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::presence::AgentProfile;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{
    AgentAccount, ApiError, Applied, AttachmentRecord, Desk, PasswordAttempt, QueueConfig,
    SiteConfig,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const SITE: &str = "shop";
pub(crate) const SITE_KEY: &str = "pk_simulation_simulation_0001";
/// How long an agent may think about an offer; short, as everything here is.
const OFFER: Millis = Millis::from_secs(5);

/// See the module.
pub(crate) struct SimDesk {
    site: Arc<SiteConfig>,
    agents: Vec<Arc<AgentAccount>>,
}

impl SimDesk {
    /// With so many agents of so many slots.
    pub(crate) fn new(agents: usize, capacity: u32) -> Self {
        let id: SiteId = SITE.parse().expect("a slug");
        let queue = QueueConfig {
            offer_timeout: OFFER,
            ..QueueConfig::plain("general".parse().expect("a slug"))
        };
        let site = SiteConfig {
            id: id.clone(),
            title: "Shop".into(),
            key: SITE_KEY.into(),
            allowed_origins: vec!["*".into()],
            default_queue: queue.id.clone(),
            routes: vec![],
            queues: vec![queue],
            calendars: BTreeMap::new(),
            away_after_missed: None,
            privacy: Default::default(),
            bots: BTreeSet::new(),
        };
        let account = |n: usize| {
            let name: Arc<str> = Arc::from(format!("agent {n}"));
            Arc::new(AgentAccount {
                id: AgentId::from_uuid(Uuid::from_u128(0xa000 + n as u128)),
                site: id.clone(),
                email: email(n),
                role: Role::Agent,
                profile: AgentProfile { name, capacity, ..AgentProfile::default() },
                disabled: false,
                generation: 0,
            })
        };
        Self { site: Arc::new(site), agents: (0..agents).map(account).collect() }
    }
}

/// How an agent signs in.
pub(crate) fn email(n: usize) -> String {
    format!("agent{n}@shop.example")
}

#[async_trait]
impl Desk for SimDesk {
    async fn site_by_key(&self, key: &str) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok((key == SITE_KEY).then(|| self.site.clone()))
    }

    async fn site(&self, site: &SiteId) -> Result<Option<Arc<SiteConfig>>, ApiError> {
        Ok((self.site.id == *site).then(|| self.site.clone()))
    }

    async fn sites(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        Ok(vec![self.site.clone()])
    }

    async fn sign_in(&self, attempt: PasswordAttempt) -> Result<AgentAccount, ApiError> {
        let found = self.agents.iter().find(|a| a.email == attempt.email);
        found.map(|a| AgentAccount::clone(a)).ok_or(ApiError::Unauthenticated(String::new()))
    }

    async fn agent(
        &self,
        _: &SiteId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentAccount>>, ApiError> {
        Ok(self.agents.iter().find(|a| a.id == agent).cloned())
    }

    async fn apply(&self, _: &SiteId, _: &str, _: Option<Author>) -> Result<Applied, ApiError> {
        Err(ApiError::Unimplemented("the configuration is fixed here".into()))
    }

    async fn add_attachment(&self, _: AttachmentRecord) -> Result<(), ApiError> {
        Err(ApiError::Unimplemented("nobody uploads here".into()))
    }

    async fn attachment(
        &self,
        _: &SiteId,
        _: AttachmentId,
    ) -> Result<Option<AttachmentRecord>, ApiError> {
        Ok(None)
    }
}
