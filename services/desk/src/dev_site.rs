//! The site that `frontdesk dev` starts with, and others like it for tests of a cluster.
//!
//! Every step can be repeated: a start that was cut short is completed by the
//! next.

use crate::admin::NewAgent;
use crate::apply::with_defaults;
use crate::convert::{agent_account, site_config};
use crate::error::DeskError;
use crate::password::{Password, random_characters};
use crate::service::DeskService;
use crate::validate;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{AgentAccount, SiteConfig};
use frontdesk_store::desk::{AccountDetails, StoredQueue, StoredSite};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Name of the site that `frontdesk dev` starts with.
const SITE: &str = "demo";
/// Its queues; the first is for conversations that name none.
const QUEUES: [&str; 2] = ["general", "sales"];
/// Characters of the site's public key after `pk_`.
const KEY_CHARS: usize = 28;
/// Slots of each account.
const CAPACITY: u32 = 4;

/// What the accounts are called at their site, their names and roles.
const ACCOUNTS: [(&str, &str, Role); 2] =
    [("agent", "Alex", Role::Agent), ("supervisor", "Sam", Role::Supervisor)];

/// The site and who may sign in.
#[derive(Debug, Clone)]
pub struct DevSite {
    /// The site.
    pub site: Arc<SiteConfig>,
    /// The first agent, then the first supervisor.
    pub accounts: Vec<DevAccount>,
}

/// An account of the site.
#[derive(Debug, Clone)]
pub struct DevAccount {
    /// The account.
    pub account: AgentAccount,
    /// Only when it was made just now: print it, nobody can learn it afterwards.
    pub password: Option<Password>,
}

impl DeskService {
    /// Makes the site and its accounts where they are missing, and has the
    /// widget allowed on pages of exactly these origins.
    ///
    /// # Errors
    /// `Invalid` when an origin is not one; `*` is none.
    pub async fn ensure_dev_site(&self, origins: &[String]) -> Result<DevSite, DeskError> {
        self.ensure_example_site(&SITE.parse()?, origins).await
    }

    /// The same under another name, whose accounts are at `NAME.example`.
    ///
    /// # Errors
    /// `Invalid` when an origin is not one; `*` is none.
    pub async fn ensure_example_site(
        &self,
        site: &SiteId,
        origins: &[String],
    ) -> Result<DevSite, DeskError> {
        let origins = origins.iter().map(|o| validate::origin(o)).collect::<Result<Vec<_>, _>>()?;
        let site = self.ensure_site(site, origins).await?;
        let mut accounts = Vec::with_capacity(ACCOUNTS.len());
        for (who, name, role) in ACCOUNTS {
            let email = format!("{who}@{}.example", site.id);
            accounts.push(self.ensure_account(&site.id, &email, name, role).await?);
        }
        Ok(DevSite { site: Arc::new(site_config(site)), accounts })
    }

    async fn ensure_site(
        &self,
        id: &SiteId,
        origins: Vec<String>,
    ) -> Result<StoredSite, DeskError> {
        let (site, version) = match self.store.site(id).await? {
            Some(stored) if stored.value.allowed_origins == origins => return Ok(stored.value),
            Some(stored) => {
                (StoredSite { allowed_origins: origins, ..stored.value }, stored.version)
            }
            None => (new_site(id.clone(), origins)?, 0),
        };
        self.store.put_site(site.clone(), version).await?;
        self.forget_cached();
        Ok(site)
    }

    async fn ensure_account(
        &self,
        site: &SiteId,
        email: &str,
        name: &str,
        role: Role,
    ) -> Result<DevAccount, DeskError> {
        if let Some(stored) = self.store.account_by_email(site, email).await? {
            return Ok(DevAccount { account: agent_account(stored), password: None });
        }
        let created = self
            .create_agent(NewAgent {
                site: site.clone(),
                email: email.into(),
                name: name.into(),
                role,
                capacity: CAPACITY,
                queues: Vec::new(),
                skills: Skills::default(),
                details: AccountDetails::default(),
                password: None,
            })
            .await?;
        Ok(DevAccount { account: created.account, password: Some(created.password) })
    }
}

fn new_site(id: SiteId, allowed_origins: Vec<String>) -> Result<StoredSite, DeskError> {
    let queues = QUEUES.iter().map(|id| Ok(queue(id.parse()?)));
    Ok(StoredSite {
        title: if id.as_str() == SITE { "Demo shop".into() } else { id.to_string() },
        id,
        key: format!("pk_{}", random_characters(KEY_CHARS)),
        allowed_origins,
        default_queue: QUEUES[0].parse()?,
        queues: queues.collect::<Result<_, DeskError>>()?,
        routes: Vec::new(),
        calendars: BTreeMap::new(),
        away_after_missed: None,
        privacy: Default::default(),
        bots: BTreeSet::new(),
    })
}

fn queue(id: QueueId) -> StoredQueue {
    with_defaults(StoredQueue { wrap_up: Millis::from_secs(10), ..StoredQueue::plain(id) })
}
