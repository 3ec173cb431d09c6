//! Sites: settings as JSON, with a version that every change must name.

use super::{Answer, refuse};
use crate::desk::{DeskStoreError, StoredSite, Versioned};
use crate::sqlite::error::bad_column;
use frontdesk_core::ids::SiteId;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

const ALL: &str = "SELECT version, settings FROM sites ORDER BY id";
const BY_ID: &str = "SELECT version, settings FROM sites WHERE id = ?1";
const BY_KEY: &str = "SELECT version, settings FROM sites WHERE key = ?1";
const VERSION: &str = "SELECT version FROM sites WHERE id = ?1";
const PUT: &str = "INSERT INTO sites (id, version, key, settings) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, key = excluded.key,
        settings = excluded.settings";

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Versioned<StoredSite>>> {
    connection.prepare_cached(ALL)?.query_map([], site)?.collect()
}

pub(super) fn by_id(
    connection: &Connection,
    id: &SiteId,
) -> rusqlite::Result<Option<Versioned<StoredSite>>> {
    connection.prepare_cached(BY_ID)?.query_row([id.as_str()], site).optional()
}

pub(super) fn by_key(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<Versioned<StoredSite>>> {
    connection.prepare_cached(BY_KEY)?.query_row([key], site).optional()
}

pub(super) fn put(
    connection: &mut Connection,
    site: &StoredSite,
    expected_version: u64,
) -> Answer<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stored: Option<i64> = transaction
        .prepare_cached(VERSION)?
        .query_row([site.id.as_str()], |row| row.get(0))
        .optional()?;
    let version = stored.unwrap_or(0).cast_unsigned();
    if version != expected_version {
        return Ok(Err(DeskStoreError::Stale { what: "site", version }));
    }
    let settings = serde_json::to_string(site)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    let next = version + 1;
    let put = transaction.prepare_cached(PUT)?.execute(params![
        site.id.as_str(),
        next.cast_signed(),
        site.key,
        settings
    ]);
    if let Err(refusal) = refuse(put, "site key", "site")? {
        return Ok(Err(refusal));
    }
    transaction.commit()?;
    Ok(Ok(next))
}

fn site(row: &Row<'_>) -> rusqlite::Result<Versioned<StoredSite>> {
    let version: i64 = row.get(0)?;
    let settings = row.get_ref(1)?.as_str().map_err(|e| bad_column(1, e))?;
    let value = serde_json::from_str(settings).map_err(|e| bad_column(1, e))?;
    Ok(Versioned { version: version.cast_unsigned(), value })
}
