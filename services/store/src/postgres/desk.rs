//! The desk's tables on PostgreSQL.

use super::database::{Database, Params};
use super::error::{Failure, PostgresError};
use super::migrate::migrate;
use super::settings::PostgresSettings;
use crate::desk::{
    AccountKind, DeskStore, DeskStoreError, StoredAccount, StoredAttachment, StoredSite, Versioned,
};
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, InvalidId, QueueId, SiteId};
use frontdesk_core::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

/// Seldom asked.
const CONNECTIONS: u8 = 2;

const SITES: &str = "SELECT version, value FROM sites ORDER BY id";
const SITE: &str = "SELECT version, value FROM sites WHERE id = $1";
const SITE_BY_KEY: &str = "SELECT version, value FROM sites WHERE key = $1";
const ADD_SITE: &str = "INSERT INTO sites (id, version, key, value) VALUES ($1, 1, $2, $3)
    ON CONFLICT (id) DO NOTHING RETURNING version";
const CHANGE_SITE: &str = "UPDATE sites SET version = version + 1, key = $2, value = $3
    WHERE id = $1 AND version = $4 RETURNING version";
const VERSION: &str = "SELECT version FROM sites WHERE id = $1";
const ACCOUNTS: &str = "SELECT id, site, email, supervisor, name, capacity, queues, disabled,
    password_hash FROM accounts WHERE site = $1 ORDER BY email COLLATE \"C\"";
const ACCOUNT: &str = "SELECT id, site, email, supervisor, name, capacity, queues, disabled,
    password_hash FROM accounts WHERE site = $1 AND id = $2";
const ACCOUNT_BY_EMAIL: &str = "SELECT id, site, email, supervisor, name, capacity, queues,
    disabled, password_hash FROM accounts WHERE site = $1 AND email = $2";
const ADD_ACCOUNT: &str = "INSERT INTO accounts (id, site, email, supervisor, name, capacity,
    queues, disabled, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SET_PASSWORD: &str = "UPDATE accounts SET password_hash = $3 WHERE site = $1 AND id = $2
    RETURNING id";
