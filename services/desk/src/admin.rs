//! Changing accounts: for the operator's commands and for tests.

use crate::audit;
use crate::convert::agent_account;
use crate::error::DeskError;
use crate::password::Password;
use crate::service::DeskService;
use crate::validate;
use frontdesk_core::audit::{Act, Author};
use frontdesk_core::ids::{AgentId, QueueId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_proto::api::{AgentAccount, EndedSessions, Unbound};
use frontdesk_store::desk::{AccountDetails, AccountKind, StoredAccount};
use serde_json::json;
use uuid::Uuid;

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// The tenant; must exist.
    pub site: SiteId,
    /// Unique within the site; case does not matter.
    pub email: String,
    /// Name to show, 1–80 characters.
    pub name: String,
    /// `Agent` or `Supervisor`; both carry chats.
    pub role: Role,
    /// Slots, 1–100.
    pub capacity: u32,
    /// Queues it serves, those it serves first coming first; empty for all of the site.
    pub queues: Vec<QueueId>,
    /// What it is good at.
    pub skills: Skills,
    /// Languages, and caps by queue.
    pub details: AccountDetails,
    /// 10–1,024 bytes; `None` to have one made.
    pub password: Option<String>,
}

/// An account that was made.
#[derive(Debug, Clone)]
pub struct CreatedAgent {
    /// The account.
    pub account: AgentAccount,
    /// Its password, which nobody can learn afterwards.
    pub password: Password,
}

impl DeskService {
    /// Makes an account.
    ///
    /// # Errors
    /// `Invalid` says which rule was broken, `NotFound` that there is no such
    /// site, `Taken` that the address has an account.
    pub async fn create_agent(&self, new: NewAgent) -> Result<CreatedAgent, DeskError> {
        let site = self.store.site(&new.site).await?.ok_or(DeskError::NotFound("site"))?;
        validate::queues(&new.queues, &site.value)?;
        let kind = match new.role {
            Role::Agent => AccountKind::Agent,
            Role::Supervisor => AccountKind::Supervisor,
            Role::Visitor => {
                return Err(DeskError::Invalid("a visitor has no account".into()));
            }
        };
        let password = match &new.password {
            Some(chosen) => {
                validate::password(chosen)?;
                Password::typed(chosen)
            }
            None => Password::random(),
        };
        let account = StoredAccount {
            id: AgentId::from_uuid(Uuid::now_v7()),
            email: validate::email(&new.email)?,
            name: validate::name(&new.name)?,
            capacity: validate::capacity(new.capacity)?,
            password_hash: self.passwords.hash(&password).await?,
            site: new.site,
            kind,
            queues: new.queues,
            skills: new.skills,
            details: new.details,
            disabled: false,
            generation: 0,
        };
        self.store.add_account(account.clone()).await?;
        self.forget_cached();
        Ok(CreatedAgent { account: agent_account(account), password })
    }

    /// Gives an account a new random password; the old one is void, and so are its tokens.
    /// In the audit log before.
    ///
    /// # Errors
    /// `NotFound` when the site has no account with that address.
    pub async fn reset_password(
        &self,
        site: &SiteId,
        email: &str,
        by: Author,
    ) -> Result<Password, DeskError> {
        let email = validate::email(email)?;
        let account = self.store.account_by_email(site, &email).await?;
        let account = account.ok_or(DeskError::NotFound("account"))?;
        let password = Password::random();
        let hash = self.passwords.hash(&password).await?;
        let details = json!({ "email": account.email });
        self.write_down(audit::of_account(&account, Act::CHANGE_PASSWORD, by, details)).await?;
        self.store.set_password_hash(site, account.id, hash).await?;
        self.forget_cached();
        Ok(password)
    }

    /// Has all tokens of an account refused that were issued before: `who` is its id or
    /// address. In the audit log before.
    pub(crate) async fn end_sessions_of(
        &self,
        site: &SiteId,
        who: &str,
        by: Author,
    ) -> Result<EndedSessions, DeskError> {
        let account = self.account_named(site, who).await?;
        let details = json!({ "email": account.email });
        self.write_down(audit::of_account(&account, Act::END_SESSIONS, by, details)).await?;
        let generation = self.store.end_sessions(site, account.id).await?;
        self.forget_cached();
        Ok(EndedSessions { agent: account.id, email: account.email, generation })
    }

    /// Frees an account of whom it is bound to, and ends its sessions; `who` is its id or
    /// address. In the audit log before; of one that is bound to nobody nothing is.
    pub(crate) async fn unbind_account(
        &self,
        site: &SiteId,
        who: &str,
        by: Author,
    ) -> Result<Unbound, DeskError> {
        let account = self.account_named(site, who).await?;
        let was = self.store.identities(site, account.id).await?;
        let mut generation = account.generation;
        if !was.is_empty() {
            let details = json!({ "email": account.email, "was": was });
            self.write_down(audit::of_account(&account, Act::UNBIND, by, details)).await?;
            generation = self.store.unbind(site, account.id).await?;
            self.forget_cached();
        }
        Ok(Unbound { agent: account.id, email: account.email, was, generation })
    }

    /// An account by its id or address.
    async fn account_named(&self, site: &SiteId, who: &str) -> Result<StoredAccount, DeskError> {
        let found = match who.parse::<AgentId>() {
            Ok(id) => self.store.account(site, id).await?,
            Err(_) => self.store.account_by_email(site, &validate::email(who)?).await?,
        };
        found.ok_or(DeskError::NotFound("account"))
    }

    /// The accounts of a site, by address.
    pub async fn agents(&self, site: &SiteId) -> Result<Vec<AgentAccount>, DeskError> {
        let stored = self.store.accounts(site).await?;
        Ok(stored.into_iter().map(agent_account).collect())
    }
}
