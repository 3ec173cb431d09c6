//! The desk's tables on PostgreSQL. A change is one statement, so that any number
//! of processes may make changes at once; one whose answer is lost is looked up.

mod audit;
mod bindings;
mod rows;
#[cfg(test)]
mod tests;

use super::database::{Database, Params};
use super::error::{Failure, PostgresError};
use super::migrate::migrate;
use super::settings::PostgresSettings;
use crate::desk::{
    AttachmentQuery, DeskStore, DeskStoreError, StoredAccount, StoredAttachment, StoredSite,
    Versioned,
};
use async_trait::async_trait;
use frontdesk_core::audit::{AuditEntry, AuditQuery};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AttachmentId, QueueId, SiteId};
use std::collections::BTreeMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Seldom asked.
const CONNECTIONS: u8 = 2;

const SITES: &str = "SELECT version, settings FROM sites ORDER BY id";
const SITE: &str = "SELECT version, settings FROM sites WHERE id = $1";
const SITE_BY_KEY: &str = "SELECT version, settings FROM sites WHERE key = $1";
const ADD_SITE: &str = "INSERT INTO sites (id, version, key, settings) VALUES ($1, 1, $2, $3)
    ON CONFLICT (id) DO NOTHING RETURNING version";
const CHANGE_SITE: &str = "UPDATE sites SET version = version + 1, key = $2, settings = $3
    WHERE id = $1 AND version = $4 RETURNING version";
const VERSION: &str = "SELECT version FROM sites WHERE id = $1";
const ACCOUNTS: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = $1 ORDER BY email";
const ACCOUNT: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = $1 AND id = $2";
const ACCOUNT_BY_EMAIL: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = $1 AND email = $2";
const ADD_ACCOUNT: &str = "INSERT INTO accounts (id, site, email, kind, name, capacity, queues,
    disabled, password_hash, skills, details) VALUES
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const CHANGE_ACCOUNT: &str = "UPDATE accounts SET kind = $3, name = $4, capacity = $5,
    queues = $6, disabled = $7, skills = $8, details = $9,
    generation = generation + CASE WHEN kind <> $3 OR ($7 AND NOT disabled) THEN 1 ELSE 0 END
    WHERE site = $1 AND id = $2 RETURNING id";
const SET_PASSWORD: &str = "UPDATE accounts SET password_hash = $3,
    generation = generation + CASE WHEN password_hash <> $3 THEN 1 ELSE 0 END
    WHERE site = $1 AND id = $2 RETURNING id";
const END_SESSIONS: &str = "UPDATE accounts SET generation = generation + 1
    WHERE site = $1 AND id = $2 RETURNING generation";
const GENERATIONS: &str = "SELECT id, generation FROM accounts
    WHERE site = $1 AND generation > 0";
