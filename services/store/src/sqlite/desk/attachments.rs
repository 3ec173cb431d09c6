//! Metadata of uploaded files.

use super::{Answer, refuse};
use crate::desk::{AttachmentQuery, StoredAttachment};
use crate::sqlite::file::scrub;
use frontdesk_core::ids::{AttachmentId, ConversationId, SiteId};
use frontdesk_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

const ADD: &str = "INSERT INTO attachments
    (id, site, conversation, name, media_type, size, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const BY_ID: &str = "SELECT id, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = ?1 AND id = ?2";
const OF_CONVERSATION: &str = "SELECT id, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = ?1 AND conversation = ?2 ORDER BY created_at, id";
const BEFORE: &str = "SELECT id, conversation, name, media_type, size, created_at
    FROM attachments WHERE site = ?1 AND created_at < ?2 ORDER BY created_at, id LIMIT ?3";
const REMOVE: &str = "DELETE FROM attachments WHERE site = ?1 AND id = ?2";

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
    let params = params![site.as_str(), id.as_bytes()];
    connection.prepare_cached(BY_ID)?.query_row(params, |row| attachment(site, row)).optional()
}

pub(super) fn list(
    connection: &Connection,
    site: &SiteId,
    query: &AttachmentQuery,
) -> rusqlite::Result<Vec<StoredAttachment>> {
    match query {
        AttachmentQuery::OfConversation(conversation) => connection
            .prepare_cached(OF_CONVERSATION)?
            .query_map(params![site.as_str(), conversation.as_bytes()], |r| attachment(site, r))?
            .collect(),
        AttachmentQuery::Before(at, limit) => connection
            .prepare_cached(BEFORE)?
            .query_map(params![site.as_str(), at.as_millis().cast_signed(), limit], |row| {
                attachment(site, row)
            })?
            .collect(),
    }
}

/// The file is written anew, so that nothing is left in pages that are not used any more.
pub(super) fn remove(
    connection: &mut Connection,
    site: &SiteId,
    ids: &[AttachmentId],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut removed = 0;
    for id in ids {
        let params = params![site.as_str(), id.as_bytes()];
        removed += transaction.prepare_cached(REMOVE)?.execute(params)?;
    }
    transaction.commit()?;
    if removed > 0 { scrub(connection) } else { Ok(()) }
}

fn attachment(site: &SiteId, row: &Row<'_>) -> rusqlite::Result<StoredAttachment> {
    let created_at: i64 = row.get(5)?;
    let uuid = |n| Ok::<_, rusqlite::Error>(Uuid::from_bytes(row.get(n)?));
    Ok(StoredAttachment {
        id: AttachmentId::from_uuid(uuid(0)?),
        site: site.clone(),
        conversation: ConversationId::from_uuid(uuid(1)?),
        name: row.get(2)?,
        media_type: row.get(3)?,
        size: row.get(4)?,
        created_at: Timestamp::from_millis(created_at.cast_unsigned()),
    })
}
