//! The rows of `runs`: records of one conversation that follow one another,
//! packed, with fingerprints of their keys beside them.

use super::packed::{self, Malformed, Packed};
use super::tail::Stretch;
use crate::journal::DedupKey;
use crate::sqlite::error::bad_column;
use frontdesk_core::ids::{ConversationId, Seq};
use rusqlite::{Connection, OptionalExtension, params};

/// Records of one row: a page of history takes a few rows, and what it does not
/// want of them costs little.
pub(super) const MAX_RECORDS: usize = 128;
/// Bytes of one row, unless one record has more.
pub(super) const MAX_BYTES: usize = 64 * 1024;

const INSERT: &str = "INSERT INTO runs (conversation, first, last, fingerprints, records)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const HEAD: &str = "SELECT last FROM runs WHERE conversation = ?1 ORDER BY first DESC LIMIT 1";
const FINGERPRINTS: &str =
    "SELECT id, first, fingerprints FROM runs WHERE conversation = ?1 ORDER BY first DESC";
const RECORDS: &str = "SELECT records FROM runs WHERE id = ?1";

/// Adds a run.
pub(super) fn insert(
    connection: &Connection,
    conversation: ConversationId,
    run: &Stretch<'_>,
) -> rusqlite::Result<()> {
    let fingerprints: Vec<u8> =
        run.fingerprints.iter().flat_map(|print| print.to_le_bytes()).collect();
    connection.prepare_cached(INSERT)?.execute(params![
        conversation.as_bytes(),
        run.first.get(),
        run.last.get(),
        fingerprints,
        run.records,
    ])?;
    Ok(())
}

/// The last record of a conversation in `runs`.
pub(super) fn head(connection: &Connection, conversation: ConversationId) -> rusqlite::Result<Seq> {
    let head = connection
        .prepare_cached(HEAD)?
        .query_row([conversation.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(head.map_or(Seq::ZERO, Seq::new))
}

/// The fingerprints of all keys of a conversation in `runs`.
pub(super) fn fingerprints<C: Extend<u32>>(
    connection: &Connection,
    conversation: ConversationId,
    found: &mut C,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(FINGERPRINTS)?;
    let mut rows = statement.query([conversation.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let prints = row.get_ref(2)?.as_blob().map_err(|e| bad_column(2, e))?;
        found.extend(unpack(prints).filter(|print| *print != 0));
    }
    Ok(())
}

/// The seq under which a key stands in `runs`.
pub(super) fn find(
    connection: &Connection,
    conversation: ConversationId,
    key: &DedupKey,
) -> rusqlite::Result<Option<Seq>> {
    let wanted = packed::fingerprint(key);
    let mut statement = connection.prepare_cached(FINGERPRINTS)?;
    let mut rows = statement.query([conversation.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let prints = row.get_ref(2)?.as_blob().map_err(|e| bad_column(2, e))?;
        if !unpack(prints).any(|print| print == wanted) {
            continue;
        }
        if let Some(n) = find_in_run(connection, row.get(0)?, key)? {
            return Ok(Some(Seq::new(row.get::<_, u32>(1)? + n)));
        }
    }
    Ok(None)
}

/// The place of a key within a run.
fn find_in_run(connection: &Connection, run: i64, key: &DedupKey) -> rusqlite::Result<Option<u32>> {
    connection.prepare_cached(RECORDS)?.query_row([run], |row| {
        let bytes = row.get_ref(0)?.as_blob().map_err(|e| bad_column(0, e))?;
        for (n, packed) in (0..).zip(packed::run(bytes)) {
            if packed.map_err(|e| bad_column(0, e))?.has(key) {
                return Ok(Some(n));
            }
        }
        Ok(None)
    })
}

/// The records of a row with their places.
pub(super) fn records(
    first: u32,
    bytes: &[u8],
) -> impl Iterator<Item = Result<(Seq, Packed<'_>), Malformed>> {
    let numbered = (first..).zip(packed::run(bytes));
    numbered.map(|(seq, packed)| Ok((Seq::new(seq), packed?)))
}

fn unpack(fingerprints: &[u8]) -> impl Iterator<Item = u32> {
    let (prints, _) = fingerprints.as_chunks::<4>();
    prints.iter().map(|print| u32::from_le_bytes(*print))
}
