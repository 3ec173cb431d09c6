//! Whom accounts are bound to.

use super::{PostgresDesk, can_be_stored, failed, rows};
use crate::desk::{DeskStoreError, StoredAccount};
use crate::postgres::database::Params;
use crate::postgres::error::Failure;
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, SiteId};
use tokio_postgres::Row;

const ACCOUNT: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE id =
    (SELECT account FROM bindings WHERE site = $1 AND issuer = $2 AND subject = $3)";
const OF_ACCOUNT: &str = "SELECT issuer, subject FROM bindings
    WHERE site = $1 AND account = $2 ORDER BY issuer";
const BIND: &str = "INSERT INTO bindings (site, issuer, subject, account)
    SELECT site, $3, $4, id FROM accounts WHERE site = $1 AND id = $2
    ON CONFLICT DO NOTHING RETURNING account";
const UNBIND: &str = "WITH gone AS (DELETE FROM bindings WHERE site = $1 AND account = $2)
    UPDATE accounts SET generation = generation + 1 WHERE site = $1 AND id = $2
    RETURNING generation";

impl PostgresDesk {
    pub(super) async fn account_bound_to(
        &self,
        site: &SiteId,
        who: &Identity,
    ) -> Result<Option<StoredAccount>, DeskStoreError> {
        if !can_be_stored(&who.issuer) || !can_be_stored(&who.subject) {
            return Ok(None);
        }
        let params: Params<'_> = &[&site.as_str(), &who.issuer, &who.subject];
        self.row(ACCOUNT, params).await?.as_ref().map(rows::account).transpose()
    }

    pub(super) async fn identities_of(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<Vec<Identity>, DeskStoreError> {
        let rows = self.rows(OF_ACCOUNT, &[&site.as_str(), &id.as_uuid()]).await?;
        let of_row = |row: &Row| Identity { issuer: row.get(0), subject: row.get(1) };
        Ok(rows.iter().map(of_row).collect())
    }

    pub(super) async fn bind_account(
        &self,
        site: &SiteId,
        id: AgentId,
        who: &Identity,
    ) -> Result<(), DeskStoreError> {
        let params: Params<'_> = &[&site.as_str(), &id.as_uuid(), &who.issuer, &who.subject];
        let not_added = match self.database.row(BIND, params).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => DeskStoreError::Taken("identity"),
            Err(failure @ Failure::Unknown(_)) => failed(failure),
            Err(failure) => return Err(failed(failure)),
        };
        // It may have been so before, or its answer was lost.
        match self.account_bound_to(site, who).await? {
            Some(account) if account.id == id => return Ok(()),
            _ => {}
        }
        match self.row(super::ACCOUNT, &[&site.as_str(), &id.as_uuid()]).await? {
            None => Err(DeskStoreError::Missing("account")),
            Some(_) => Err(not_added),
        }
    }

    pub(super) async fn unbind_account(
        &self,
        site: &SiteId,
        id: AgentId,
    ) -> Result<u32, DeskStoreError> {
        // Not looked up when the answer is lost: once more does no harm.
        let ended = self.row(UNBIND, &[&site.as_str(), &id.as_uuid()]).await?;
        let row = ended.ok_or(DeskStoreError::Missing("account"))?;
        rows::generation(&row, 0)
    }
}
