//! Makes a data folder from a backup that has been checked.

use super::files::{self, Unfinished};
use super::manifest::Manifest;
use super::{BackupError, check, of_file};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Makes the data folder `data` from a backup: it must not exist, or be empty.
///
/// # Errors
/// As for `check`, and when there is anything in `data`. Nothing is in it then.
pub fn restore(backup: &Path, data: &Path) -> Result<Manifest, BackupError> {
    refuse_unless_free(data)?;
    let manifest = check(backup)?;
    let unfinished = Unfinished::begin(data)?;
    for file in &manifest.files {
        let (from, to) = (backup.join(&file.path), unfinished.path().join(&file.path));
        if !files::copy(&from, &to)? {
            return Err(BackupError::damaged(&from, "it is missing"));
        }
    }
    unfinished.finish()?;
    Ok(manifest)
}

fn refuse_unless_free(data: &Path) -> Result<(), BackupError> {
    let usage = |why| Err(BackupError::Usage { path: data.to_owned(), why });
    match fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => usage("is not empty: a backup is restored into a new folder only"),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotADirectory => usage("is no folder"),
        Err(e) => Err(of_file(data)(e)),
    }
}
