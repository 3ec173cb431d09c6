//! The journal's tables.

use super::migrate;
use crate::sqlite::file::Format;

/// Name of the file in the data folder.
pub(in crate::sqlite) const FILE: &str = "journal.db";

/// Checkpoints are made by `checkpoint`, not by the connection that writes.
pub(super) const FORMAT: Format = Format {
    page_size: 4 * 1024,
    auto_checkpoint_pages: 0,
    migrations: &[migrate::to_v1, migrate::to_v2],
};

/// The newest format there is.
pub(in crate::sqlite) const NEWEST: u32 = FORMAT.migrations.len() as u32;

/// One row for each record.
pub(super) const V1: &str = "
CREATE TABLE shards (
    shard INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL
);

CREATE TABLE recent_0 (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL,
    prev_public INTEGER NOT NULL,
    internal INTEGER NOT NULL,
    sender BLOB,
    client_msg_id TEXT,
    payload BLOB NOT NULL
);

CREATE TABLE recent_1 (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL,
    prev_public INTEGER NOT NULL,
    internal INTEGER NOT NULL,
    sender BLOB,
    client_msg_id TEXT,
    payload BLOB NOT NULL
);

CREATE TABLE events (
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL,
    prev_public INTEGER NOT NULL,
    internal INTEGER NOT NULL,
    sender BLOB,
    client_msg_id TEXT,
    payload BLOB NOT NULL,
    PRIMARY KEY (conversation, seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX events_once ON events (conversation, sender, client_msg_id)
    WHERE client_msg_id IS NOT NULL;

CREATE TABLE conversations (
    id BLOB PRIMARY KEY,
    site TEXT NOT NULL,
    visitor BLOB NOT NULL,
    queue TEXT NOT NULL,
    phase INTEGER NOT NULL,
    agent BLOB,
    last_agent BLOB,
    waiting_since INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    summary TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX conversations_of_site ON conversations (site, updated_at);
CREATE INDEX conversations_of_visitor ON conversations (site, visitor, updated_at);
CREATE INDEX conversations_of_agent ON conversations (site, agent, updated_at)
    WHERE agent IS NOT NULL;
CREATE INDEX conversations_closed_by ON conversations (site, last_agent, updated_at)
    WHERE phase = 3;
CREATE INDEX conversations_waiting ON conversations (site, queue, waiting_since)
    WHERE phase < 2;
CREATE INDEX conversations_open ON conversations (updated_at) WHERE phase < 3;

CREATE TABLE snapshots (
    conversation BLOB PRIMARY KEY,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE read_cursors (
    conversation BLOB PRIMARY KEY,
    visitor INTEGER NOT NULL,
    agent INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Records are packed, many to a row: a group is one row of a `recent` table, so
/// that it touches a handful of pages whatever its conversations; `filing` moves
/// its records into `runs`, each row of which belongs to one conversation.
pub(super) const V2: &str = "
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    fingerprints BLOB NOT NULL,
    records BLOB NOT NULL
);

CREATE UNIQUE INDEX runs_of ON runs (conversation, first, last);
";

/// In the place of the tables of the same name in V1.
pub(super) const V2_RECENT: &str = "
DROP TABLE events;
DROP TABLE recent_0;
DROP TABLE recent_1;

CREATE TABLE recent_0 (
    id INTEGER PRIMARY KEY,
    records BLOB NOT NULL
);

CREATE TABLE recent_1 (
    id INTEGER PRIMARY KEY,
    records BLOB NOT NULL
);
";
