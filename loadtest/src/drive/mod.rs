//! Running a scenario: parties are opened, driven, stopped and audited.

mod chats;
mod idle;
mod lane;
mod party;
mod readback;

pub use chats::run as run_chats;
pub use idle::run as run_idle;

use crate::credentials::{Accounts, CredentialsError};
use crate::wire::WireError;
use std::time::Duration;

/// Where the load goes and who sends it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Gateways; connections go round.
    pub urls: Vec<String>,
    /// Who may sign in.
    pub accounts: Accounts,
    /// Server processes on this machine whose cost is measured.
    pub server_pids: Vec<u32>,
}

impl Target {
    /// The gateway of the n-th connection.
    fn url(&self, n: usize) -> &str {
        &self.urls[n % self.urls.len()]
    }
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No accounts or tokens.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A connection could not be opened or ended.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A measurement failed.
    #[error("measuring: {0}")]
    Measure(#[from] std::io::Error),
    /// Conversations were not assigned in time.
    #[error("{assigned} of {wanted} conversations assigned within {within:?}")]
    NotAssigned {
        /// Assigned.
        assigned: usize,
        /// Wanted.
        wanted: usize,
        /// The deadline.
        within: Duration,
    },
    /// A party ended early or a task died.
    #[error("{0}")]
    Party(String),
}
