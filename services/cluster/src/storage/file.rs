//! The SQLite file: its tables, and each read and write as one statement or few.
//! Blocking; used by the writer's thread only.

use crate::network::{decode, encode};
use crate::types::{Entry, LogId, SnapshotMeta, Vote};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Format of the file; a file of another is refused.
const FORMAT: i32 = 1;
/// Entries read back into memory at the start; see `log::TAIL`.
const PRELOAD: u64 = super::log::TAIL as u64;
/// Rows deleted per transaction after a purge, so that none takes long.
const TRIM: u64 = 1_000;

const SCHEMA: &str = "
    CREATE TABLE log (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL);
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        idx INTEGER NOT NULL,
        meta BLOB NOT NULL,
        data BLOB NOT NULL
    );
";

/// One thing to write. Can be repeated after a failed transaction.
pub(super) enum Change {
    /// Entries behind the last, each encoded.
    Append(Vec<(u64, Vec<u8>)>),
    /// The vote.
    Vote(Vote),
    /// Entries after this index go (`None`: all).
    Truncate(Option<u64>),
    /// A snapshot, unless a newer one is there.
    Snapshot(SnapshotMeta, super::SnapshotBytes),
    /// The highest entry known to be committed.
    Committed(LogId),
    /// Entries up to this one are no longer part of the log.
    Purged(LogId),
}

/// What the log was when the file was opened.
#[derive(Default)]
pub(super) struct Held {
    pub(super) vote: Option<Vote>,
    pub(super) committed: Option<LogId>,
    pub(super) purged: Option<LogId>,
    /// The end of the log.
    pub(super) tail: BTreeMap<u64, Entry>,
}

/// The open file.
pub(super) struct File {
    db: Connection,
    /// Rows up to this index may be left over from purges.
    trim_to: Option<u64>,
}

impl File {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let db = Connection::open(path).map_err(io_error)?;
        configure(&db).map_err(io_error)?;
        let format: i32 =
            db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(io_error)?;
        match format {
            0 => db
                .execute_batch(&format!("BEGIN;{SCHEMA}PRAGMA user_version = {FORMAT};COMMIT;"))
                .map_err(io_error)?,
            FORMAT => {}
            other => {
                let problem = format!("format {other} of {} is not known", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
        }
        Ok(Self { db, trim_to: None })
    }

    /// Everything but the snapshot.
    pub(super) fn load(&mut self) -> io::Result<Held> {
        let purged: Option<LogId> = self.meta("purged")?;
        self.trim_to = purged.map(|id| id.index);
        let first = purged.map_or(0, |id| id.index + 1);
        let last: Option<i64> = self
            .db
            .query_row("SELECT MAX(idx) FROM log", [], |row| row.get(0))
            .map_err(io_error)?;
        let end = last.map_or(0, |last| last.unsigned_abs() + 1);
        let start = first.max(end.saturating_sub(PRELOAD));
        let tail = self.entries(start, u64::MAX)?;
        Ok(Held {
            vote: self.meta("vote")?,
            committed: self.meta("committed")?,
            purged,
            tail: tail.into_iter().map(|entry| (entry.log_id.index, entry)).collect(),
        })
    }

    /// Entries from `start` to before `end`, in order.
    pub(super) fn entries(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let mut select = self
            .db
            .prepare_cached("SELECT entry FROM log WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")
            .map_err(io_error)?;
        let rows = select
            .query_map(params![sql(start), sql(end)], |row| row.get::<_, Vec<u8>>(0))
            .map_err(io_error)?;
        rows.map(|row| decode(&row.map_err(io_error)?)).collect()
    }

    /// The newest snapshot.
    pub(super) fn snapshot(&self) -> io::Result<Option<(SnapshotMeta, super::SnapshotBytes)>> {
        let row: Option<(Vec<u8>, Vec<u8>)> = self
            .db
            .query_row("SELECT meta, data FROM snapshot", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()
            .map_err(io_error)?;
        row.map(|(meta, data)| Ok((decode(&meta)?, data.into()))).transpose()
    }

    /// Writes all of `changes` in one durable transaction, or none.
    pub(super) fn commit<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> io::Result<()> {
        let transaction = self.db.transaction().map_err(io_error)?;
        let mut trim_to = self.trim_to;
        for change in changes {
            if let Change::Purged(id) = change {
                trim_to = trim_to.max(Some(id.index));
            }
            write(&transaction, change)?;
        }
        if let Some(upto) = trim_to {
            let deleted = trim(&transaction, upto).map_err(io_error)?;
            trim_to = (deleted > 0).then_some(upto);
        }
        transaction.commit().map_err(io_error)?;
        self.trim_to = trim_to;
        Ok(())
    }

    fn meta<T: serde::de::DeserializeOwned>(&self, key: &str) -> io::Result<Option<T>> {
        let value: Option<Vec<u8>> = self
            .db
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
            .optional()
            .map_err(io_error)?;
        value.map(|bytes| decode(&bytes)).transpose()
    }
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    // Acknowledged means on stable storage: the vote and the log depend on it.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(())
}

fn write(db: &Connection, change: &Change) -> io::Result<()> {
    match change {
        Change::Append(entries) => {
            let mut insert = db
                .prepare_cached("INSERT OR REPLACE INTO log (idx, entry) VALUES (?1, ?2)")
                .map_err(io_error)?;
            for (index, entry) in entries {
                insert.execute(params![sql(*index), entry]).map_err(io_error)?;
            }
            Ok(())
        }
        Change::Vote(vote) => put(db, "vote", &encode(vote)?),
        Change::Committed(id) => put(db, "committed", &encode(id)?),
        Change::Purged(id) => put(db, "purged", &encode(id)?),
        Change::Truncate(after) => {
            let first_gone = after.map_or(0, |index| index + 1);
            db.execute("DELETE FROM log WHERE idx >= ?1", [sql(first_gone)]).map_err(io_error)?;
            Ok(())
        }
        Change::Snapshot(meta, data) => {
            let index = meta.last_log_id.map_or(-1, |id| sql(id.index));
            db.execute(
                "INSERT INTO snapshot (id, idx, meta, data) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE
                 SET idx = excluded.idx, meta = excluded.meta, data = excluded.data
                 WHERE excluded.idx >= snapshot.idx",
                params![index, encode(meta)?, &data[..]],
            )
            .map_err(io_error)?;
            Ok(())
        }
    }
}

fn put(db: &Connection, key: &str, value: &[u8]) -> io::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(params![key, value]))
        .map(|_| ())
        .map_err(io_error)
}

