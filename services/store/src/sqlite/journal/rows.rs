//! Records as rows: the same columns in `events` and the `recent` tables.

use crate::journal::{DedupKey, Record};
use crate::sqlite::error::bad_column;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use rusqlite::{Row, Statement, params};
use std::sync::Arc;
use uuid::Uuid;

/// What `record` reads, in its order.
pub(super) const RECORD_COLUMNS: &str =
    "seq, prev_public, internal, sender, client_msg_id, payload";

/// Executes an INSERT of conversation, seq, prev_public, internal, sender,
/// client_msg_id and payload.
pub(super) fn insert_record(
    statement: &mut Statement<'_>,
    conversation: ConversationId,
    record: &Record,
) -> rusqlite::Result<()> {
    let (sender, client_msg_id) = match &record.dedup {
        Some(key) => (Some(key.sender.as_bytes()), Some(&*key.client_msg_id)),
        None => (None, None),
    };
    statement.execute(params![
        conversation.as_bytes(),
        record.seq.get(),
        record.prev_public.get(),
        record.audience == Audience::Internal,
        sender,
        client_msg_id,
        &record.payload[..],
    ])?;
    Ok(())
}

/// A record from a row of `RECORD_COLUMNS`.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let sender: Option<[u8; 16]> = row.get(3)?;
    let client_msg_id: Option<Arc<str>> = row.get(4)?;
    let dedup = sender.zip(client_msg_id).map(|(sender, client_msg_id)| DedupKey {
        sender: Uuid::from_bytes(sender),
        client_msg_id,
    });
    Ok(Record {
        seq: Seq::new(row.get(0)?),
        prev_public: Seq::new(row.get(1)?),
        audience: if row.get(2)? { Audience::Internal } else { Audience::Public },
        dedup,
        payload: blob(row, 5)?,
    })
}

/// A column of bytes.
pub(super) fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|e| bad_column(column, e))?;
    Ok(Bytes::copy_from_slice(bytes))
}
