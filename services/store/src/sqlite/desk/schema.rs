//! The desk's tables.

use crate::sqlite::file::Format;
use rusqlite::Connection;

/// Name of the file in the data folder.
pub(super) const FILE: &str = "desk.db";

/// The usual page size; a checkpoint at 1 MiB of log.
pub(super) const FORMAT: Format =
    Format { page_size: 4 * 1024, auto_checkpoint_pages: 256, migrations: &[to_v1, to_v2, to_v3] };

fn to_v1(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V1)
}

fn to_v2(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE accounts ADD COLUMN skills TEXT NOT NULL DEFAULT '{}'")
}

fn to_v3(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE accounts ADD COLUMN details TEXT NOT NULL DEFAULT '{}'")
}

const V1: &str = "
CREATE TABLE sites (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    id BLOB PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (id),
    email TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'supervisor')),
    name TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    queues TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    password_hash TEXT NOT NULL,
    UNIQUE (site, email)
) WITHOUT ROWID;

CREATE TABLE attachments (
    id BLOB PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (id),
    conversation BLOB NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX attachments_of_conversation ON attachments (conversation);
";