fn trim(db: &Connection, upto: u64) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM log WHERE idx <= ?1 AND idx < (SELECT MIN(idx) FROM log) + ?2")?
        .execute(params![sql(upto), sql(TRIM)])
}

/// SQLite's integers are signed; a log has fewer than 2^63 entries.
fn sql(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// Keeps apart what may pass (disk full, I/O error, locked) from what does not.
fn io_error(error: rusqlite::Error) -> io::Error {
    use rusqlite::ErrorCode as Code;
    let kind = match error.sqlite_error_code() {
        Some(Code::DiskFull) => io::ErrorKind::StorageFull,
        Some(Code::SystemIoFailure) => io::ErrorKind::Interrupted,
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => io::ErrorKind::ResourceBusy,
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Whether the same write may succeed later.
pub(super) fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, ResourceBusy, StorageFull};
    matches!(error.kind(), Interrupted | ResourceBusy | StorageFull)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(file: &File) -> i64 {
        file.db.query_row("SELECT COUNT(*) FROM log", [], |row| row.get(0)).expect("counts")
    }

    #[test]
    fn a_full_disk_refuses_a_batch_whole_and_it_can_be_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = File::open(&folder.path().join("f")).expect("opens");
        let set_limit = |file: &File, pages: i64| {
            file.db.pragma_update(None, "max_page_count", pages).expect("is set");
        };
        set_limit(&file, 16);
        let batch: Vec<Change> =
            (0..40).map(|n| Change::Append(vec![(n, vec![0; 4_096])])).collect();
        let error = file.commit(batch.iter()).expect_err("does not fit");
        assert!(may_pass(&error), "{error}");
        assert_eq!(rows(&file), 0);
        set_limit(&file, 1_000_000);
        file.commit(batch.iter()).expect("fits");
        assert_eq!(rows(&file), 40);
    }

    #[test]
    fn every_commit_is_synced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::open(&folder.path().join("f")).expect("opens");
        let mode: String =
            file.db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("is read");
        let sync: i64 =
            file.db.query_row("PRAGMA synchronous", [], |row| row.get(0)).expect("is read");
        assert_eq!((mode.as_str(), sync), ("wal", 2));
    }

    #[test]
    fn purged_rows_go_a_few_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = File::open(&folder.path().join("f")).expect("opens");
        let entries = (0..2_500).map(|n| (n, Vec::new())).collect();
        file.commit([Change::Append(entries)].iter()).expect("commits");
        let leader_id = openraft::impls::leader_id_adv::LeaderId { term: 1, node_id: 1 };
        let purged = LogId { leader_id, index: 2_199 };
        file.commit([Change::Purged(purged)].iter()).expect("commits");
        assert_eq!(rows(&file), 1_500);
        for _ in 0..3 {
            file.commit([].iter()).expect("commits");
        }
        assert_eq!((rows(&file), file.trim_to), (300, None));
    }
}
