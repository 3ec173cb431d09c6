//! What a backup says of itself. Fields are only ever added.

use super::{BackupError, of_database};
use crate::sqlite::{desk, journal};
use frontdesk_core::time::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Name of its file.
pub(super) const FILE: &str = "manifest.json";
/// Goes up when an older program must not restore what a newer one made.
pub(super) const FORMAT: u32 = 1;

/// What a backup holds, and how to tell that it still does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the backup.
    pub format: u32,
    /// Version of the program that made it.
    pub frontdesk: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Format of the journal.
    pub journal_format: u32,
    /// Format of the desk's tables.
    pub desk_format: u32,
    /// How much of what there is.
    pub contents: Contents,
    /// Every file besides this one, by path.
    pub files: Vec<Listed>,
}

/// How much of what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Conversations.
    pub conversations: u64,
    /// Their events.
    pub events: u64,
    /// Sites.
    pub sites: u64,
    /// Accounts.
    pub accounts: u64,
    /// Uploaded files that the desk knows of.
    pub attachments: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Where it is in the backup.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What the two databases of a backup hold, and of which format they are.
pub(super) struct Databases {
    pub(super) journal_format: u32,
    pub(super) desk_format: u32,
    pub(super) contents: Contents,
}

impl Databases {
    /// Reads them; writes nothing.
    pub(super) fn of(backup: &Path) -> Result<Self, BackupError> {
        let (journal, journal_format) = open(&backup.join(journal::FILE), journal::NEWEST)?;
        let (desk, desk_format) = open(&backup.join(desk::FILE), desk::NEWEST)?;
        let count = |connection: &Connection, table: &str| -> rusqlite::Result<u64> {
            let rows = connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, i64>(0))?;
            Ok(rows.unsigned_abs())
        };
        let (in_journal, in_desk) = (backup.join(journal::FILE), backup.join(desk::FILE));
        let contents = Contents {
            conversations: count(&journal, "conversations").map_err(of_database(&in_journal))?,
            events: journal::count_events(&journal).map_err(of_database(&in_journal))?,
            sites: count(&desk, "sites").map_err(of_database(&in_desk))?,
            accounts: count(&desk, "accounts").map_err(of_database(&in_desk))?,
            attachments: count(&desk, "attachments").map_err(of_database(&in_desk))?,
            audit: count(&desk, "audit").map_err(of_database(&in_desk))?,
        };
        Ok(Self { journal_format, desk_format, contents })
    }
}

/// Opens a copy for reading, when it is whole and not newer than this program.
fn open(path: &Path, newest: u32) -> Result<(Connection, u32), BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(of_database(path))?;
    let found: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(of_database(path))?;
    if found > newest {
        return Err(BackupError::Newer { path: path.to_owned(), found, known: newest });
    }
    let verdict: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(of_database(path))?;
    if verdict != "ok" {
        return Err(BackupError::damaged(path, verdict));
    }
    Ok((connection, found))
}
