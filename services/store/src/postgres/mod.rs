//! PostgreSQL 15 or later: the journal, the desk's tables and uploaded files for a
//! cluster. Several processes use one database at the same time; what keeps them
//! apart is in the statements (epochs, heads, unique keys), never in a process.

mod attachments;
mod database;
mod desk;
#[cfg(test)]
mod dump_tests;
mod error;
mod examine;
mod journal;
mod migrate;
mod settings;
mod target;
#[cfg(test)]
pub(crate) mod test_database;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use attachments::PostgresAttachments;
pub use desk::PostgresDesk;
pub use error::PostgresError;
pub use examine::{Examination, examine};
pub use journal::PostgresJournal;
pub use settings::PostgresSettings;
