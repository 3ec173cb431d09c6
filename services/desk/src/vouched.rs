//! Accounts of those for whom a provider has vouched. An account is bound to who its person
//! is at the provider, with the first sign-in by its verified address; from then on it is
//! found by that alone, and its address lets nobody else in. Its password, if it has one
//! that anybody knows, goes on as it is.

use crate::admin::NewAgent;
use crate::audit::{How, of_provider, whence};
use crate::convert::agent_account;
use crate::error::DeskError;
use crate::metrics::{self, SignIn};
use crate::refusals::Why;
use crate::service::DeskService;
use crate::validate;
use frontdesk_core::audit::Act;
use frontdesk_core::identity::{Account, Identity, Known, account_of};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_proto::api::{AgentAccount, ApiError, Vouched};
use frontdesk_store::desk::{AccountDetails, AccountKind, DeskStoreError, StoredAccount};
use serde_json::json;

/// Slots of an account that is made; as in a document that says nothing of them.
const CAPACITY: u32 = 4;
/// Looks at what there is: one finds nothing and makes an account, the next finds it and
/// binds it, and once somebody else may be quicker.
const LOOKS: u32 = 4;

impl DeskService {
    /// See `Desk::sign_in_vouched`.
    pub(crate) async fn account_of_vouched(&self, who: Vouched) -> Result<AgentAccount, ApiError> {
        let how = How::Provider(who.identity.clone());
        let found = match self.found_or_made(&who, &how).await {
            Ok(found) => found,
            Err(error) => {
                metrics::sign_in(SignIn::Refused);
                return Err(error.into());
            }
        };
        if found.disabled {
            metrics::sign_in(SignIn::Refused);
            self.note_refused(found, Why::Disabled, &how, &whence(&who));
            return Err(ApiError::Unauthenticated("the account is disabled".into()));
        }
        let account = self.become_as_said(found, &who).await?;
        self.let_in(&account, &how, &whence(&who)).await?;
        Ok(agent_account(account))
    }

    async fn found_or_made(&self, who: &Vouched, how: &How) -> Result<StoredAccount, DeskError> {
        let email = validate::email(&who.email)?;
        let Some(identity) = &who.identity else {
            return self.found_by_address(who, &email).await;
        };
        let identity = Identity::new(&identity.issuer, &identity.subject)
            .map_err(|error| DeskError::Invalid(error.to_string()))?;
        for _ in 0..LOOKS {
            let (known, account) = self.known(who, &email, &identity).await?;
            match (account_of(known), account) {
                (Account::Bound(_), Some(account)) => return Ok(account),
                (Account::Bind(_), Some(account)) if account.disabled => return Ok(account),
                (Account::Bind(_), Some(account)) => {
                    if self.bound(who, &account, &identity).await? {
                        return Ok(account);
                    }
                }
                (Account::Anothers(id), Some(account)) => {
                    self.note_refused(account, Why::Anothers, how, &whence(who));
                    return Err(DeskError::Forbidden(format!(
                        "account {id} is bound to another subject of {}; if this is the same \
                         person: frontdesk ctl agents unbind {id}",
                        identity.issuer
                    )));
                }
                (_, _) => self.make_account(who, &email).await?,
            }
        }
        Err(DeskError::Unavailable("others sign in to the same account just now".into()))
    }

    /// What is known, and the account that it is about.
    async fn known(
        &self,
        who: &Vouched,
        email: &str,
        identity: &Identity,
    ) -> Result<(Known, Option<StoredAccount>), DeskError> {
        if let Some(account) = self.store.bound_account(&who.site, identity).await? {
            return Ok((Known { bound: Some(account.id), addressed: None }, Some(account)));
        }
        let Some(account) = self.store.account_by_email(&who.site, email).await? else {
            return Ok((Known::default(), None));
        };
        let bound_to = self.store.identities(&who.site, account.id).await?;
        if bound_to.contains(identity) {
            // Since the look above: two sign-ins of one person at once.
            return Ok((Known { bound: Some(account.id), addressed: None }, Some(account)));
        }
        let is_bound = bound_to.iter().any(|other| other.issuer == identity.issuer);
        Ok((Known { bound: None, addressed: Some((account.id, is_bound)) }, Some(account)))
    }

    /// Binds it, once that is written down; whether nobody else was quicker.
    async fn bound(
        &self,
        who: &Vouched,
        account: &StoredAccount,
        identity: &Identity,
    ) -> Result<bool, DeskError> {
        let Identity { issuer, subject } = identity;
        let details = json!({ "email": account.email, "issuer": issuer, "subject": subject });
        let id = account.id.to_string();
        self.write_down(of_provider(who, Act::BIND, &id, details)).await?;
        match self.store.bind(&who.site, account.id, identity).await {
            Ok(()) => Ok(true),
            Err(DeskStoreError::Taken(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// For gateways of an earlier version, which do not say who it is: only while the
    /// account is bound to nobody.
    async fn found_by_address(
        &self,
        who: &Vouched,
        email: &str,
    ) -> Result<StoredAccount, DeskError> {
        let found = match self.store.account_by_email(&who.site, email).await? {
            Some(found) => Some(found),
            None => {
                self.make_account(who, email).await?;
                self.store.account_by_email(&who.site, email).await?
            }
        };
        let found = found.ok_or(DeskError::NotFound("account"))?;
        match self.store.identities(&who.site, found.id).await?.is_empty() {
            true => Ok(found),
            false => Err(DeskError::Unavailable(
                "the gateway is of an earlier version: it does not say who signs in".into(),
            )),
        }
    }

    /// `NotFound` when none is to be made.
    async fn make_account(&self, who: &Vouched, email: &str) -> Result<(), DeskError> {
        if !who.create {
            return Err(DeskError::NotFound("account"));
        }
        let role = who.role.unwrap_or(Role::Agent);
        let details = json!({ "email": email, "role": role });
        self.write_down(of_provider(who, Act::MAKE_ACCOUNT, email, details)).await?;
        let made = self.create_agent(NewAgent {
            site: who.site.clone(),
            email: email.to_owned(),
            name: who.name.clone(),
            role,
            capacity: CAPACITY,
            queues: Vec::new(),
            skills: Skills::default(),
            details: AccountDetails::default(),
            // One that nobody learns.
            password: None,
        });
        match made.await {
            // Two sign-ins at once: the other has made it.
            Ok(_) | Err(DeskError::Taken(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn become_as_said(
        &self,
        mut account: StoredAccount,
        who: &Vouched,
    ) -> Result<StoredAccount, DeskError> {
        let kind = match who.role {
            Some(Role::Agent) => AccountKind::Agent,
            Some(Role::Supervisor) => AccountKind::Supervisor,
            Some(Role::Visitor) => {
                return Err(DeskError::Invalid("a visitor has no account".into()));
            }
            None => account.kind,
        };
        if account.kind != kind {
            let details = json!({ "email": account.email, "role": who.role });
            let subject = account.id.to_string();
            self.write_down(of_provider(who, Act::CHANGE_ROLE, &subject, details)).await?;
            account.kind = kind;
            self.store.change_account(account.clone()).await?;
            self.forget_cached();
        }
        Ok(account)
    }
}

#[cfg(test)]
mod tests;
