//! What can be set about signing in by way of an OpenID provider (`[gateway.oidc]`).

use super::fetch::Endpoint;
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::Role;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// A provider that vouches for agents and supervisors. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// The provider, exactly as it calls itself: `https://login.example/realms/shop`.
    pub issuer: String,
    /// Frontdesk's name at the provider.
    pub client_id: String,
    /// Its secret there; none for a public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// A file that holds the secret, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// Where browsers reach the gateways: `https://chat.example`. The provider must
    /// allow its `/auth/oidc/callback`.
    pub public_origin: String,
    /// What the provider is called on the button.
    #[serde(default = "OidcSettings::default_label")]
    pub label: String,
    /// What is asked for.
    #[serde(default = "OidcSettings::default_scopes")]
    pub scopes: Vec<String>,
    /// The claim with the address. Whatever its name, `email_verified` must hold.
    #[serde(default = "OidcSettings::default_email_claim")]
    pub email_claim: String,
    /// The claim with the name to show.
    #[serde(default = "OidcSettings::default_name_claim")]
    pub name_claim: String,
    /// Domains whose addresses may sign in; all when empty.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    /// Who may sign in to what: the first that holds counts.
    pub grants: Vec<Grant>,
    /// Makes an account at the first sign-in. Else it must be there.
    #[serde(default)]
    pub create_accounts: bool,
    /// The only addresses that still sign in with a password; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwords_only_for: Option<Vec<String>>,
    /// Authorities that the provider's certificate may be of, in PEM; else the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

/// Lets people in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// To this site.
    pub site: SiteId,
    /// As this, put in force with each sign-in; absent: as what the account is, a new
    /// one as an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<StaffRole>,
    /// Those of whom this claim (`groups`, or `realm_access.roles` within an object) …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// … has one of these values. Without a claim: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What staff can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StaffRole {
    /// Carries chats.
    Agent,
    /// Sees all of the site.
    Supervisor,
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Agent => Self::Agent,
            StaffRole::Supervisor => Self::Supervisor,
        }
    }
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl OidcSettings {
    fn default_label() -> String {
        "single sign-on".to_owned()
    }

    fn default_scopes() -> Vec<String> {
        ["openid", "email", "profile"].map(str::to_owned).to_vec()
    }

    fn default_email_claim() -> String {
        "email".to_owned()
    }

    fn default_name_claim() -> String {
        "name".to_owned()
    }

    /// What is wrong with them, in one line.
    pub(super) fn check(&self) -> Result<(), String> {
        Endpoint::parse(&self.issuer).map_err(|e| format!("issuer: {e}"))?;
        let origin = Endpoint::parse(&self.public_origin);
        let origin = origin.map_err(|e| format!("public_origin: {e}"))?;
        if origin.origin() != self.public_origin {
            return Err(format!("public_origin: write {:?}, without a path", origin.origin()));
        }
        let wrong = if self.client_id.is_empty() {
            "client_id is empty"
        } else if self.client_secret.is_some() && self.client_secret_file.is_some() {
            "client_secret and client_secret_file are both set"
        } else if !self.scopes.iter().any(|scope| scope == "openid") {
            "scopes: `openid` is missing"
        } else if self.grants.is_empty() {
            "grants: without any nobody could sign in"
        } else if self.grants.iter().any(|g| g.claim.is_some() == g.values.is_empty()) {
            "grants: a claim needs values, and values need a claim"
        } else {
            return Ok(());
        };
        Err(wrong.to_owned())
    }

    /// The secret, wherever it is.
    pub(super) fn secret(&self) -> Result<Option<String>, String> {
        let Some(file) = &self.client_secret_file else { return Ok(self.client_secret.clone()) };
        let read = std::fs::read_to_string(file);
        let read = read.map_err(|e| format!("client_secret_file: {}: {e}", file.display()))?;
        Ok(Some(read.trim_end().to_owned()))
    }

    /// Whether an address may still sign in with a password.
    pub(crate) fn takes_password_of(&self, email: &str) -> bool {
        let listed = |list: &Vec<String>| list.iter().any(|one| one.eq_ignore_ascii_case(email));
        self.passwords_only_for.as_ref().is_none_or(listed)
    }
}
