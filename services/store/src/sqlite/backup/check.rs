//! Holds a backup against its manifest. Changes nothing.

use super::files;
use super::manifest::{self, Databases, Listed, Manifest};
use super::{BackupError, of_file};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Reads every byte of a backup and says what it holds.
///
/// # Errors
/// When it is no backup, is newer than this program, or is not what was written.
pub fn check(backup: &Path) -> Result<Manifest, BackupError> {
    let manifest = read_manifest(backup)?;
    let found = files::list(backup)?;
    compare(backup, &manifest.files, &found)?;
    let Databases { journal_format, desk_format, contents } = Databases::of(backup)?;
    let formats = (manifest.journal_format, manifest.desk_format);
    if formats != (journal_format, desk_format) || manifest.contents != contents {
        let path = backup.join(manifest::FILE);
        return Err(BackupError::damaged(&path, "the databases hold something else"));
    }
    Ok(manifest)
}

fn read_manifest(backup: &Path) -> Result<Manifest, BackupError> {
    let path = backup.join(manifest::FILE);
    let text = match fs::read(&path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let why = "is no backup: there is no manifest.json in it";
            return Err(BackupError::Usage { path: backup.to_owned(), why });
        }
        text => text.map_err(of_file(&path))?,
    };
    parse_manifest(path, &text)
}

/// Reads what the manifest at `path` says.
pub(super) fn parse_manifest(path: PathBuf, text: &[u8]) -> Result<Manifest, BackupError> {
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|e| BackupError::damaged(&path, e.to_string()))?;
    // Looked at first: what a newer one says besides may be of another shape.
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    let format = format.and_then(|format| u32::try_from(format).ok());
    match format {
        Some(found) if found > manifest::FORMAT => {
            Err(BackupError::Newer { path, found, known: manifest::FORMAT })
        }
        Some(_) => {
            serde_json::from_value(value).map_err(|e| BackupError::damaged(&path, e.to_string()))
        }
        None => Err(BackupError::damaged(&path, "it has no format")),
    }
}

fn compare(backup: &Path, written: &[Listed], found: &[Listed]) -> Result<(), BackupError> {
    let mut found: BTreeMap<&str, &Listed> = found.iter().map(|f| (f.path.as_str(), f)).collect();
    for file in written {
        let path = backup.join(&file.path);
        match found.remove(file.path.as_str()) {
            None => return Err(BackupError::damaged(&path, "it is missing")),
            Some(now) if now.bytes != file.bytes => {
                let why = format!("{} bytes instead of {}", now.bytes, file.bytes);
                return Err(BackupError::damaged(&path, why));
            }
            Some(now) if now.sha256 != file.sha256 => {
                return Err(BackupError::damaged(&path, "its checksum is another"));
            }
            Some(_) => {}
        }
    }
    match found.keys().next() {
        Some(path) => Err(BackupError::damaged(&backup.join(path), "the manifest has it not")),
        None => Ok(()),
    }
}
