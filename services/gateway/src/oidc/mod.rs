//! Signing in by way of an OpenID provider: authorization code with PKCE.
//!
//! Three steps, each of which any gateway of the cluster can take, for what lies between
//! is sealed in a cookie of the browser: `begin` sends the browser to the provider,
//! `finish` trades what it brings back for somebody the provider vouches for, `redeem`
//! gives the page the token. No token and no code of ours is ever in an address, and
//! nothing of a request decides where a browser is sent.

mod admission;
mod fetch;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod id_token;
mod problem;
mod provider;
mod seal;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use problem::{Problem, Refusal};
pub use settings::{Grant, OidcSettings, StaffRole};

use crate::settings::TokenKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fetch::{Endpoint, Fetch, encode, form};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, SiteId};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{AgentAccount, Vouched};
use id_token::Expected;
use provider::{Metadata, Provider, unavailable};
use ring::digest::{SHA256, digest};
use seal::{Seals, Spent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How long somebody may take at the provider.
pub(crate) const HANDSHAKE_LIFE: Millis = Millis::from_mins(10);
/// How long a page may take to fetch its token.
pub(crate) const PASS_LIFE: Millis = Millis::from_secs(60);
/// Where the provider sends browsers back to.
pub(crate) const CALLBACK: &str = "/auth/oidc/callback";
/// Sign-ins for which the provider is asked at once.
const MAX_EXCHANGES: usize = 64;
/// Longest code that is taken from a browser, in bytes.
const MAX_CODE_BYTES: usize = 4 * 1024;
const HANDSHAKE: &str = "handshake";
const PASS: &str = "pass";

/// The page that somebody signs in for: the only places that a browser is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Page {
    #[default]
    Console,
    Supervisor,
}

impl Page {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Console => "/console/",
            Self::Supervisor => "/supervisor/",
        }
    }
}

/// What the browser keeps while its person is at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Handshake {
    state: String,
    nonce: String,
    verifier: String,
    page: Page,
    site: Option<SiteId>,
    until: Timestamp,
}

/// What the browser keeps until its page asks for the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pass {
    id: String,
    pub(crate) site: SiteId,
    pub(crate) agent: AgentId,
    until: Timestamp,
}

/// What a browser brings back from the provider.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Returned {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// What the provider gives for a code.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// See the module.
pub(crate) struct Oidc {
    pub(crate) settings: OidcSettings,
    secret: Option<String>,
    redirect: String,
    fetch: Fetch,
    provider: Provider,
    seals: Seals,
    spent: Spent,
    exchanges: Semaphore,
}

impl Oidc {
    /// Has what is kept by browsers sealed with these keys from now on.
    pub(crate) fn replace_keys(&self, keys: &[TokenKey]) {
        self.seals.replace(keys);
    }

    /// Asks nobody yet. Fails with one line that says what is wrong with the settings.
    pub(crate) fn new(settings: OidcSettings, keys: &[TokenKey]) -> Result<Self, String> {
        settings.check()?;
        Ok(Self {
            secret: settings.secret()?,
            redirect: format!("{}{CALLBACK}", settings.public_origin),
            fetch: Fetch::new(settings.ca.as_deref())?,
            provider: Provider::new(settings.issuer.clone()),
            seals: Seals::new(keys),
            spent: Spent::default(),
            exchanges: Semaphore::new(MAX_EXCHANGES),
            settings,
        })
    }

    /// Whether browsers come by TLS.
    pub(crate) fn is_public_tls(&self) -> bool {
        Endpoint::parse(&self.settings.public_origin).is_ok_and(|origin| origin.is_tls())
    }

