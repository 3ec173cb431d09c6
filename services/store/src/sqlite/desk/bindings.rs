//! Whom accounts are bound to. Everything here runs on one thread: nobody changes a thing
//! in between.

use super::{Answer, accounts};
use crate::desk::{DeskStoreError, StoredAccount};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, SiteId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

const ACCOUNT: &str =
    "SELECT account FROM bindings WHERE site = ?1 AND issuer = ?2 AND subject = ?3";
const OF_ACCOUNT: &str = "SELECT issuer, subject FROM bindings
    WHERE site = ?1 AND account = ?2 ORDER BY issuer";
const BIND: &str = "INSERT INTO bindings (site, issuer, subject, account)
    SELECT site, ?3, ?4, id FROM accounts WHERE site = ?1 AND id = ?2
    ON CONFLICT DO NOTHING";
const UNBIND: &str = "DELETE FROM bindings WHERE site = ?1 AND account = ?2";

pub(super) fn account(
    connection: &Connection,
    site: &SiteId,
    who: &Identity,
) -> rusqlite::Result<Option<StoredAccount>> {
    let bound = connection
        .prepare_cached(ACCOUNT)?
        .query_row(params![site.as_str(), who.issuer, who.subject], |row| row.get(0))
        .optional()?;
    match bound {
        Some(id) => accounts::by_id(connection, site, AgentId::from_uuid(Uuid::from_bytes(id))),
        None => Ok(None),
    }
}

pub(super) fn of_account(
    connection: &Connection,
    site: &SiteId,
    id: AgentId,
) -> rusqlite::Result<Vec<Identity>> {
    connection
        .prepare_cached(OF_ACCOUNT)?
        .query_map(params![site.as_str(), id.as_bytes()], |row| {
            Ok(Identity { issuer: row.get(0)?, subject: row.get(1)? })
        })?
        .collect()
}

pub(super) fn bind(
    connection: &Connection,
    site: &SiteId,
    id: AgentId,
    who: &Identity,
) -> Answer<()> {
    let added = connection.prepare_cached(BIND)?.execute(params![
        site.as_str(),
        id.as_bytes(),
        who.issuer,
        who.subject
    ])?;
    if added > 0 {
        return Ok(Ok(()));
    }
    if accounts::by_id(connection, site, id)?.is_none() {
        return Ok(Err(DeskStoreError::Missing("account")));
    }
    let bound = account(connection, site, who)?;
    let stands = bound.is_some_and(|account| account.id == id);
    Ok(if stands { Ok(()) } else { Err(DeskStoreError::Taken("identity")) })
}

pub(super) fn unbind(connection: &mut Connection, site: &SiteId, id: AgentId) -> Answer<u32> {
    let transaction = connection.transaction()?;
    let params = params![site.as_str(), id.as_bytes()];
    transaction.prepare_cached(UNBIND)?.execute(params)?;
    let generation = accounts::end_sessions(&transaction, site, id)?;
    transaction.commit()?;
    Ok(generation)
}
