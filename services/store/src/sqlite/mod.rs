//! Everything on one machine: SQLite files in one data folder, WAL,
//! `synchronous=FULL`. No call of this module blocks the async runtime.

pub mod backup;
mod desk;
mod error;
mod file;
mod folder;
mod journal;
mod workers;

pub use desk::SqliteDesk;
pub use error::OpenError;
pub use folder::DataFolder;
pub use journal::SqliteJournal;

#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    //! What lies in the files of the embedded store, for whoever feeds it with damage:
    //! functions of bytes that say whether these were taken, and panic when what was
    //! taken breaks a rule. The server has no use for it.

    pub use super::backup::fuzzing::manifest;
    pub use super::journal::fuzzing::{packed_group, packed_run, sample_group, summary};
}
