//! TLS: between the roles, where both sides must show a certificate of the
//! cluster's own authority, and towards clients. Certificates are read again when
//! their files change; connections that are open go on as they are.

mod error;
mod identity;
mod inspect;
mod local;
mod outward;
mod reload;
mod stream;
#[cfg(test)]
mod tests;

pub use error::TlsError;
pub use inspect::{CertificateTerm, certificate_terms};
pub use local::{kept_local_ca, local_ca};
pub use outward::outward;
pub use reload::{ReloadTask, Tls};
pub use stream::ServerStream;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The name that certificates between roles are issued for, beside any others:
/// addresses of processes change, this does not.
pub const INTERNAL_NAME: &str = "frontdesk.internal";

/// Where a process's certificates are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// This process's chain, its own certificate first.
    pub cert: PathBuf,
    /// The key of the first.
    pub key: PathBuf,
    /// The authorities whose certificates others must show; towards clients none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}
