//! The audit log: added to and read, nothing else.

use super::rows::damaged;
use super::{PostgresDesk, can_be_stored, failed, refused};
use crate::desk::DeskStoreError;
use crate::postgres::database::Params;
use crate::postgres::error::Failure;
use crate::shape::{role_name, role_of};
use frontdesk_core::audit::{Act, AuditActor, AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AuditId};
use frontdesk_core::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

const ADD: &str = "INSERT INTO audit
    (id, site, at, actor, actor_name, actor_role, act, subject, details, origin)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const BY_ID: &str = "SELECT id, site, at, actor, actor_name, actor_role, act, subject, details,
    origin FROM audit WHERE id = $1";
const LIST: &str = "SELECT id, site, at, actor, actor_name, actor_role, act, subject, details,
    origin FROM audit
    WHERE site = $1 AND at >= $2 AND at < $3 AND (at, id) < ($4, $5)
        AND ($6::uuid IS NULL OR actor = $6) AND ($7::text IS NULL OR actor_name = $7)
        AND ($8::text IS NULL OR act = $8) AND ($9::text IS NULL OR subject = $9)
    ORDER BY at DESC, id DESC LIMIT $10";

impl PostgresDesk {
    pub(super) async fn add_entry(&self, entry: AuditEntry) -> Result<(), DeskStoreError> {
        let by = &entry.by;
        let params: Params<'_> = &[
            &entry.id.as_uuid(),
            &entry.site.as_str(),
            &by.at.as_millis().cast_signed(),
            &by.id.as_uuid(),
            &&*by.name,
            &role_name(by.role),
            &entry.act.as_str(),
            &entry.subject,
            &entry.details,
            &&*by.origin,
        ];
        match self.database.query(ADD, params).await {
            Ok(_) => Ok(()),
            // Its own answer may have been lost, now or when it was added before.
            Err(failure @ (Failure::Unknown(_) | Failure::Exists(_))) => {
                let stored = self.row(BY_ID, &[&entry.id.as_uuid()]).await?;
                let stored = stored.as_ref().map(of_row).transpose()?;
                if stored == Some(entry) { Ok(()) } else { Err(refused(failure, "audit id")) }
            }
            Err(failure) => Err(refused(failure, "audit id")),
        }
    }

    pub(super) async fn entries(
        &self,
        query: &AuditQuery,
    ) -> Result<Vec<AuditEntry>, DeskStoreError> {
        let at = |bound: Option<Timestamp>, otherwise: i64| {
            bound.map_or(otherwise, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
        };
        let (id, name) = match &query.actor {
            None => (None, None),
            Some(AuditActor::Id(id)) => (Some(id.as_uuid()), None),
            Some(AuditActor::Named(name)) => (None, Some(name.as_str())),
        };
        let subject = query.subject.as_deref();
        if [name, subject].into_iter().flatten().any(|text| !can_be_stored(text)) {
            return Ok(Vec::new());
        }
        let before = query.before.map_or(Uuid::max(), |place| place.id.as_uuid());
        let params: Params<'_> = &[
            &query.site.as_str(),
            &at(query.from, 0),
            &at(query.to, i64::MAX),
            &at(query.before.map(|place| place.at), i64::MAX),
            &before,
            &id,
            &name,
            &query.act.as_ref().map(Act::as_str),
            &subject,
            &i64::from(query.limit),
        ];
        let rows = self.database.query(LIST, params).await.map_err(failed)?;
        rows.iter().map(of_row).collect()
    }
}

fn of_row(row: &Row) -> Result<AuditEntry, DeskStoreError> {
    let text = |column: usize| row.get::<_, &str>(column);
    Ok(AuditEntry {
        id: AuditId::from_uuid(row.get(0)),
        site: text(1).parse().map_err(damaged)?,
        by: Author {
            at: Timestamp::from_millis(row.get::<_, i64>(2).cast_unsigned()),
            id: AgentId::from_uuid(row.get(3)),
            name: text(4).into(),
            role: role_of(text(5)),
            origin: text(9).into(),
        },
        act: text(6).parse().map_err(damaged)?,
        subject: text(7).to_owned(),
        details: text(8).to_owned(),
    })
}
