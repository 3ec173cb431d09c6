//! Copies of a data folder, made while its server runs, and folders made from copies.
//!
//! A backup is a folder: the two databases as files of their own, the uploaded files,
//! the key that signs tokens, and a manifest of them all. The presence group's log is
//! not in it: whoever restores founds the group anew, so no shard has an epoch there.
//! Nothing here ever writes into a folder that holds data, or over a backup.

mod check;
mod files;
#[cfg(feature = "fuzzing")]
pub(in crate::sqlite) mod fuzzing;
mod make;
mod manifest;
mod restore;
#[cfg(test)]
mod tests;

pub use check::check;
pub use make::{is_data, make};
pub use manifest::{Contents, Manifest};
pub use restore::restore;

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no backup, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Asked for in a way that cannot work; nothing was done.
    #[error("{path}: {why}")]
    Usage {
        /// The folder that was named.
        path: PathBuf,
        /// What is the matter with it.
        why: &'static str,
    },
    /// Made by a newer Frontdesk.
    #[error("{path} has format {found}, this program knows formats up to {known}: use a newer one")]
    Newer {
        /// The backup, or a file in it.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// It is not what was written.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The backup, or a file in it.
        path: PathBuf,
        /// How it is told.
        why: String,
    },
    /// A file cannot be read or written; what was begun has been removed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite cannot read or write a file; what was begun has been removed.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl BackupError {
    fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }

    /// Whether it was asked for in a way that cannot work.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage { .. })
    }
}

/// Makes an error of the system one of this file.
fn of_file(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}

/// Makes an error of SQLite one of this file.
fn of_database(path: &Path) -> impl FnOnce(rusqlite::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Sqlite { path, source }
}
