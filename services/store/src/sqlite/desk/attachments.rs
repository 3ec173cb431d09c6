//! Metadata of uploaded files.

use super::{Answer, refuse};
use crate::desk::StoredAttachment;
use frontdesk_core::ids::{AttachmentId, ConversationId, SiteId};
use frontdesk_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

const ADD: &str = "INSERT INTO attachments
    (id, site, conversation, name, media_type, size, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const BY_ID: &str = "SELECT conversation, name, media_type, size, created_at
    FROM attachments WHERE site = ?1 AND id = ?2";

pub(super) fn add(connection: &Connection, attachment: &StoredAttachment) -> Answer<()> {
    let added = connection.prepare_cached(ADD)?.execute(params![
        attachment.id.as_bytes(),
        attachment.site.as_str(),
        attachment.conversation.as_bytes(),
        attachment.name,
        attachment.media_type,
        attachment.size,
        attachment.created_at.as_millis().cast_signed(),
    ]);
    refuse(added.map(drop), "attachment id", "site")
}

pub(super) fn by_id(
    connection: &Connection,
    site: &SiteId,
    id: AttachmentId,
) -> rusqlite::Result<Option<StoredAttachment>> {
    connection
        .prepare_cached(BY_ID)?
        .query_row(params![site.as_str(), id.as_bytes()], |row| {
            let created_at: i64 = row.get(4)?;
            Ok(StoredAttachment {
                id,
                site: site.clone(),
                conversation: ConversationId::from_uuid(Uuid::from_bytes(row.get(0)?)),
                name: row.get(1)?,
                media_type: row.get(2)?,
                size: row.get(3)?,
                created_at: Timestamp::from_millis(created_at.cast_unsigned()),
            })
        })
        .optional()
}
