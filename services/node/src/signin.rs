//! Getting a token for the terminal commands.

use crate::cli::TargetArgs;
use crate::link::{self, LinkError};
use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::{IssueVisitorTokenRequest, SignInRequest, Token};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;
use tonic::Request;
use tonic::transport::Channel;

/// The longest a call may take.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("--email is needed to sign in")]
    NoEmail,
    #[error("cannot read the password: {0}")]
    Password(#[from] std::io::Error),
    #[error("--site-key is needed: it is printed by `frontdesk dev` and stands in the script tag")]
    NoSiteKey,
}

/// Signs in as staff.
pub(crate) async fn staff(target: &TargetArgs) -> Result<Token, SignInError> {
    let email = target.email.clone().ok_or(SignInError::NoEmail)?;
    let password = password(target)?;
    let sign_in = SignInRequest { site: target.site.clone(), email, password };
    let answer = client(target).await?.sign_in(with_deadline(sign_in)).await;
    Ok(answer.map_err(LinkError::from)?.into_inner())
}

/// Becomes an anonymous visitor.
pub(crate) async fn visitor(
    target: &TargetArgs,
    site_key: Option<&str>,
) -> Result<Token, SignInError> {
    let site_key = site_key.ok_or(SignInError::NoSiteKey)?.to_owned();
    let ask = IssueVisitorTokenRequest { site_key, previous_token: String::new() };
    let answer = client(target).await?.issue_visitor_token(with_deadline(ask)).await;
    Ok(answer.map_err(LinkError::from)?.into_inner())
}

async fn client(target: &TargetArgs) -> Result<AuthServiceClient<Channel>, LinkError> {
    let channel = link::endpoint(target)?.connect().await?;
    Ok(AuthServiceClient::new(channel))
}

/// A request that ends after `CALL_DEADLINE`.
pub(crate) fn with_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_DEADLINE);
    request
}

/// From the file, `FRONTDESK_PASSWORD`, or the person at the terminal.
fn password(target: &TargetArgs) -> Result<String, std::io::Error> {
    if let Some(file) = &target.password_file {
        let text = std::fs::read_to_string(file)?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if let Ok(password) = std::env::var("FRONTDESK_PASSWORD") {
        return Ok(password);
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Password: ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