const ADD_ATTACHMENT: &str = "INSERT INTO attachments
    (id, site, conversation, name, media_type, size, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ATTACHMENT: &str = "SELECT conversation, name, media_type, size, created_at
    FROM attachments WHERE site = $1 AND id = $2";

/// See the module. Any number of processes may have one.
pub struct PostgresDesk {
    database: Database,
}

impl PostgresDesk {
    /// Brings the tables up to date.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        migrate(settings).await?;
        Ok(Self { database: Database::new(settings, CONNECTIONS)? })
    }

    async fn rows(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, DeskStoreError> {
        self.database.query(sql, params).await.map_err(failed)
    }

    async fn row(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Option<Row>, DeskStoreError> {
        self.database.row(sql, params).await.map_err(failed)
    }
}

fn failed(failure: Failure) -> DeskStoreError {
    match failure {
        Failure::Damaged(what) => DeskStoreError::Damaged(what),
        other => DeskStoreError::Unavailable(other.to_string()),
    }
}

/// Makes a violated uniqueness or reference a refusal.
fn refused(failure: Failure, taken: &'static str) -> DeskStoreError {
    match failure {
        Failure::Exists(_) => DeskStoreError::Taken(taken),
        Failure::Dangling(_) => DeskStoreError::Missing("site"),
        other => failed(other),
    }
}

fn damaged(error: impl std::fmt::Display) -> DeskStoreError {
    DeskStoreError::Damaged(error.to_string())
}

fn site(row: &Row) -> Result<Versioned<StoredSite>, DeskStoreError> {
    let version: i64 = row.get(0);
    let value = serde_json::from_str(row.get(1)).map_err(damaged)?;
    Ok(Versioned { version: version.cast_unsigned(), value })
}

fn account(row: &Row) -> Result<StoredAccount, DeskStoreError> {
    let queues: Vec<&str> = row.get(6);
    let queues: Result<Vec<QueueId>, InvalidId> = queues.iter().map(|q| q.parse()).collect();
    Ok(StoredAccount {
        id: AgentId::from_uuid(row.get(0)),
        site: row.get::<_, &str>(1).parse().map_err(damaged)?,
        email: row.get(2),
        kind: if row.get(3) { AccountKind::Supervisor } else { AccountKind::Agent },
        name: row.get(4),
        capacity: u32::try_from(row.get::<_, i32>(5)).map_err(damaged)?,
        queues: queues.map_err(damaged)?,
        disabled: row.get(7),
        password_hash: row.get(8),
    })
}

#[async_trait]
impl DeskStore for PostgresDesk {
    async fn sites(&self) -> Result<Vec<Versioned<StoredSite>>, DeskStoreError> {
        self.rows(SITES, &[]).await?.iter().map(site).collect()
    }

    async fn site(&self, id: &SiteId) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        self.row(SITE, &[&id.as_str()]).await?.as_ref().map(site).transpose()
    }

    async fn site_by_key(
        &self,
        key: &str,
    ) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        self.row(SITE_BY_KEY, &[&key]).await?.as_ref().map(site).transpose()
    }

    async fn put_site(
        &self,
        site: StoredSite,
        expected_version: u64,
    ) -> Result<u64, DeskStoreError> {
        let value = serde_json::to_string(&site).map_err(damaged)?;
        let (id, key, expected) = (site.id.as_str(), site.key, expected_version.cast_signed());
        let put = if expected_version == 0 {
            self.database.row(ADD_SITE, &[&id, &key, &value]).await
        } else {
            self.database.row(CHANGE_SITE, &[&id, &key, &value, &expected]).await
        };
        if let Some(row) = put.map_err(|f| refused(f, "site key"))? {
            return Ok(row.get::<_, i64>(0).cast_unsigned());
        }
        let version = self.row(VERSION, &[&id]).await?.map_or(0, |row| row.get::<_, i64>(0));
        Err(DeskStoreError::Stale { what: "site", version: version.cast_unsigned() })
    }

    async fn accounts(&self, site: &SiteId) -> Result<Vec<StoredAccount>, DeskStoreError> {
        self.rows(ACCOUNTS, &[&site.as_str()]).await?.iter().map(account).collect()
    }

    async fn account(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let found = self.row(ACCOUNT, &[&site.as_str(), &id.as_uuid()]).await?;
        found.as_ref().map(account).transpose()
    }

    async fn account_by_email(
        &self,
        site: &SiteId,
        email: &str,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let found = self.row(ACCOUNT_BY_EMAIL, &[&site.as_str(), &email]).await?;
        found.as_ref().map(account).transpose()
    }

    async fn add_account(&self, account: StoredAccount) -> Result<(), DeskStoreError> {
        let queues: Vec<&str> = account.queues.iter().map(QueueId::as_str).collect();
        let capacity = i32::try_from(account.capacity).unwrap_or(i32::MAX);
        let (id, site) = (account.id.as_uuid(), account.site.as_str());
        let supervisor = account.kind == AccountKind::Supervisor;
        let params: Params<'_> = &[
            &id,
            &site,
            &account.email,
            &supervisor,
            &account.name,
            &capacity,
            &queues,
            &account.disabled,
            &account.password_hash,
        ];
        let added = self.database.query(ADD_ACCOUNT, params).await;
        added.map(|_| ()).map_err(|f| refused(f, "account id or address"))
    }

    async fn set_password_hash(
        &self,
        site: &SiteId,
        id: AgentId,
        password_hash: String,
    ) -> Result<(), DeskStoreError> {
        let (site, id) = (site.as_str(), id.as_uuid());
        let set = self.row(SET_PASSWORD, &[&site, &id, &password_hash]).await?;
        set.map(|_| ()).ok_or(DeskStoreError::Missing("account"))
    }

    async fn add_attachment(&self, attachment: StoredAttachment) -> Result<(), DeskStoreError> {
        let created_at = attachment.created_at.as_millis().cast_signed();
        let (id, site) = (attachment.id.as_uuid(), attachment.site.as_str());
        let (conversation, size) = (attachment.conversation.as_uuid(), i64::from(attachment.size));
        let params: Params<'_> = &[
            &id,
            &site,
            &conversation,
            &attachment.name,
            &attachment.media_type,
            &size,
            &created_at,
        ];
        let added = self.database.query(ADD_ATTACHMENT, params).await;
        added.map(|_| ()).map_err(|f| refused(f, "attachment id"))
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, DeskStoreError> {
        let found = self.row(ATTACHMENT, &[&site.as_str(), &id.as_uuid()]).await?;
        let Some(row) = found else { return Ok(None) };
        Ok(Some(StoredAttachment {
            id,
            site: site.clone(),
            conversation: ConversationId::from_uuid(row.get::<_, Uuid>(0)),
            name: row.get(1),
            media_type: row.get(2),
            size: u32::try_from(row.get::<_, i64>(3)).map_err(damaged)?,
            created_at: Timestamp::from_millis(row.get::<_, i64>(4).cast_unsigned()),
        }))
    }
}
