//! What can be wrong with certificates.

use std::path::PathBuf;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file has not what it should have.
    #[error("{path}: {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Certificate and key do not belong together, or the chain is unusable.
    #[error("certificate and key: {0}")]
    Mismatch(String),
    /// Internal certificates need an authority.
    #[error("no authority (ca) is configured for connections between processes")]
    NoAuthority,
    /// A local authority could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(String),
}
