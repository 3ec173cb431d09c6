//! The desk's tables on SQLite. Small and seldom written: one thread does all.

mod accounts;
mod attachments;
mod audit;
mod bindings;
mod schema;
mod sites;
#[cfg(test)]
mod tests;

pub(in crate::sqlite) use schema::{FILE, NEWEST};

use super::error::{OpenError, is_damage};
use super::file::open_writer;
use super::folder::DataFolder;
use super::workers::{WorkError, Workers};
use crate::desk::{
    AttachmentQuery, DeskStore, DeskStoreError, StoredAccount, StoredAttachment, StoredSite,
    Versioned,
};
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use rusqlite::Connection;
use rusqlite::ffi::{
    SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE,
};
use std::collections::BTreeMap;

/// Calls that may wait: 1,024 at 50 µs are 50 ms.
const MAX_WAITING: usize = 1024;

/// The desk's tables in the data folder's `desk.db`. Dropping it does what
/// waits; what was answered is on stable storage in any case.
#[derive(Debug)]
pub struct SqliteDesk {
    worker: Workers,
    /// Kept until the thread has ended.
    _folder: DataFolder,
}

/// What a statement came to: SQLite's errors are kept apart from refusals.
type Answer<T> = rusqlite::Result<Result<T, DeskStoreError>>;

impl SqliteDesk {
    /// Opens or creates the tables. Blocks for some milliseconds.
    ///
    /// # Errors
    /// When the file is damaged, newer than this program or cannot be written.
    pub fn open(folder: &DataFolder) -> Result<Self, OpenError> {
        let path = folder.path().join(schema::FILE);
        let connection = open_writer(&path, &schema::FORMAT)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(|source| OpenError::Sqlite { path: path.clone(), source })?;
        let worker = Workers::start("desk-store", vec![connection], MAX_WAITING)
            .map_err(|source| OpenError::Folder { path, source })?;
        Ok(Self { worker, _folder: folder.clone() })
    }

    /// Does what waits and ends the thread. Calls after it are `Unavailable`.
    /// Blocks: call it on a blocking thread.
    pub fn close(&self) {
        self.worker.stop();
    }

    async fn run<T, F>(&self, work: F) -> Result<T, DeskStoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Answer<T> + Send + 'static,
    {
        self.worker.run(work).await.map_err(failed)?
    }

    async fn query<T, F>(&self, query: F) -> Result<T, DeskStoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.worker.run(|connection| query(connection)).await.map_err(failed)
    }
}

fn failed(error: WorkError) -> DeskStoreError {
    match error {
        WorkError::Sqlite(e) if is_damage(&e) => DeskStoreError::Damaged(e.to_string()),
        other => DeskStoreError::Unavailable(other.to_string()),
    }
}

/// Makes a violated uniqueness or reference a refusal.
fn refuse<T>(result: rusqlite::Result<T>, taken: &'static str, missing: &'static str) -> Answer<T> {
    let code = match &result {
        Err(rusqlite::Error::SqliteFailure(e, _)) => e.extended_code,
        _ => return result.map(Ok),
    };
    match code {
        SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY => {
            Ok(Err(DeskStoreError::Taken(taken)))
        }
        SQLITE_CONSTRAINT_FOREIGNKEY => Ok(Err(DeskStoreError::Missing(missing))),
        _ => result.map(Ok),
    }
}

#[async_trait]
impl DeskStore for SqliteDesk {
    async fn sites(&self) -> Result<Vec<Versioned<StoredSite>>, DeskStoreError> {
        self.query(sites::all).await
    }

    async fn site(&self, id: &SiteId) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        let id = id.clone();
        self.query(move |connection| sites::by_id(connection, &id)).await
    }

    async fn site_by_key(
        &self,
        key: &str,
    ) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        let key = key.to_owned();
        self.query(move |connection| sites::by_key(connection, &key)).await
    }

    async fn put_site(
        &self,
        site: StoredSite,
        expected_version: u64,
    ) -> Result<u64, DeskStoreError> {
        self.run(move |connection| sites::put(connection, &site, expected_version)).await
    }

    async fn accounts(&self, site: &SiteId) -> Result<Vec<StoredAccount>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| accounts::of_site(connection, &site)).await
    }

    async fn account(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| accounts::by_id(connection, &site, id)).await
    }

    async fn account_by_email(
        &self,
        site: &SiteId,
        email: &str,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let (site, email) = (site.clone(), email.to_owned());
        self.query(move |connection| accounts::by_email(connection, &site, &email)).await
    }

    async fn add_account(&self, account: StoredAccount) -> Result<(), DeskStoreError> {
        self.run(move |connection| accounts::add(connection, &account)).await
    }

    async fn change_account(&self, account: StoredAccount) -> Result<(), DeskStoreError> {
        self.run(move |connection| accounts::change(connection, &account)).await
    }

    async fn set_password_hash(
        &self,
        site: &SiteId,
        id: AgentId,
        password_hash: String,
    ) -> Result<(), DeskStoreError> {
        let site = site.clone();
        self.run(move |connection| {
            accounts::set_password_hash(connection, &site, id, &password_hash)
        })
        .await
    }

    async fn end_sessions(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError> {
        let site = site.clone();
        self.run(move |connection| accounts::end_sessions(connection, &site, id)).await
    }

    async fn generations(&self, site: &SiteId) -> Result<BTreeMap<AgentId, u32>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| accounts::generations(connection, &site)).await
    }

    async fn bound_account(
        &self,
        site: &SiteId,
        who: &Identity,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let (site, who) = (site.clone(), who.clone());
        self.query(move |connection| bindings::account(connection, &site, &who)).await
    }

    async fn identities(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Vec<Identity>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| bindings::of_account(connection, &site, id)).await
    }

    async fn bind(&self, site: &SiteId, id: AgentId, who: &Identity) -> Result<(), DeskStoreError> {
        let (site, who) = (site.clone(), who.clone());
        self.run(move |connection| bindings::bind(connection, &site, id, &who)).await
    }

    async fn unbind(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError> {
        let site = site.clone();
        self.run(move |connection| bindings::unbind(connection, &site, id)).await
    }

    async fn add_attachment(&self, attachment: StoredAttachment) -> Result<(), DeskStoreError> {
        self.run(move |connection| attachments::add(connection, &attachment)).await
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| attachments::by_id(connection, &site, id)).await
    }

    async fn attachments(
        &self,
        site: &SiteId,
        query: AttachmentQuery,
    ) -> Result<Vec<StoredAttachment>, DeskStoreError> {
        let site = site.clone();
        self.query(move |connection| attachments::list(connection, &site, &query)).await
    }

    async fn remove_attachments(
        &self,
        site: &SiteId,
        ids: &[AttachmentId],
    ) -> Result<(), DeskStoreError> {
        let (site, ids) = (site.clone(), ids.to_vec());
        self.run(move |connection| attachments::remove(connection, &site, &ids).map(Ok)).await
    }

    async fn add_audit(&self, entry: AuditEntry) -> Result<(), DeskStoreError> {
        self.run(move |connection| audit::add(connection, &entry)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, DeskStoreError> {
        self.query(move |connection| audit::list(connection, &query)).await
    }
}