    /// Where to send a browser, and what it is to keep meanwhile.
    pub(crate) async fn begin(
        &self,
        page: Page,
        site: Option<SiteId>,
        now: Timestamp,
    ) -> Result<(String, String), Refusal> {
        let metadata = self.provider.metadata(&self.fetch).await?;
        let handshake = Handshake {
            state: random(),
            nonce: random(),
            verifier: random(),
            page,
            site,
            until: now + HANDSHAKE_LIFE,
        };
        let challenge = digest(&SHA256, handshake.verifier.as_bytes());
        let to = metadata.authorization.with_query(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.redirect),
            ("scope", &self.settings.scopes.join(" ")),
            ("state", &handshake.state),
            ("nonce", &handshake.nonce),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        Ok((to, self.seal(HANDSHAKE, &handshake)?))
    }

    /// The page of a handshake, if it is one.
    pub(crate) fn page_of(&self, cookie: &str) -> Page {
        let handshake: Option<Handshake> = self.seals.open(HANDSHAKE, cookie);
        handshake.map_or_else(Page::default, |handshake| handshake.page)
    }

    /// Whom the provider vouches for, given what a browser at `origin` has kept and brought
    /// back.
    pub(crate) async fn finish(
        &self,
        cookie: &str,
        returned: Returned,
        (now, origin): (Timestamp, &str),
    ) -> Result<Vouched, Refusal> {
        let expired = |why: &'static str| Refusal::new(Problem::Expired, why);
        let handshake: Handshake = self
            .seals
            .open(HANDSHAKE, cookie)
            .ok_or_else(|| expired("this browser has begun no sign-in"))?;
        if now >= handshake.until {
            return Err(expired("it took too long"));
        }
        if returned.state.as_ref() != Some(&handshake.state) {
            return Err(expired("the state is another sign-in's"));
        }
        if !self.spent.first_use(&handshake.state, handshake.until, now) {
            return Err(expired("this sign-in has ended already"));
        }
        let metadata = self.provider.metadata(&self.fetch).await?;
        let code = self.code_of(returned, &metadata)?;
        let _turn = self
            .exchanges
            .try_acquire()
            .map_err(|_| Refusal::new(Problem::Busy, "too many sign-ins at once"))?;
        let tokens = self.exchange(&metadata, &code, &handshake.verifier).await?;
        let (subject, claims) = self.claims(&metadata, &tokens, &handshake.nonce, now).await?;
        let identity = Identity::new(&self.settings.issuer, &subject)
            .map_err(|error| Refusal::refused(error.to_string()))?;
        let site = handshake.site.as_ref();
        admission::admit(&self.settings, (identity, &claims), site, (now, origin))
    }

    /// What the page is to show for its token.
    pub(crate) fn pass(&self, account: &AgentAccount, now: Timestamp) -> Result<String, Refusal> {
        let (site, agent) = (account.site.clone(), account.id);
        self.seal(PASS, &Pass { id: random(), site, agent, until: now + PASS_LIFE })
    }

    /// Takes a pass, once.
    pub(crate) fn redeem(&self, cookie: &str, now: Timestamp) -> Result<Pass, Refusal> {
        let expired = |why: &'static str| Refusal::new(Problem::Expired, why);
        let pass: Option<Pass> = self.seals.open(PASS, cookie);
        let pass = pass.filter(|pass| now < pass.until).ok_or_else(|| expired("no pass"))?;
        if !self.spent.first_use(&pass.id, pass.until, now) {
            return Err(expired("the pass has been used already"));
        }
        Ok(pass)
    }

