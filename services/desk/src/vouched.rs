//! Accounts of those for whom a provider has vouched. An account is whose verified address
//! it has; its password, if it has one that anybody knows, goes on as it is.

use crate::admin::NewAgent;
use crate::audit::of_provider;
use crate::convert::agent_account;
use crate::error::DeskError;
use crate::metrics::{self, SignIn};
use crate::service::DeskService;
use crate::validate;
use frontdesk_core::audit::Act;
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_proto::api::{AgentAccount, ApiError, Vouched};
use frontdesk_store::desk::{AccountDetails, AccountKind, StoredAccount};
use serde_json::json;

/// Slots of an account that is made; as in a document that says nothing of them.
const CAPACITY: u32 = 4;

impl DeskService {
    /// See `Desk::sign_in_vouched`.
    pub(crate) async fn account_of_vouched(&self, who: Vouched) -> Result<AgentAccount, ApiError> {
        let found = match self.found_or_made(&who).await {
            Ok(found) => found,
            Err(error) => {
                metrics::sign_in(SignIn::Refused);
                return Err(error.into());
            }
        };
        if found.disabled {
            metrics::sign_in(SignIn::Refused);
            return Err(ApiError::Unauthenticated("the account is disabled".into()));
        }
        let account = self.become_as_said(found, &who).await?;
        metrics::sign_in(SignIn::Ok);
        Ok(agent_account(account))
    }

    async fn found_or_made(&self, who: &Vouched) -> Result<StoredAccount, DeskError> {
        let email = validate::email(&who.email)?;
        if let Some(found) = self.store.account_by_email(&who.site, &email).await? {
            return Ok(found);
        }
        if !who.create {
            return Err(DeskError::NotFound("account"));
        }
        let role = who.role.unwrap_or(Role::Agent);
        let details = json!({ "email": email, "role": role });
        self.write_down(of_provider(who, Act::MAKE_ACCOUNT, &email, details)).await?;
        let made = self.create_agent(NewAgent {
            site: who.site.clone(),
            email: email.clone(),
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
            Ok(_) | Err(DeskError::Taken(_)) => {}
            Err(error) => return Err(error),
        }
        let found = self.store.account_by_email(&who.site, &email).await?;
        found.ok_or(DeskError::NotFound("account"))
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
mod tests {
    use super::*;
    use crate::tests::{demo, origins, start};
    use frontdesk_core::audit::AuditQuery;
    use frontdesk_core::time::Timestamp;
    use frontdesk_proto::api::Desk as _;

    /// What the log has, the newest first.
    async fn written(desk: &DeskService) -> Vec<(String, String)> {
        let log = desk.store.audit(AuditQuery::of(demo())).await.unwrap();
        log.into_iter().map(|entry| (entry.act.to_string(), entry.subject)).collect()
    }

    fn vouched(email: &str) -> Vouched {
        Vouched {
            site: demo(),
            email: email.into(),
            name: "Kim".into(),
            role: None,
            create: false,
            at: Timestamp::from_millis(7),
            origin: "192.0.2.7".into(),
        }
    }

    #[tokio::test]
    async fn an_account_is_found_made_or_refused() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(8080)).await.unwrap();
        let boss = desk.sign_in_vouched(vouched("Supervisor@demo.example")).await.unwrap();
        assert_eq!(boss.role, Role::Supervisor, "what it was");

        let stranger = desk.sign_in_vouched(vouched("kim@demo.example")).await;
        assert_eq!(stranger, Err(ApiError::NotFound("account".into())));
        let new = Vouched { create: true, ..vouched("kim@demo.example") };
        let made = desk.sign_in_vouched(new.clone()).await.unwrap();
        assert_eq!((made.role, made.profile.name.to_string()), (Role::Agent, "Kim".into()));
        assert_eq!(desk.sign_in_vouched(new.clone()).await, Ok(made), "once");
        assert_eq!(written(&desk).await, [("make_account".into(), "kim@demo.example".into())]);
        let elsewhere = Vouched { site: "nowhere".parse().unwrap(), ..new };
        assert_eq!(desk.sign_in_vouched(elsewhere).await, Err(ApiError::NotFound("site".into())));
        let odd = Vouched { create: true, ..vouched("nobody") };
        assert!(matches!(desk.sign_in_vouched(odd).await, Err(ApiError::Invalid(_))));
    }

    #[tokio::test]
    async fn the_providers_role_is_put_in_force_and_seen_at_once() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(8080)).await.unwrap();
        for role in [Role::Supervisor, Role::Supervisor, Role::Agent] {
            let who = Vouched { role: Some(role), ..vouched("agent@demo.example") };
            let account = desk.sign_in_vouched(who).await.unwrap();
            assert_eq!(
                (account.role, account.profile.supervisor),
                (role, role == Role::Supervisor)
            );
            let seen = desk.agent(&demo(), account.id).await.unwrap().unwrap();
            assert_eq!(seen.role, role);
        }
        let acts = written(&desk).await.into_iter().map(|(act, _)| act);
        assert_eq!(acts.collect::<Vec<_>>(), ["change_role"; 2], "once for each change");
        let visitor = Vouched { role: Some(Role::Visitor), ..vouched("agent@demo.example") };
        assert!(desk.sign_in_vouched(visitor).await.is_err());
    }

    #[tokio::test]
    async fn a_disabled_account_stays_out() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(8080)).await.unwrap();
        let stored = desk.store.account_by_email(&demo(), "agent@demo.example").await.unwrap();
        let stored = StoredAccount { disabled: true, ..stored.unwrap() };
        desk.store.change_account(stored).await.unwrap();
        let who = Vouched { create: true, ..vouched("agent@demo.example") };
        assert!(matches!(desk.sign_in_vouched(who).await, Err(ApiError::Unauthenticated(_))));
    }
}
