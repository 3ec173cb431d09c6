//! What is known of the provider: where it is asked, and the keys it signs with. Fetched
//! when it is first needed, and kept; fetched again when it has grown old, and the keys
//! also when the provider signs with one that is not known, though not as often as
//! somebody likes who makes up key names.

use super::fetch::{Endpoint, Fetch, FetchError};
use super::problem::{Problem, Refusal};
use crate::limits::{BucketRate, TokenBucket};
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After this time what is known is asked for again.
const FRESH: Duration = Duration::from_secs(3_600);
/// An attempt that failed is not repeated before, whoever asks.
const RETRY: Duration = Duration::from_secs(2);
/// Keys that are looked at.
const MAX_KEYS: usize = 50;
/// Looks for unknown keys: one every 20 seconds, three at once.
const KEY_LOOKS: (f32, f32) = (0.05, 3.0);

/// What the provider says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The same, checked.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Endpoint,
    pub(super) token: Endpoint,
    keys: Endpoint,
    pub(super) userinfo: Option<Endpoint>,
    /// The secret goes into the form rather than into a header.
    pub(super) secret_in_form: bool,
    /// Its answers say whose they are.
    pub(super) says_issuer: bool,
}

/// The provider's public keys.
pub(super) type Keys = Arc<Vec<Jwk>>;

/// See the module.
pub(super) struct Provider {
    issuer: String,
    // Held while the provider is asked: many sign-ins at once are one question.
    known: Mutex<Known>,
}

struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    keys: Option<(Instant, Keys)>,
    failed: Option<(Instant, Refusal)>,
    looks: TokenBucket,
}

impl Provider {
    pub(super) fn new(issuer: String) -> Self {
        let looks = TokenBucket::full(look_rate(), Instant::now());
        let known = Known { metadata: None, keys: None, failed: None, looks };
        Self { issuer, known: Mutex::new(known) }
    }

    /// Where it is asked.
    pub(super) async fn metadata(&self, fetch: &Fetch) -> Result<Arc<Metadata>, Refusal> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && at.elapsed() < FRESH
        {
            return Ok(metadata.clone());
        }
        known.not_just_failed()?;
        match self.discover(fetch).await {
            Ok(found) => {
                let found = Arc::new(found);
                known.metadata = Some((Instant::now(), found.clone()));
                Ok(found)
            }
            Err(refusal) => Err(known.fail(refusal)),
        }
    }

    /// The keys, fetched again when they are old, or do not have the one that is
    /// `wanted` and it is not too soon to look.
    pub(super) async fn keys(
        &self,
        fetch: &Fetch,
        metadata: &Metadata,
        wanted: impl Fn(&[Jwk]) -> bool,
    ) -> Result<Keys, Refusal> {
        let mut known = self.known.lock().await;
        let now = Instant::now();
        if let Some((at, keys)) = known.keys.clone()
            && at.elapsed() < FRESH
            && (wanted(&keys) || known.looks.take(look_rate(), now).is_err())
        {
            return Ok(keys);
        }
        known.not_just_failed()?;
        match fetch_keys(fetch, &metadata.keys).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((Instant::now(), keys.clone()));
                Ok(keys)
            }
            Err(error) => Err(known.fail(unavailable("keys", &error))),
        }
    }

    async fn discover(&self, fetch: &Fetch) -> Result<Metadata, Refusal> {
        let issuer = self.issuer.trim_end_matches('/');
        let place = Endpoint::parse(&format!("{issuer}/.well-known/openid-configuration"));
        let place = place.map_err(|e| Refusal::refused(format!("issuer: {e}")))?;
        let found: Document =
            fetch.get(&place, None).await.map_err(|e| unavailable("discovery", &e))?;
        self.check(found)
    }

    pub(super) fn check(&self, found: Document) -> Result<Metadata, Refusal> {
        let refuse = |why: String| Refusal::refused(format!("discovery: {why}"));
        if found.issuer != self.issuer {
            return Err(refuse("the provider calls itself something else".into()));
        }
        let challenges = found.code_challenge_methods_supported;
        if challenges.is_some_and(|known| !known.iter().any(|method| method == "S256")) {
            return Err(refuse("the provider does not know PKCE with S256".into()));
        }
        let at = |name: &str, text: &str| {
            Endpoint::parse(text).map_err(|error| refuse(format!("{name}: {error}")))
        };
        let userinfo = found.userinfo_endpoint.as_deref();
        // Basic is what holds when nothing is said.
        let ways = found.token_endpoint_auth_methods_supported.unwrap_or_default();
        let has = |way: &str| ways.iter().any(|known| known == way);
        Ok(Metadata {
            authorization: at("authorization_endpoint", &found.authorization_endpoint)?,
            token: at("token_endpoint", &found.token_endpoint)?,
            keys: at("jwks_uri", &found.jwks_uri)?,
            userinfo: userinfo.map(|text| at("userinfo_endpoint", text)).transpose()?,
            secret_in_form: !has("client_secret_basic") && has("client_secret_post"),
            says_issuer: found.authorization_response_iss_parameter_supported,
        })
    }
}

impl Known {
    fn not_just_failed(&self) -> Result<(), Refusal> {
        match &self.failed {
            Some((at, refusal)) if at.elapsed() < RETRY => Err(refusal.clone()),
            _ => Ok(()),
        }
    }

    fn fail(&mut self, refusal: Refusal) -> Refusal {
        self.failed = Some((Instant::now(), refusal.clone()));
        refusal
    }
}

fn look_rate() -> BucketRate {
    BucketRate::new(KEY_LOOKS.0, KEY_LOOKS.1)
}

async fn fetch_keys(fetch: &Fetch, from: &Endpoint) -> Result<Vec<Jwk>, FetchError> {
    fetch.get(from, None).await.map(KeySet::known)
}

/// The provider's public keys, as it lists them.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Value>,
}

impl KeySet {
    /// Kinds that are not known here are for somebody else.
    pub(super) fn known(self) -> Vec<Jwk> {
        let known = self.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        known.take(MAX_KEYS).collect()
    }
}

pub(super) fn unavailable(what: &'static str, error: &FetchError) -> Refusal {
    Refusal::new(Problem::Unavailable, format!("{what}: {error}"))
}