    fn code_of(&self, returned: Returned, metadata: &Metadata) -> Result<String, Refusal> {
        // Else one provider's answer could be passed off as another's (RFC 9207).
        match &returned.iss {
            Some(issuer) if *issuer != self.settings.issuer => {
                return Err(Refusal::refused("the answer is another provider's"));
            }
            None if metadata.says_issuer => {
                return Err(Refusal::refused("the answer does not say whose it is"));
            }
            _ => {}
        }
        match (returned.error.as_deref(), returned.code) {
            (Some("temporarily_unavailable" | "server_error"), _) => {
                Err(Refusal::new(Problem::Unavailable, "the provider says that it is"))
            }
            (Some(_), _) => Err(Refusal::new(Problem::Denied, "the provider says no")),
            (None, Some(code)) if !code.is_empty() && code.len() <= MAX_CODE_BYTES => Ok(code),
            (None, _) => Err(Refusal::refused("there is no code")),
        }
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, Refusal> {
        let client = &self.settings.client_id;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", verifier),
        ];
        let mut authorization = None;
        match &self.secret {
            None => fields.push(("client_id", client)),
            Some(secret) if metadata.secret_in_form => {
                fields.extend([("client_id", client.as_str()), ("client_secret", secret)]);
            }
            Some(secret) => {
                let both = format!("{}:{}", encode(client), encode(secret));
                authorization = Some(format!("Basic {}", STANDARD.encode(both)));
            }
        }
        let asked = self.fetch.post(&metadata.token, authorization, form(&fields)).await;
        asked.map_err(|error| match error {
            // A code that was used, is too old, or is not ours; or our secret is wrong.
            fetch::FetchError::Status(status @ 400..500) => {
                Refusal::refused(format!("the provider did not take the code: {status}"))
            }
            error => unavailable("token", &error),
        })
    }

    /// Whom the ID token is about, and what it says; where that is not enough, what the
    /// provider tells of the same person.
    async fn claims(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        nonce: &str,
        now: Timestamp,
    ) -> Result<(String, Map<String, Value>), Refusal> {
        let token = tokens.id_token.as_deref();
        let token = token.ok_or_else(|| Refusal::refused("there is no ID token"))?;
        let known = |keys: &[jsonwebtoken::jwk::Jwk]| id_token::has_key(token, keys);
        let keys = self.provider.keys(&self.fetch, metadata, known).await?;
        let access_token = tokens.access_token.as_deref();
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce,
            access_token,
        };
        let subject = id_token::check(token, &keys, &expected, now)
            .map_err(|fault| Refusal::refused(fault.to_string()))?;
        let mut claims = subject.claims;
        if let (false, Some(place), Some(access_token)) =
            (admission::is_complete(&self.settings, &claims), &metadata.userinfo, access_token)
        {
            let told: Map<String, Value> = self
                .fetch
                .get(place, Some(access_token))
                .await
                .map_err(|error| unavailable("userinfo", &error))?;
            if told.get("sub").and_then(Value::as_str) != Some(&subject.id) {
                return Err(Refusal::refused("userinfo is about somebody else"));
            }
            for (name, value) in told {
                claims.entry(name).or_insert(value);
            }
        }
        Ok((subject.id, claims))
    }

    fn seal(&self, purpose: &'static str, value: &impl Serialize) -> Result<String, Refusal> {
        let sealed = self.seals.seal(purpose, value);
        sealed.ok_or_else(|| Refusal::new(Problem::Unavailable, "nothing could be sealed"))
    }
}

/// For the sealing keys are those of tokens, the settings of both are needed.
pub(crate) fn from_settings(
    settings: &crate::settings::Settings,
) -> Result<Option<Arc<Oidc>>, String> {
    let oidc = settings.oidc.clone().map(|oidc| Oidc::new(oidc, &settings.keys));
    Ok(oidc.transpose()?.map(Arc::new))
}

/// Whether the provider of these settings is reached, names itself, has what is needed
/// of it, and shows keys; `None` without a provider. One line says what is wrong.
pub async fn examine_oidc(settings: &crate::settings::Settings) -> Option<Result<(), String>> {
    let oidc = settings.oidc.clone()?;
    let looked = async {
        let oidc = Oidc::new(oidc, &settings.keys)?;
        let said = |refusal: Refusal| refusal.why.into_owned();
        let metadata = oidc.provider.metadata(&oidc.fetch).await.map_err(said)?;
        let keys = oidc.provider.keys(&oidc.fetch, &metadata, |keys| !keys.is_empty());
        match keys.await.map_err(said)?.is_empty() {
            true => Err("it shows no keys".to_owned()),
            false => Ok(()),
        }
    };
    Some(looked.await)
}

/// 256 random bits.
fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
