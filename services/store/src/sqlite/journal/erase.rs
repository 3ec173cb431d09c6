//! Putting other payloads in the place of what stands, in the tables and in the tail.
//! Places, audiences and keys stay as they are.

use super::packed::{self, Packed};
use super::runs;
use crate::journal::Snapshot;
use crate::sqlite::error::bad_column;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use rusqlite::{Connection, params};

/// What stands in a conversation from now on.
#[derive(Debug)]
pub(super) struct Blank {
    /// Of all events, the first first.
    pub(super) payloads: Vec<Bytes>,
    /// In the place of the one there is.
    pub(super) snapshot: Snapshot,
}

impl Blank {
    /// Adds a record with its new payload to a group.
    pub(super) fn pack(&self, out: &mut Vec<u8>, id: ConversationId, seq: Seq, old: Packed<'_>) {
        let mut record = old.to_record(seq);
        let place = (seq.get() as usize).checked_sub(1);
        record.payload = place.and_then(|n| self.payloads.get(n)).cloned().unwrap_or_default();
        packed::pack(out, id, &record, old.fingerprint);
    }
}

/// One of the tables of packed groups.
const RECENT: [(&str, &str); 2] = [
    ("SELECT id, records FROM recent_0", "UPDATE recent_0 SET records = ?2 WHERE id = ?1"),
    ("SELECT id, records FROM recent_1", "UPDATE recent_1 SET records = ?2 WHERE id = ?1"),
];
const RUNS: &str = "SELECT id, first, records FROM runs WHERE conversation = ?1";
const SET_RUN: &str = "UPDATE runs SET records = ?2 WHERE id = ?1";

/// Replaces what the tables hold of a conversation.
pub(super) fn in_tables(
    connection: &Connection,
    id: ConversationId,
    blank: &Blank,
) -> rusqlite::Result<()> {
    for (select, update) in RECENT {
        // Of the many groups, few have it: only those are kept.
        let mut changed: Vec<(i64, Vec<u8>)> = Vec::new();
        let mut statement = connection.prepare_cached(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let group = row.get_ref(1)?.as_blob().map_err(|e| bad_column(1, e))?;
            if let Some(group) = in_group(group, id, blank)? {
                changed.push((row.get(0)?, group));
            }
        }
        for (row, group) in changed {
            connection.prepare_cached(update)?.execute(params![row, group])?;
        }
    }
    let mut rows = connection.prepare_cached(RUNS)?;
    let stored: Vec<(i64, u32, Vec<u8>)> = rows
        .query_map([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (row, first, records) in stored {
        let mut group = Vec::new();
        for record in runs::records(first, &records) {
            let (seq, old) = record.map_err(|e| bad_column(2, e))?;
            blank.pack(&mut group, id, seq, old);
        }
        let run = as_run(&group)?;
        connection.prepare_cached(SET_RUN)?.execute(params![row, run])?;
    }
    Ok(())
}

/// The group without what is erased; `None` when the conversation is not in it.
fn in_group(group: &[u8], id: ConversationId, blank: &Blank) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut is_in = false;
    for item in packed::group(group) {
        is_in |= item.map_err(|e| bad_column(1, e))?.0 == id;
    }
    if !is_in {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(group.len());
    for item in packed::group(group) {
        let (of, seq, old) = item.map_err(|e| bad_column(1, e))?;
        if of == id {
            blank.pack(&mut out, id, seq, old);
        } else {
            packed::pack(&mut out, of, &old.to_record(seq), old.fingerprint);
        }
    }
    Ok(Some(out))
}

fn as_run(group: &[u8]) -> rusqlite::Result<Vec<u8>> {
    let mut run = Vec::with_capacity(group.len());
    for item in packed::group(group) {
        let (_, _, record) = item.map_err(|e| bad_column(2, e))?;
        run.extend_from_slice(record.bytes);
    }
    Ok(run)
}
