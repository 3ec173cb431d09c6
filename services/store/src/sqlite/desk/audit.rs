//! The audit log: added to and read, nothing else.

use super::{Answer, refuse};
use crate::desk::DeskStoreError;
use crate::shape::{role_name, role_of};
use crate::sqlite::error::bad_column;
use frontdesk_core::audit::{Act, AuditActor, AuditEntry, AuditQuery, Author, NoAct};
use frontdesk_core::ids::{AgentId, AuditId, InvalidId};
use frontdesk_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

const ADD: &str = "INSERT INTO audit
    (id, site, at, actor, actor_name, actor_role, act, subject, details, origin)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const BY_ID: &str = "SELECT id, site, at, actor, actor_name, actor_role, act, subject, details,
    origin FROM audit WHERE id = ?1";
const LIST: &str = "SELECT id, site, at, actor, actor_name, actor_role, act, subject, details,
    origin FROM audit
    WHERE site = ?1 AND at >= ?2 AND at < ?3 AND (at, id) < (?4, ?5)
        AND (?6 IS NULL OR actor = ?6) AND (?7 IS NULL OR actor_name = ?7)
        AND (?8 IS NULL OR act = ?8) AND (?9 IS NULL OR subject = ?9)
    ORDER BY at DESC, id DESC LIMIT ?10";

/// Every statement of this file's runs on one thread: nobody adds it in between.
pub(super) fn add(connection: &Connection, entry: &AuditEntry) -> Answer<()> {
    let known = connection.prepare_cached(BY_ID)?.query_row([entry.id.as_bytes()], of_row);
    if let Some(known) = known.optional()? {
        let same = known == *entry;
        return Ok(if same { Ok(()) } else { Err(DeskStoreError::Taken("audit id")) });
    }
    let by = &entry.by;
    let added = connection.prepare_cached(ADD)?.execute(params![
        entry.id.as_bytes(),
        entry.site.as_str(),
        by.at.as_millis().cast_signed(),
        by.id.as_bytes(),
        &*by.name,
        role_name(by.role),
        entry.act.as_str(),
        entry.subject,
        entry.details,
        &*by.origin,
    ]);
    refuse(added.map(drop), "audit id", "site")
}

pub(super) fn list(
    connection: &Connection,
    query: &AuditQuery,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let at = |bound: Option<Timestamp>, otherwise: i64| {
        bound.map_or(otherwise, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
    };
    let (id, name) = match &query.actor {
        None => (None, None),
        Some(AuditActor::Id(id)) => (Some(id.as_bytes()), None),
        Some(AuditActor::Named(name)) => (None, Some(name)),
    };
    let before = query.before.map_or(Uuid::max(), |place| place.id.as_uuid());
    connection
        .prepare_cached(LIST)?
        .query_map(
            params![
                query.site.as_str(),
                at(query.from, 0),
                at(query.to, i64::MAX),
                at(query.before.map(|place| place.at), i64::MAX),
                before.as_bytes(),
                id,
                name,
                query.act.as_ref().map(Act::as_str),
                query.subject,
                query.limit,
            ],
            of_row,
        )?
        .collect()
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let text = |column: usize| row.get::<_, String>(column);
    Ok(AuditEntry {
        id: AuditId::from_uuid(Uuid::from_bytes(row.get(0)?)),
        site: text(1)?.parse().map_err(|e: InvalidId| bad_column(1, e))?,
        by: Author {
            at: Timestamp::from_millis(row.get::<_, i64>(2)?.cast_unsigned()),
            id: AgentId::from_uuid(Uuid::from_bytes(row.get(3)?)),
            name: text(4)?.into(),
            role: role_of(&text(5)?),
            origin: text(9)?.into(),
        },
        act: text(6)?.parse().map_err(|e: NoAct| bad_column(6, e))?,
        subject: text(7)?,
        details: text(8)?,
    })
}
