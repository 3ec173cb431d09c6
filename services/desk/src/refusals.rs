//! Refused sign-ins in the audit log: the first of a run, and only of accounts that there
//! are, so that strangers cannot fill a log from which nothing is ever removed. Written
//! beside the answer, which must not take longer for an account that exists.

use crate::audit::{self, How};
use crate::guesses;
use crate::service::DeskService;
use frontdesk_core::audit::AuditEntry;
use frontdesk_core::ids::{AgentId, SiteId};
use frontdesk_core::runs::Runs;
use frontdesk_proto::api::Whence;
use frontdesk_store::desk::{DeskStore, DeskStoreError, StoredAccount};
use frontdesk_telemetry::tasks;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A run ends when nothing was refused for so long: as with guesses.
const QUIET: Duration = guesses::FORGET;
/// Accounts with a run at once: of ids, 400 KB.
const MAX_RUNS: usize = 10_000;
/// Entries that are being written at once; the store takes a thousand.
const MAX_WRITING: usize = 64;

/// Why somebody was not let in to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Too many failures before.
    Delayed,
    /// The account is disabled.
    Disabled,
    /// It is bound to somebody else of the same provider.
    Anothers,
}

impl Why {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Disabled => "disabled",
            Self::Anothers => "bound_to_another",
        }
    }
}

/// See the module.
pub(crate) struct Refusals {
    began: Instant,
    runs: Arc<Mutex<Runs<AgentId>>>,
    /// Ends with the role.
    writing: Mutex<JoinSet<()>>,
}

impl Default for Refusals {
    fn default() -> Self {
        let runs = Arc::new(Mutex::new(Runs::new(QUIET, MAX_RUNS)));
        Self { began: Instant::now(), runs, writing: Mutex::default() }
    }
}

/// Whole after each call: a poisoned one is as good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Refusals {
    /// Somebody was let in: a refusal after this is another run's.
    pub(crate) fn end(&self, account: AgentId) {
        lock(&self.runs).end(&account);
    }

    fn write(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut writing = lock(&self.writing);
        while writing.try_join_next().is_some() {}
        if writing.len() < MAX_WRITING {
            tasks::spawn_in(&mut writing, "desk.refusal", work);
        } else {
            tracing::warn!("too many sign-ins are refused at once: one is not written down");
        }
    }

    /// Waits until all is written.
    #[cfg(test)]
    pub(crate) async fn settled(&self) {
        let writing = std::mem::take(&mut *lock(&self.writing));
        writing.join_all().await;
    }
}

impl DeskService {
    /// That somebody was not let in to this account.
    pub(crate) fn note_refused(&self, account: StoredAccount, why: Why, how: &How, from: &Whence) {
        let entry = audit::of_refusal(&account, why, how, from);
        let one = One::new(self, account.id);
        self.refusals.write(one.write(entry));
    }

    /// That somebody is made to wait, if there is such an account.
    pub(crate) fn note_delayed(&self, site: SiteId, email: String, from: Whence) {
        let (store, began) = (self.store.clone(), self.refusals.began);
        let runs = self.refusals.runs.clone();
        self.refusals.write(async move {
            match store.account_by_email(&site, &email).await {
                Ok(Some(account)) => {
                    let entry = audit::of_refusal(&account, Why::Delayed, &How::Password, &from);
                    One { store, runs, began, account: account.id }.write(entry).await;
                }
                Ok(None) => {}
                Err(error) => unwritten(&error),
            }
        });
    }
}

/// A refusal that may be the first of its run.
struct One {
    store: Arc<dyn DeskStore>,
    runs: Arc<Mutex<Runs<AgentId>>>,
    began: Instant,
    account: AgentId,
}

impl One {
    fn new(desk: &DeskService, account: AgentId) -> Self {
        let (runs, began) = (desk.refusals.runs.clone(), desk.refusals.began);
        Self { store: desk.store.clone(), runs, began, account }
    }

    async fn write(self, entry: AuditEntry) {
        if !lock(&self.runs).is_first(self.account, self.began.elapsed()) {
            return;
        }
        if let Err(error) = self.store.add_audit(entry).await {
            // The next one is tried again.
            lock(&self.runs).end(&self.account);
            unwritten(&error);
        }
    }
}

fn unwritten(error: &DeskStoreError) {
    tracing::warn!(%error, "a refused sign-in is not written down");
}
