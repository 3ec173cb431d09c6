//! Tokens for visitors and agents, over gRPC.

use super::address::{Address, AddressError};
use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::{IssueVisitorTokenRequest, SignInRequest, Token};
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

/// The longest one call may take; hashing passwords takes its time.
const CALL_DEADLINE: Duration = Duration::from_secs(15);
/// Tries of one call while the server is away or busy.
const TRIES: u32 = 6;
/// The pause after the first try; doubled after each.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The target is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The server refuses, or was away for too long.
    #[error("no token: {} ({:?})", .0.message(), .0.code())]
    Refused(#[from] Status),
}

/// Gets tokens. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Tokens {
    client: AuthServiceClient<Channel>,
}

impl Tokens {
    /// Connects when it is first used, inside a runtime.
    pub fn new(address: &Address) -> Result<Self, TokenError> {
        let channel = address.channel()?;
        Ok(Self { client: AuthServiceClient::new(channel) })
    }

    /// For a new anonymous visitor of the site with this public key.
    pub async fn visitor(&self, site_key: &str) -> Result<Token, TokenError> {
        let ask = IssueVisitorTokenRequest {
            site_key: site_key.to_owned(),
            previous_token: String::new(),
        };
        self.call(|mut client| {
            let request = with_deadline(ask.clone());
            async move { client.issue_visitor_token(request).await }
        })
        .await
    }

    /// For an agent or supervisor.
    pub async fn sign_in(
        &self,
        site: &str,
        email: &str,
        password: &str,
    ) -> Result<Token, TokenError> {
        let ask = SignInRequest {
            site: site.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
        };
        self.call(|mut client| {
            let request = with_deadline(ask.clone());
            async move { client.sign_in(request).await }
        })
        .await
    }

    async fn call<Calling>(
        &self,
        call: impl Fn(AuthServiceClient<Channel>) -> Calling,
    ) -> Result<Token, TokenError>
    where
        Calling: Future<Output = Result<Response<Token>, Status>>,
    {
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            match call(self.client.clone()).await {
                Ok(token) => return Ok(token.into_inner()),
                Err(status) if tries < TRIES && is_passing(status.code()) => {
                    tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
                    pause *= 2;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }
}

fn with_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_DEADLINE);
    request
}

fn is_passing(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded)
}
