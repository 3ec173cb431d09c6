//! Signing in, as gateways ask the desk for it.

use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// When and from where somebody signs in, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whence {
    /// When.
    pub at: Timestamp,
    /// Where the request came from: an address.
    pub origin: String,
}

/// Somebody signs in with a password; all as typed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordAttempt {
    /// The tenant.
    pub site: String,
    /// Of the account.
    pub email: String,
    /// Never printed.
    pub password: String,
    /// Absent in what gateways of earlier versions ask.
    pub from: Option<Whence>,
}

impl std::fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordAttempt").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Somebody for whom a provider has vouched, and what the operator's rules make of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The tenant.
    pub site: SiteId,
    /// Who it is, whatever the address. Absent in what gateways of earlier versions say.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Verified by the provider.
    pub email: String,
    /// For an account that is made.
    pub name: String,
    /// `Agent` or `Supervisor`, which the account becomes; `None`: what it is.
    pub role: Option<Role>,
    /// Make an account when there is none.
    pub create: bool,
    /// When it signs in.
    pub at: Timestamp,
    /// Where the request came from: an address.
    pub origin: String,
}

impl std::fmt::Debug for Vouched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vouched").field("site", &self.site).finish_non_exhaustive()
    }
}

/// An account that is bound to nobody any more, and signed out everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbound {
    /// Its id.
    pub agent: AgentId,
    /// Its address.
    pub email: String,
    /// Whom it was bound to; nobody: then nothing was changed.
    pub was: Vec<Identity>,
    /// Tokens of an earlier one are refused from now on.
    pub generation: u32,
}