const ADD_ATTACHMENT: &str = "INSERT INTO attachments
    (id, site, conversation, name, media_type, size, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ATTACHMENT: &str = "SELECT id, site, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = $1 AND id = $2";
const ATTACHMENTS_OF: &str = "SELECT id, site, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = $1 AND conversation = $2 ORDER BY created_at, id";
const ATTACHMENTS_BEFORE: &str = "SELECT id, site, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3";
const REMOVE_ATTACHMENTS: &str = "DELETE FROM attachments WHERE site = $1 AND id = ANY($2)";

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

    /// Of a site; 0 when there is none.
    async fn version(&self, site: &str) -> Result<u64, DeskStoreError> {
        Ok(self.row(VERSION, &[&site]).await?.as_ref().map_or(0, rows::version))
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

/// Of somebody who has not seen what stands.
fn stale(version: u64) -> DeskStoreError {
    DeskStoreError::Stale { what: "site", version }
}

/// PostgreSQL has no NUL in text and refuses a look-up with one.
fn can_be_stored(text: &str) -> bool {
    !text.contains('\0')
}

#[async_trait]
impl DeskStore for PostgresDesk {
    async fn sites(&self) -> Result<Vec<Versioned<StoredSite>>, DeskStoreError> {
        self.rows(SITES, &[]).await?.iter().map(rows::site).collect()
    }

    async fn site(&self, id: &SiteId) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        self.row(SITE, &[&id.as_str()]).await?.as_ref().map(rows::site).transpose()
    }

    async fn site_by_key(
        &self,
        key: &str,
    ) -> Result<Option<Versioned<StoredSite>>, DeskStoreError> {
        if !can_be_stored(key) {
            return Ok(None);
        }
        self.row(SITE_BY_KEY, &[&key]).await?.as_ref().map(rows::site).transpose()
    }

    async fn put_site(
        &self,
        site: StoredSite,
        expected_version: u64,
    ) -> Result<u64, DeskStoreError> {
        let settings = serde_json::to_string(&site).map_err(rows::damaged)?;
        let (id, expected) = (site.id.as_str(), expected_version.cast_signed());
        let put = if expected_version == 0 {
            self.database.row(ADD_SITE, &[&id, &site.key, &settings]).await
        } else {
            self.database.row(CHANGE_SITE, &[&id, &site.key, &settings, &expected]).await
        };
        match put {
            Ok(Some(row)) => Ok(rows::version(&row)),
            Ok(None) => Err(stale(self.version(id).await?)),
            // Of rivals that add the same site, one may run into the key of the one that
            // wins before it sees its name: it is late, like the others.
            Err(failure @ Failure::Exists(_)) => match self.version(id).await? {
                stands if stands == expected_version => Err(refused(failure, "site key")),
                stands => Err(stale(stands)),
            },
            Err(Failure::Unknown(why)) => {
                let next = expected_version.saturating_add(1);
                let stands = Some(Versioned { version: next, value: site.clone() });
                let stored = self.site(&site.id).await?;
                if stored == stands { Ok(next) } else { Err(DeskStoreError::Unavailable(why)) }
            }
            Err(failure) => Err(refused(failure, "site key")),
        }
    }

    async fn accounts(&self, site: &SiteId) -> Result<Vec<StoredAccount>, DeskStoreError> {
        self.rows(ACCOUNTS, &[&site.as_str()]).await?.iter().map(rows::account).collect()
    }

    async fn account(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        let found = self.row(ACCOUNT, &[&site.as_str(), &id.as_uuid()]).await?;
        found.as_ref().map(rows::account).transpose()
    }

    async fn account_by_email(
        &self,
        site: &SiteId,
        email: &str,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        if !can_be_stored(email) {
            return Ok(None);
        }
        let found = self.row(ACCOUNT_BY_EMAIL, &[&site.as_str(), &email]).await?;
        found.as_ref().map(rows::account).transpose()
    }

    async fn add_account(&self, account: StoredAccount) -> Result<(), DeskStoreError> {
        let queues: Vec<&str> = account.queues.iter().map(QueueId::as_str).collect();
        let params: Params<'_> = &[
            &account.id.as_uuid(),
            &account.site.as_str(),
            &account.email,
            &rows::kind_name(account.kind),
            &account.name,
            &i64::from(account.capacity),
            &queues,
            &account.disabled,
            &account.password_hash,
            &serde_json::to_string(&account.skills).map_err(rows::damaged)?,
            &serde_json::to_string(&account.details).map_err(rows::damaged)?,
        ];
        match self.database.query(ADD_ACCOUNT, params).await {
            Ok(_) => Ok(()),
            Err(Failure::Unknown(why)) => {
                let stands = self.account(&account.site, account.id).await? == Some(account);
                if stands { Ok(()) } else { Err(DeskStoreError::Unavailable(why)) }
            }
            Err(failure) => Err(refused(failure, "account")),
        }
    }

    async fn change_account(&self, account: StoredAccount) -> Result<(), DeskStoreError> {
        let queues: Vec<&str> = account.queues.iter().map(QueueId::as_str).collect();
        let params: Params<'_> = &[
            &account.site.as_str(),
            &account.id.as_uuid(),
            &rows::kind_name(account.kind),
            &account.name,
            &i64::from(account.capacity),
            &queues,
            &account.disabled,
            &serde_json::to_string(&account.skills).map_err(rows::damaged)?,
            &serde_json::to_string(&account.details).map_err(rows::damaged)?,
        ];
        // Not looked up when the answer is lost: changing it again does no harm.
        let changed = self.row(CHANGE_ACCOUNT, params).await?;
        changed.map(drop).ok_or(DeskStoreError::Missing("account"))
    }

    async fn set_password_hash(
        &self,
        site: &SiteId,
        id: AgentId,
        password_hash: String,
    ) -> Result<(), DeskStoreError> {
        // Not looked up when the answer is lost: setting it again does no harm.
        let set = self.row(SET_PASSWORD, &[&site.as_str(), &id.as_uuid(), &password_hash]).await?;
        set.map(drop).ok_or(DeskStoreError::Missing("account"))
    }

    async fn end_sessions(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError> {
        // Not looked up when the answer is lost: once more does no harm.
        let ended = self.row(END_SESSIONS, &[&site.as_str(), &id.as_uuid()]).await?;
        let row = ended.ok_or(DeskStoreError::Missing("account"))?;
        rows::generation(&row, 0)
    }

    async fn generations(&self, site: &SiteId) -> Result<BTreeMap<AgentId, u32>, DeskStoreError> {
        let rows = self.rows(GENERATIONS, &[&site.as_str()]).await?;
        let of_row = |row: &Row| Ok((AgentId::from_uuid(row.get(0)), rows::generation(row, 1)?));
        rows.iter().map(of_row).collect()
    }

    async fn bound_account(
        &self,
        site: &SiteId,
        who: &Identity,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        self.account_bound_to(site, who).await
    }

    async fn identities(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Vec<Identity>, DeskStoreError> {
        self.identities_of(site, id).await
    }

    async fn bind(&self, site: &SiteId, id: AgentId, who: &Identity) -> Result<(), DeskStoreError> {
        self.bind_account(site, id, who).await
    }

    async fn unbind(&self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError> {
        self.unbind_account(site, id).await
    }

    async fn add_attachment(&self, attachment: StoredAttachment) -> Result<(), DeskStoreError> {
        let params: Params<'_> = &[
            &attachment.id.as_uuid(),
            &attachment.site.as_str(),
            &attachment.conversation.as_uuid(),
            &attachment.name,
            &attachment.media_type,
            &i64::from(attachment.size),
            &attachment.created_at.as_millis().cast_signed(),
        ];
        match self.database.query(ADD_ATTACHMENT, params).await {
            Ok(_) => Ok(()),
            Err(Failure::Unknown(why)) => {
                let stored = self.attachment(&attachment.site, attachment.id).await?;
                let stands = stored == Some(attachment);
                if stands { Ok(()) } else { Err(DeskStoreError::Unavailable(why)) }
            }
            Err(failure) => Err(refused(failure, "attachment id")),
        }
    }

    async fn attachment(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<StoredAttachment>, DeskStoreError> {
        let found = self.row(ATTACHMENT, &[&site.as_str(), &id.as_uuid()]).await?;
        found.as_ref().map(rows::attachment).transpose()
    }

    async fn attachments(
        &self,
        site: &SiteId,
        query: AttachmentQuery,
    ) -> Result<Vec<StoredAttachment>, DeskStoreError> {
        let site = site.as_str();
        let found = match query {
            AttachmentQuery::OfConversation(conversation) => {
                self.rows(ATTACHMENTS_OF, &[&site, &conversation.as_uuid()]).await?
            }
            AttachmentQuery::Before(at, limit) => {
                let at = at.as_millis().cast_signed();
                self.rows(ATTACHMENTS_BEFORE, &[&site, &at, &i64::from(limit)]).await?
            }
        };
        found.iter().map(rows::attachment).collect()
    }

    async fn remove_attachments(
        &self,
        site: &SiteId,
        ids: &[AttachmentId],
    ) -> Result<(), DeskStoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        self.rows(REMOVE_ATTACHMENTS, &[&site.as_str(), &ids]).await.map(drop)
    }

    async fn add_audit(&self, entry: AuditEntry) -> Result<(), DeskStoreError> {
        self.add_entry(entry).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, DeskStoreError> {
        self.entries(&query).await
    }
}
