//! Accounts, each within its site.

use super::{Answer, refuse};
use crate::desk::{AccountKind, DeskStoreError, StoredAccount};
use crate::sqlite::error::bad_column;
use frontdesk_core::ids::{AgentId, InvalidId, QueueId, SiteId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use uuid::Uuid;

const OF_SITE: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = ?1 ORDER BY email";
const BY_ID: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = ?1 AND id = ?2";
const BY_EMAIL: &str = "SELECT id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details, generation FROM accounts WHERE site = ?1 AND email = ?2";
const ADD: &str = "INSERT INTO accounts (id, site, email, kind, name, capacity, queues, disabled,
    password_hash, skills, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const CHANGE: &str = "UPDATE accounts SET kind = ?3, name = ?4, capacity = ?5, queues = ?6,
    disabled = ?7, skills = ?8, details = ?9,
    generation = generation + (kind <> ?3 OR disabled < ?7) WHERE site = ?1 AND id = ?2";
const SET_PASSWORD: &str = "UPDATE accounts SET password_hash = ?3,
    generation = generation + (password_hash <> ?3) WHERE site = ?1 AND id = ?2";
const END_SESSIONS: &str = "UPDATE accounts SET generation = generation + 1
    WHERE site = ?1 AND id = ?2 RETURNING generation";
const GENERATIONS: &str = "SELECT id, generation FROM accounts WHERE site = ?1 AND generation > 0";

pub(super) fn of_site(
    connection: &Connection,
    site: &SiteId,
) -> rusqlite::Result<Vec<StoredAccount>> {
    connection.prepare_cached(OF_SITE)?.query_map([site.as_str()], account)?.collect()
}

pub(super) fn by_id(
    connection: &Connection,
    site: &SiteId,
    id: AgentId,
) -> rusqlite::Result<Option<StoredAccount>> {
    connection
        .prepare_cached(BY_ID)?
        .query_row(params![site.as_str(), id.as_bytes()], account)
        .optional()
}

pub(super) fn by_email(
    connection: &Connection,
    site: &SiteId,
    email: &str,
) -> rusqlite::Result<Option<StoredAccount>> {
    connection
        .prepare_cached(BY_EMAIL)?
        .query_row(params![site.as_str(), email], account)
        .optional()
}

pub(super) fn add(connection: &Connection, account: &StoredAccount) -> Answer<()> {
    let added = connection.prepare_cached(ADD)?.execute(params![
        account.id.as_bytes(),
        account.site.as_str(),
        account.email,
        kind_name(account.kind),
        account.name,
        account.capacity,
        queues(account),
        account.disabled,
        account.password_hash,
        json(&account.skills)?,
        json(&account.details)?,
    ]);
    refuse(added.map(drop), "account", "site")
}

pub(super) fn change(connection: &Connection, account: &StoredAccount) -> Answer<()> {
    let changed = connection.prepare_cached(CHANGE)?.execute(params![
        account.site.as_str(),
        account.id.as_bytes(),
        kind_name(account.kind),
        account.name,
        account.capacity,
        queues(account),
        account.disabled,
        json(&account.skills)?,
        json(&account.details)?,
    ])?;
    Ok(if changed == 0 { Err(DeskStoreError::Missing("account")) } else { Ok(()) })
}

/// As the `queues` column has them.
fn queues(account: &StoredAccount) -> String {
    account.queues.iter().map(QueueId::as_str).collect::<Vec<_>>().join(" ")
}

/// As the columns `skills` and `details` have them.
fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

pub(super) fn set_password_hash(
    connection: &Connection,
    site: &SiteId,
    id: AgentId,
    password_hash: &str,
) -> Answer<()> {
    let changed = connection.prepare_cached(SET_PASSWORD)?.execute(params![
        site.as_str(),
        id.as_bytes(),
        password_hash
    ])?;
    Ok(if changed == 0 { Err(DeskStoreError::Missing("account")) } else { Ok(()) })
}

pub(super) fn end_sessions(connection: &Connection, site: &SiteId, id: AgentId) -> Answer<u32> {
    let ended = connection
        .prepare_cached(END_SESSIONS)?
        .query_row(params![site.as_str(), id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(ended.ok_or(DeskStoreError::Missing("account")))
}

pub(super) fn generations(
    connection: &Connection,
    site: &SiteId,
) -> rusqlite::Result<BTreeMap<AgentId, u32>> {
    let of_row =
        |row: &Row<'_>| Ok((AgentId::from_uuid(Uuid::from_bytes(row.get(0)?)), row.get(1)?));
    connection.prepare_cached(GENERATIONS)?.query_map([site.as_str()], of_row)?.collect()
}

fn account(row: &Row<'_>) -> rusqlite::Result<StoredAccount> {
    let site: String = row.get(1)?;
    let kind: String = row.get(3)?;
    let queues: String = row.get(6)?;
    Ok(StoredAccount {
        id: AgentId::from_uuid(Uuid::from_bytes(row.get(0)?)),
        site: site.parse().map_err(|e: InvalidId| bad_column(1, e))?,
        email: row.get(2)?,
        kind: if kind == kind_name(AccountKind::Supervisor) {
            AccountKind::Supervisor
        } else {
            AccountKind::Agent
        },
        name: row.get(4)?,
        capacity: row.get(5)?,
        queues: queues
            .split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<_, InvalidId>>()
            .map_err(|e| bad_column(6, e))?,
        disabled: row.get(7)?,
        password_hash: row.get(8)?,
        skills: document(row, 9)?,
        details: document(row, 10)?,
        generation: row.get(11)?,
    })
}

fn document<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|e| bad_column(column, e))?;
    serde_json::from_str(text).map_err(|e| bad_column(column, e))
}

/// As the `kind` column has it, whose constraint allows no other.
fn kind_name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Agent => "agent",
        AccountKind::Supervisor => "supervisor",
    }
}
