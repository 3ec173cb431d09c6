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
