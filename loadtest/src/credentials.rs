//! Who may sign in, and tokens for them.

use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::{IssueVisitorTokenRequest, SignInRequest};
use serde::Deserialize;
use std::path::Path;
use tonic::transport::{Channel, Endpoint};

/// The accounts of a site, as `frontdesk dev --print json` prints them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    /// The site.
    pub site: String,
    /// Its public key.
    pub site_key: String,
    /// Accounts; those without a password are of no use.
    pub agents: Vec<Account>,
}

/// One account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// `agent` or `supervisor`.
    pub role: String,
    /// Address to sign in with.
    pub email: String,
    /// Password, when it is known.
    pub password: Option<String>,
}

/// Why there are no accounts or tokens.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Read(String, std::io::Error),
    /// It is not of this form.
    #[error("{0}: {1}")]
    Parse(String, serde_json::Error),
    /// Too few accounts with a password.
    #[error("the scenario needs {needed} agents with a password, the accounts file has {have}")]
    TooFew {
        /// Agents the scenario wants.
        needed: usize,
        /// Agents there are.
        have: usize,
    },
    /// The target is no address.
    #[error("{0} is not an address such as http://127.0.0.1:8080")]
    Address(String),
    /// The server cannot be reached.
    #[error("cannot reach the server: {0}")]
    Unreachable(#[from] tonic::transport::Error),
    /// The server refuses.
    #[error("the server refuses: {}", .0.message())]
    Refused(#[from] tonic::Status),
}

impl Accounts {
    /// Reads the file; its first line counts, so that a server's output will do.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|e| CredentialsError::Read(name.clone(), e))?;
        let line = text.lines().next().unwrap_or_default();
        serde_json::from_str(line).map_err(|e| CredentialsError::Parse(name, e))
    }

    /// Agents to carry chats: the last ones first, as extra accounts have more room.
    pub fn agents(&self, needed: usize) -> Result<Vec<(String, String)>, CredentialsError> {
        let usable: Vec<_> = self
            .agents
            .iter()
            .rev()
            .filter(|a| a.role == "agent")
            .filter_map(|a| Some((a.email.clone(), a.password.clone()?)))
            .take(needed)
            .collect();
        let have = usable.len();
        if have < needed { Err(CredentialsError::TooFew { needed, have }) } else { Ok(usable) }
    }
}

/// Gets tokens over gRPC.
#[derive(Clone)]
pub struct Desk {
    client: AuthServiceClient<Channel>,
}

impl Desk {
    /// Connects.
    pub async fn connect(target: &str) -> Result<Self, CredentialsError> {
        let endpoint = Endpoint::from_shared(target.to_owned())
            .map_err(|_| CredentialsError::Address(target.to_owned()))?;
        Ok(Self { client: AuthServiceClient::new(endpoint.connect().await?) })
    }

    /// A new visitor's token.
    pub async fn visitor(&mut self, site_key: &str) -> Result<String, CredentialsError> {
        let request = IssueVisitorTokenRequest {
            site_key: site_key.to_owned(),
            previous_token: String::new(),
        };
        Ok(self.client.issue_visitor_token(request).await?.into_inner().token)
    }

    /// An agent's token.
    pub async fn agent(
        &mut self,
        site: &str,
        (email, password): (String, String),
    ) -> Result<String, CredentialsError> {
        let request = SignInRequest { site: site.to_owned(), email, password };
        Ok(self.client.sign_in(request).await?.into_inner().token)
    }
}
