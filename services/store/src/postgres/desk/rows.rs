//! Rows of the desk's tables, and the columns that a row must begin with.

use crate::desk::{
    AccountKind, DeskStoreError, StoredAccount, StoredAttachment, StoredSite, Versioned,
};
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, InvalidId, QueueId};
use frontdesk_core::time::Timestamp;
use tokio_postgres::Row;

pub(super) fn damaged(error: impl std::fmt::Display) -> DeskStoreError {
    DeskStoreError::Damaged(error.to_string())
}

/// Of `version`.
pub(super) fn version(row: &Row) -> u64 {
    row.get::<_, i64>(0).cast_unsigned()
}

/// Of `version, settings`.
pub(super) fn site(row: &Row) -> Result<Versioned<StoredSite>, DeskStoreError> {
    let value = serde_json::from_str(row.get(1)).map_err(damaged)?;
    Ok(Versioned { version: version(row), value })
}

/// Of `id, site, email, kind, name, capacity, queues, disabled, password_hash, skills,
/// details, generation`.
pub(super) fn account(row: &Row) -> Result<StoredAccount, DeskStoreError> {
    let queues: Vec<&str> = row.get(6);
    let queues: Result<Vec<QueueId>, InvalidId> = queues.iter().map(|q| q.parse()).collect();
    Ok(StoredAccount {
        id: AgentId::from_uuid(row.get(0)),
        site: row.get::<_, &str>(1).parse().map_err(damaged)?,
        email: row.get(2),
        kind: if row.get::<_, &str>(3) == kind_name(AccountKind::Supervisor) {
            AccountKind::Supervisor
        } else {
            AccountKind::Agent
        },
        name: row.get(4),
        capacity: u32::try_from(row.get::<_, i64>(5)).map_err(damaged)?,
        queues: queues.map_err(damaged)?,
        disabled: row.get(7),
        password_hash: row.get(8),
        skills: serde_json::from_str(row.get(9)).map_err(damaged)?,
        details: serde_json::from_str(row.get(10)).map_err(damaged)?,
        generation: generation(row, 11)?,
    })
}

pub(super) fn generation(row: &Row, column: usize) -> Result<u32, DeskStoreError> {
    u32::try_from(row.get::<_, i64>(column)).map_err(damaged)
}

/// As the `kind` column has it, whose constraint allows no other.
pub(super) fn kind_name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Agent => "agent",
        AccountKind::Supervisor => "supervisor",
    }
}

/// Of `id, site, conversation, name, media_type, size, created_at`.
pub(super) fn attachment(row: &Row) -> Result<StoredAttachment, DeskStoreError> {
    Ok(StoredAttachment {
        id: AttachmentId::from_uuid(row.get(0)),
        site: row.get::<_, &str>(1).parse().map_err(damaged)?,
        conversation: ConversationId::from_uuid(row.get(2)),
        name: row.get(3),
        media_type: row.get(4),
        size: u32::try_from(row.get::<_, i64>(5)).map_err(damaged)?,
        created_at: Timestamp::from_millis(row.get::<_, i64>(6).cast_unsigned()),
    })
}
