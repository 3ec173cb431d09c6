//! What the server says about itself when it is ready.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The line of JSON that `frontdesk dev --print json` prints.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Always `ready`.
    pub event: String,
    /// Base address, `http://HOST:PORT`, or `https://` with certificates.
    pub listen: String,
    /// The demo shop.
    pub demo: String,
    /// The agents' console.
    pub console: String,
    /// Name of the site.
    pub site: String,
    /// Its public key.
    pub site_key: String,
    /// Who can sign in.
    pub agents: Vec<Account>,
    /// Where the data lies.
    pub data: PathBuf,
}

impl Ready {
    /// Host and port of the base address.
    pub fn address(&self) -> SocketAddr {
        let address = self.listen.split_once("://").and_then(|(_, a)| a.parse().ok());
        address.unwrap_or_else(|| panic!("not an address: {}", self.listen))
    }
}

/// A generated account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// `agent` or `supervisor`.
    pub role: String,
    /// To sign in with.
    pub email: String,
    /// Told only when it was made.
    pub password: Option<String>,
}
