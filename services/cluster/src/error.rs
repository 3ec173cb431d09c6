//! Why the group did not do something.

use std::time::Duration;

/// Why a call to the group failed. A command that was refused by the state is no
/// error here: that is a `Reply::Refused`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// Too many proposals are in flight; nothing was done.
    #[error("too many proposals in flight")]
    Overloaded,
    /// No answer in time: no leader, no quorum or a slow disk. Whether a command
    /// was done is not known; repeating it with its request id is safe.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// The group has stopped or is stopping.
    #[error("the group has stopped")]
    Stopped,
    /// The settings contradict each other.
    #[error("settings: {0}")]
    Settings(String),
    /// The files cannot be opened or are damaged.
    #[error("storage: {0}")]
    Storage(String),
    /// A change of who votes cannot be made now; nothing was done.
    #[error("{0}")]
    Refused(String),
    /// A peer sent what cannot be understood.
    #[error("malformed request of a peer: {0}")]
    Malformed(String),
}
