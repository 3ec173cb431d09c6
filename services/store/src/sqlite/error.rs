//! Why a file could not be opened, and what SQLite's codes mean to callers.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why the data folder or a file in it could not be opened. Final: a person has
/// to act.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be created or written.
    #[error("data folder {path}: {source}")]
    Folder {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("data folder {path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Written by a newer Frontdesk.
    #[error("{path} has format {found}, this program knows formats up to {known}: use a newer one")]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// SQLite cannot work with it.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Whether an error tells of what is stored rather than of the moment: trying
/// again cannot help.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(e, _) => {
            matches!(e.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => true,
        _ => false,
    }
}

/// Whether a failed COMMIT left nothing that a recovery after a crash could
/// still take for committed. A full disk is found while the last frame is being
/// written, so its checksum cannot stand; after a failed sync it may.
pub(super) fn surely_not_committed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ConstraintViolation
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
        )
    )
}

/// A stored value that cannot be understood, as an error of its column.
pub(super) fn bad_column(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_what_cannot_reappear_counts_as_not_committed() {
        assert!(surely_not_committed(&failure(ffi::SQLITE_FULL)));
        assert!(!surely_not_committed(&failure(ffi::SQLITE_IOERR_FSYNC)));
        assert!(!surely_not_committed(&failure(ffi::SQLITE_IOERR_WRITE)));
    }

    #[test]
    fn damage_is_told_from_trouble() {
        assert!(is_damage(&failure(ffi::SQLITE_CORRUPT)));
        assert!(is_damage(&rusqlite::Error::IntegralValueOutOfRange(0, -1)));
        assert!(!is_damage(&failure(ffi::SQLITE_BUSY)));
    }
}
