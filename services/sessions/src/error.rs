//! Why the role could not start.

use frontdesk_store::journal::JournalError;

/// Why the role could not start.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// The shards could not be claimed in the journal.
    #[error("cannot claim shards: {0}")]
    Claim(#[from] JournalError),
}
