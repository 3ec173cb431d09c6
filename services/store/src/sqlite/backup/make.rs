//! Makes a backup. The server that has the folder goes on: nothing waits for this but
//! the cutting back of SQLite's log.

use super::files::{self, Unfinished};
use super::manifest::{self, Databases, Manifest};
use super::{BackupError, of_database, of_file};
use crate::attachments::FILES;
use crate::sqlite::{desk, journal};
use frontdesk_core::time::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for a lock of SQLite's own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Folder of the uploaded files in the data folder.
const ATTACHMENTS: &str = "attachments";
/// The key that signs tokens: whoever is signed in stays so.
const KEY: &str = "token-key";

/// Copies the data folder `data` into the new folder `to`. What was acknowledged before
/// is in it; of what comes meanwhile, a prefix. `program` is the version that makes it.
///
/// # Errors
/// When `data` holds no data, `to` exists, or a file cannot be read or written. What was
/// begun is removed then.
pub fn make(
    data: &Path,
    to: &Path,
    program: &str,
    made_at: Timestamp,
) -> Result<Manifest, BackupError> {
    if !is_data(data) {
        let why = "is no data folder: there is no journal.db with a desk.db in it";
        return Err(BackupError::Usage { path: data.to_owned(), why });
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Usage { path: to.to_owned(), why: "exists already" });
    }
    let unfinished = Unfinished::begin(to)?;
    let copy = unfinished.path();
    // The journal first: what its messages and conversations name is stored before them,
    // so the later copies have it.
    copy_database(&data.join(journal::FILE), &copy.join(journal::FILE))?;
    forget_owners(&copy.join(journal::FILE))?;
    copy_database(&data.join(desk::FILE), &copy.join(desk::FILE))?;
    let files = Path::new(ATTACHMENTS).join(FILES);
    copy_folder(&data.join(&files), &copy.join(&files))?;
    files::copy(&data.join(KEY), &copy.join(KEY))?;

    let Databases { journal_format, desk_format, contents } = Databases::of(copy)?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        frontdesk: program.to_owned(),
        made_at,
        journal_format,
        desk_format,
        contents,
        files: files::list(copy)?,
    };
    let path = copy.join(manifest::FILE);
    let text = serde_json::to_vec_pretty(&manifest).map_err(|e| of_file(&path)(e.into()))?;
    files::write(&path, &text)?;
    unfinished.finish()?;
    Ok(manifest)
}

/// Whether an embedded store has this folder.
pub fn is_data(folder: &Path) -> bool {
    folder.join(journal::FILE).is_file() && folder.join(desk::FILE).is_file()
}

/// Copies a database as it is at one moment. What has been deleted in it is not copied.
fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    // An empty file of its owner's alone is what SQLite then fills.
    files::create(to).map_err(of_file(to))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(of_database(from))?;
    source.busy_timeout(BUSY_TIMEOUT).map_err(of_database(from))?;
    // Of the server's own files nothing is changed, not even when this is the last to close.
    source
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(of_database(from))?;
    let name = to.to_str().ok_or_else(|| BackupError::Usage {
        path: to.to_owned(),
        why: "cannot be written by SQLite: it is no UTF-8",
    })?;
    source.execute("VACUUM INTO ?1", [name]).map_err(of_database(to))?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(of_file(to))
}

/// Epochs are places in the log of the presence group, which begins anew.
fn forget_owners(journal: &Path) -> Result<(), BackupError> {
    let copy = Connection::open(journal).map_err(of_database(journal))?;
    copy.execute("DELETE FROM shards", []).map_err(of_database(journal))?;
    copy.close().map_err(|(_, e)| of_database(journal)(e))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = from.join(&folder);
        let entries = match fs::read_dir(&here) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(of_file(&here))?,
        };
        for entry in entries {
            let entry = entry.map_err(of_file(&here))?;
            let path = folder.join(entry.file_name());
            if entry.file_type().map_err(of_file(&entry.path()))?.is_dir() {
                folders.push(path);
            } else {
                // One that has been removed meanwhile is missed by nobody.
                files::copy(&entry.path(), &to.join(&path))?;
            }
        }
    }
    Ok(())
}
