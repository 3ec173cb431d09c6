//! Who may sign in, as a server's line of readiness or a file says.

use serde::Deserialize;
use std::path::Path;

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

/// Someone who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// Why there are no accounts.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Read(String, std::io::Error),
    /// It is not of this form.
    #[error("accounts: {0}")]
    Parse(#[from] serde_json::Error),
    /// Too few accounts with a password.
    #[error("{needed} {role}s with a password are needed, the accounts file has {have}")]
    TooFew {
        /// `agent` or `supervisor`.
        role: &'static str,
        /// How many the run needs.
        needed: usize,
        /// How many there are.
        have: usize,
    },
}

impl Accounts {
    /// The text of a file, which [`Accounts::parse`] understands.
    pub fn read(path: &Path) -> Result<String, CredentialsError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| CredentialsError::Read(name, e))?;
        Self::parse(&text)?;
        Ok(text)
    }

    /// One JSON value, behind which anything may follow, so that a server's
    /// output will do.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        Ok(Self::deserialize(&mut serde_json::Deserializer::from_str(text))?)
    }

    /// Agents to carry chats: the last ones first, as extra accounts have more room.
    pub fn agents(&self, needed: usize) -> Result<Vec<Login>, CredentialsError> {
        self.of_role("agent", needed)
    }

    /// Supervisors, who may read everything.
    pub fn supervisors(&self, needed: usize) -> Result<Vec<Login>, CredentialsError> {
        self.of_role("supervisor", needed)
    }

    fn of_role(&self, role: &'static str, needed: usize) -> Result<Vec<Login>, CredentialsError> {
        let of_role = self.agents.iter().rev().filter(|account| account.role == role);
        let usable: Vec<_> = of_role
            .filter_map(|a| Some(Login { email: a.email.clone(), password: a.password.clone()? }))
            .take(needed)
            .collect();
        let have = usable.len();
        if have < needed {
            return Err(CredentialsError::TooFew { role, needed, have });
        }
        Ok(usable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = r#"{"event":"ready","site":"demo","siteKey":"pk_1","agents":[
        {"role":"supervisor","email":"s","password":"x"},
        {"role":"agent","email":"a","password":"x"},
        {"role":"agent","email":"b","password":null},
        {"role":"agent","email":"c","password":"y"}]}"#;

    #[test]
    fn agents_with_a_password_are_taken_from_the_end() {
        let accounts = Accounts::parse(&format!("{READY}\nmore output\n")).unwrap();
        let emails: Vec<_> = accounts.agents(2).unwrap().into_iter().map(|a| a.email).collect();
        assert_eq!(emails, ["c", "a"]);
        let few = accounts.agents(3);
        assert!(matches!(few, Err(CredentialsError::TooFew { needed: 3, have: 2, .. })));
        assert_eq!(accounts.supervisors(1).unwrap()[0].email, "s");
    }
}
