//! Opening an SQLite file: settings that durability rests on, and migrations.

use super::error::OpenError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Longest wait for a lock of SQLite's own; only a checkpoint holds one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection; more than there are in the code.
const CACHED_STATEMENTS: usize = 64;
/// Page cache of the connection that writes.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// Page cache of each connection that reads.
const READER_CACHE_KIB: i64 = 16 * 1024;
/// Page cache of a connection that makes checkpoints.
const CHECKPOINTER_CACHE_KIB: i64 = 64;
/// The log is cut back to this after a checkpoint, so that one long read does
/// not leave a huge file for good.
const MAX_IDLE_WAL_BYTES: i64 = 64 * 1024 * 1024;

/// How long one try to cut the log off waits, with all who write.
const CUT_WAIT: Duration = Duration::from_millis(50);
/// Between two tries, and how many there are: 5 s and more.
const CUT_PAUSE: Duration = Duration::from_millis(20);
const CUT_TRIES: usize = 250;

/// What a file holds.
#[derive(Debug)]
pub(super) struct Format {
    /// Bytes of a page; only a new file takes it.
    pub(super) page_size: u32,
    /// Pages in the log that set off a checkpoint; 0 for never by itself.
    pub(super) auto_checkpoint_pages: u32,
    /// Step `n` leads from format `n` to `n + 1`. Never changed once released.
    pub(super) migrations: &'static [Migration],
}

/// One step, in a transaction of its own.
pub(super) type Migration = fn(&Connection) -> rusqlite::Result<()>;

/// Opens a file for writing, creates it if need be, and brings it to the newest
/// format.
pub(super) fn open_writer(path: &Path, format: &Format) -> Result<Connection, OpenError> {
    let in_file = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(in_file)?;
    configure_writer(&connection, format).map_err(in_file)?;
    migrate(&mut connection, path, format.migrations)?;
    Ok(connection)
}

/// Opens a file that exists for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_existing(path, READER_CACHE_KIB)?;
    let read_only = connection.pragma_update(None, "query_only", true);
    read_only.map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    Ok(connection)
}

/// Opens a file that exists for checkpoints only: those do not use the cache.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_existing(path, CHECKPOINTER_CACHE_KIB)?;
    let synchronous = connection.pragma_update(None, "synchronous", "full");
    synchronous.map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    Ok(connection)
}

/// Writes the file anew and empties the log, so that nothing is left in pages that are
/// not used any more. Takes as long as writing the file.
pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("VACUUM")?;
    let mut tries = 0;
    loop {
        tries += 1;
        match cut(connection) {
            Err(_) if tries < CUT_TRIES => std::thread::sleep(CUT_PAUSE),
            done => return done,
        }
    }
}

/// Copies what is left of the log into the file and empties it. Fails when somebody reads
/// from it for more than a moment.
pub(super) fn cut(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(CUT_WAIT)?;
    let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let busy: i64 = cut?;
    if busy == 0 {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(code, Some("somebody reads it".to_owned())))
}

fn open_existing(path: &Path, cache_kib: i64) -> Result<Connection, OpenError> {
    let in_file = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(in_file)?;
    configure(&connection, cache_kib).map_err(in_file)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // Closing must not do work of its own: an orderly close checkpoints before,
    // and any other end is like a crash.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

fn configure_writer(connection: &Connection, format: &Format) -> rusqlite::Result<()> {
    configure(connection, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "page_size", format.page_size)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidParameterName(format!(
            "journal mode is {mode}: the file system does not allow WAL"
        )));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    // What is replaced or removed is overwritten where it stood. Pages that fall free are
    // not: that would write every record once more.
    connection.pragma_update_and_check(None, "secure_delete", "fast", |_| Ok(()))?;
    connection.pragma_update(None, "wal_autocheckpoint", format.auto_checkpoint_pages)?;
    connection.pragma_update_and_check(None, "journal_size_limit", MAX_IDLE_WAL_BYTES, |_| Ok(()))
}

fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &'static [Migration],
) -> Result<(), OpenError> {
    let in_file = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let found: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(in_file)?;
    let known = migrations.len() as u32;
    if found > known {
        return Err(OpenError::NewerFormat { path: path.to_owned(), found, known });
    }
    for (from, step) in (0..).zip(migrations).skip(found as usize) {
        apply(connection, *step, from + 1).map_err(in_file)?;
    }
    Ok(())
}

fn apply(connection: &mut Connection, step: Migration, to: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    step(&transaction)?;
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Format =
        Format { page_size: 4096, auto_checkpoint_pages: 100, migrations: &[create] };
    const TWO: Format = Format {
        page_size: 4096,
        auto_checkpoint_pages: 100,
        migrations: &[create, |c| c.execute_batch("ALTER TABLE a ADD COLUMN y INTEGER")],
    };

    fn create(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("CREATE TABLE a (x INTEGER)")
    }

    #[test]
    fn migrations_go_forward_and_a_newer_file_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("t.db");
        let first = open_writer(&path, &ONE).unwrap();
        first.execute("INSERT INTO a (x) VALUES (1)", []).unwrap();
        drop(first);
        let second = open_writer(&path, &TWO).unwrap();
        let row = second.query_row("SELECT x, y IS NULL FROM a", [], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, bool>(1)?))
        });
        assert_eq!(row.unwrap(), (1, true));
        drop(second);
        let refused = open_writer(&path, &ONE).unwrap_err();
        assert!(matches!(refused, OpenError::NewerFormat { found: 2, known: 1, .. }));
    }

    #[test]
    fn durability_settings_are_in_force() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("t.db");
        let writer = open_writer(&path, &ONE).unwrap();
        let full: i64 = writer.pragma_query_value(None, "synchronous", |r| r.get(0)).unwrap();
        assert_eq!(full, 2);
        let reader = open_reader(&path).unwrap();
        assert!(reader.execute("INSERT INTO a (x) VALUES (2)", []).is_err());
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("t.db");
        std::fs::write(&path, "x".repeat(8192)).unwrap();
        assert!(matches!(open_writer(&path, &ONE), Err(OpenError::Sqlite { .. })));
    }
}
