//! Signing in with a password. Neither the answer nor how long it takes says whether there
//! is the account; who is let in stands in the audit log before.

use crate::audit::{self, How};
use crate::convert::agent_account;
use crate::error::DeskError;
use crate::guesses;
use crate::metrics::{self, SignIn};
use crate::refusals::Why;
use crate::service::DeskService;
use crate::validate;
use frontdesk_core::ids::SiteId;
use frontdesk_proto::api::{AgentAccount, ApiError, PasswordAttempt, Whence};
use frontdesk_store::desk::StoredAccount;
use std::time::Duration;

/// When a sign-in that was shed may be tried again.
const RETRY: Duration = Duration::from_secs(1);

impl DeskService {
    /// See `Desk::sign_in`.
    pub(crate) async fn account_of_password(
        &self,
        attempt: PasswordAttempt,
    ) -> Result<AgentAccount, ApiError> {
        let PasswordAttempt { site, email, password, from } = attempt;
        if password.len() > validate::MAX_PASSWORD_BYTES {
            return Err(ApiError::Invalid("password is too long".into()));
        }
        let from = from.unwrap_or_else(audit::unknown_whence);
        // Before it is known whether there is such an account: the answer tells nothing.
        let guessed = guesses::key(&site, &email);
        let named = named(&site, &email);
        if let Err(retry_after) = self.guesses.begin(&guessed) {
            metrics::sign_in(SignIn::Delayed);
            if let Some((site, email)) = named.filter(|_| self.guesses.note(&guessed)) {
                self.note_delayed(site, email, from);
            }
            return Err(ApiError::RateLimited { retry_after });
        }
        let account = match &named {
            Some((site, email)) => self.store.account_by_email(site, email).await,
            None => Ok(None),
        };
        let account = account.map_err(DeskError::from)?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let Ok(matches) = self.passwords.check(&password, hash).await? else {
            self.guesses.not_tried(&guessed);
            metrics::sign_in(SignIn::Shed);
            return Err(ApiError::RateLimited { retry_after: RETRY });
        };
        match account.filter(|_| matches) {
            Some(account) if !account.disabled => {
                self.let_in(&account, &How::Password, &from).await.inspect_err(|_| {
                    self.guesses.not_tried(&guessed);
                })?;
                self.guesses.succeeded(&guessed);
                Ok(agent_account(account))
            }
            refused => {
                metrics::sign_in(SignIn::Refused);
                if let Some(disabled) = refused {
                    self.note_refused(disabled, Why::Disabled, &How::Password, &from);
                }
                Err(ApiError::Unauthenticated("wrong site, e-mail address or password".into()))
            }
        }
    }

    /// Writes down that somebody is let in to an account.
    pub(crate) async fn let_in(
        &self,
        account: &StoredAccount,
        how: &How,
        from: &Whence,
    ) -> Result<(), DeskError> {
        self.write_down(audit::of_sign_in(account, how, from)).await?;
        self.refusals.end(account.id);
        metrics::sign_in(SignIn::Ok);
        Ok(())
    }
}

/// A site and an address, if they can be ones.
fn named(site: &str, email: &str) -> Option<(SiteId, String)> {
    Some((site.parse().ok()?, validate::email(email).ok()?))
}
