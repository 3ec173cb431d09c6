//! The desk's tables.

use crate::sqlite::file::Format;
use rusqlite::Connection;

/// Name of the file in the data folder.
pub(in crate::sqlite) const FILE: &str = "desk.db";

/// The usual page size; a checkpoint at 1 MiB of log.
pub(super) const FORMAT: Format = Format {
    page_size: 4 * 1024,
    auto_checkpoint_pages: 256,
    migrations: &[to_v1, to_v2, to_v3, to_v4, to_v5, to_v6],
};

/// The newest format there is.
pub(in crate::sqlite) const NEWEST: u32 = FORMAT.migrations.len() as u32;

fn to_v1(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V1)
}

fn to_v2(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE accounts ADD COLUMN skills TEXT NOT NULL DEFAULT '{}'")
}

fn to_v3(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V3)
}

fn to_v4(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("ALTER TABLE accounts ADD COLUMN details TEXT NOT NULL DEFAULT '{}'")
}

fn to_v5(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute_batch("ALTER TABLE accounts ADD COLUMN generation INTEGER NOT NULL DEFAULT 0")
}

fn to_v6(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(V6)
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

/// Nothing that is in the audit log can be changed, removed or replaced: INSERT OR
/// REPLACE removes a row without asking the trigger of removals.
const V3: &str = "
CREATE TABLE audit (
    id BLOB PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (id),
    at INTEGER NOT NULL,
    actor BLOB NOT NULL,
    actor_name TEXT NOT NULL,
    actor_role TEXT NOT NULL CHECK (actor_role IN ('agent', 'supervisor')),
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    origin TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX audit_of_site ON audit (site, at, id);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
";

/// Whom accounts are bound to: one identity of each provider.
const V6: &str = "
CREATE TABLE bindings (
    site TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (site, issuer, subject),
    UNIQUE (account, issuer)
) WITHOUT ROWID;
";
