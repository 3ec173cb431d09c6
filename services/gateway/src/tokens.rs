//! Tokens: signed statements of who a client is.
//!
//! The header's `kid` picks the key and the key alone picks the algorithm; what
//! the token claims about its algorithm only ever leads to refusal.

use crate::settings::{TokenAlgorithm, TokenKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::time::{Millis, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

const AUDIENCE: &str = "frontdesk";

/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Shortest HMAC secret, in bytes: the hash's own length.
const MIN_SECRET_BYTES: usize = 32;

const ED25519_PUBLIC_BYTES: usize = 32;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// None was given.
    #[error("no token key is set")]
    None,
    /// Two keys share a name.
    #[error("token key {0:?} is set twice")]
    Duplicate(String),
    /// Not Base64, or of the wrong length.
    #[error("token key {0:?} is malformed")]
    Malformed(String),
}

/// Whether these keys can sign and verify: named once each, long enough, well formed.
///
/// # Errors
/// What is wrong with the first that cannot.
pub fn examine_keys(keys: &[TokenKey]) -> Result<(), KeyError> {
    Tokens::new(keys).map(drop)
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is malformed")]
    Malformed,
    #[error("the token's key is not known")]
    UnknownKey,
    #[error("the token's signature or audience is wrong")]
    Refused,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    aud: String,
    /// Seconds since the Unix epoch.
    exp: u64,
    iat: u64,
    sub: Uuid,
    site: SiteId,
    role: Role,
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    /// Of the account, when the token was made.
    #[serde(default, rename = "gen", skip_serializing_if = "is_first")]
    generation: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_first(generation: &u32) -> bool {
    *generation == 0
}

/// What a token is to say besides its life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) who: &'a Principal,
    /// Attributes of the visitor that the site vouches for.
    pub(crate) attributes: &'a BTreeMap<String, String>,
    /// The account's; 0 for a visitor.
    pub(crate) generation: u32,
}

/// A token that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) token: String,
    /// In whole seconds.
    pub(crate) expires_at: Timestamp,
    /// The key that signed it.
    pub(crate) kid: Arc<str>,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    pub(crate) expires_at: Timestamp,
    /// Attributes of the visitor that the site vouches for.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Of the account, when the token was made.
    pub(crate) generation: u32,
    /// The key that signed it.
    pub(crate) kid: Arc<str>,
}

struct Key {
    kid: Arc<str>,
    algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Signs with the first key, verifies with all. The keys may be replaced at any time.
pub(crate) struct Tokens {
    keys: RwLock<Arc<[Key]>>,
}

impl Tokens {
    pub(crate) fn new(settings: &[TokenKey]) -> Result<Self, KeyError> {
        Ok(Self { keys: RwLock::new(load_all(settings)?) })
    }

    /// These keys and no others from now on. When they cannot be used nothing changes.
    pub(crate) fn replace(&self, settings: &[TokenKey]) -> Result<(), KeyError> {
        let keys = load_all(settings)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whether tokens of this key are still taken.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.keys().iter().any(|key| *key.kid == *kid)
    }

    fn keys(&self) -> Arc<[Key]> {
        // Every write is one assignment: a poisoned one is whole.
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Issues a token.
    pub(crate) fn issue(
        &self,
        grant: Grant<'_>,
        now: Timestamp,
        life: Millis,
    ) -> Result<Issued, TokenError> {
        let Grant { who, attributes, generation } = grant;
        let keys = self.keys();
        let key = keys.first().ok_or(TokenError::UnknownKey)?;
        let exp = (now + life).as_millis() / 1_000;
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            exp,
            iat: now.as_millis() / 1_000,
            sub: who.id,
            site: who.site.clone(),
            role: who.role,
            name: who.name.to_string(),
            attributes: attributes.clone(),
            generation,
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.kid.to_string());
        let token = jsonwebtoken::encode(&header, &claims, &key.encoding)
            .map_err(|_| TokenError::Malformed)?;
        let expires_at = Timestamp::from_millis(exp * 1_000);
        Ok(Issued { token, expires_at, kid: key.kid.clone() })
    }

    /// Checks a token that must still be valid.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.verify_expired(token, now, Millis::ZERO)
    }

    /// Checks a token that may have expired up to `grace` ago.
    pub(crate) fn verify_expired(
        &self,
        token: &str,
        now: Timestamp,
        grace: Millis,
    ) -> Result<Verified, TokenError> {
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| *key.kid == *kid).ok_or(TokenError::UnknownKey)?;

        let mut rules = Validation::new(key.algorithm);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "aud", "sub"]);
        // Expiry is checked below against the injected clock.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules)
            .map_err(|_| TokenError::Refused)?
            .claims;

        let expires_at = Timestamp::from_millis(claims.exp.saturating_mul(1_000));
        if now >= expires_at + grace {
            return Err(TokenError::Expired);
        }
        let principal = Principal {
            site: claims.site,
            role: claims.role,
            id: claims.sub,
            name: claims.name.into(),
        };
        let (attributes, generation) = (claims.attributes, claims.generation);
        Ok(Verified { principal, expires_at, attributes, generation, kid: key.kid.clone() })
    }
}

fn load_all(settings: &[TokenKey]) -> Result<Arc<[Key]>, KeyError> {
    let mut keys: Vec<Key> = Vec::with_capacity(settings.len());
    for setting in settings {
        if keys.iter().any(|key| *key.kid == setting.kid) {
            return Err(KeyError::Duplicate(setting.kid.clone()));
        }
        keys.push(load(setting).ok_or_else(|| KeyError::Malformed(setting.kid.clone()))?);
    }
    if keys.is_empty() { Err(KeyError::None) } else { Ok(keys.into()) }
}

fn load(setting: &TokenKey) -> Option<Key> {
    let secret = STANDARD.decode(&setting.secret).ok()?;
    let (algorithm, encoding, decoding) = match setting.algorithm {
        TokenAlgorithm::Hs256 => {
            if secret.len() < MIN_SECRET_BYTES {
                return None;
            }
            let decoding = DecodingKey::from_secret(&secret);
            (Algorithm::HS256, EncodingKey::from_secret(&secret), decoding)
        }
        TokenAlgorithm::EdDsa => {
            let public = STANDARD.decode(&setting.public).ok()?;
            if public.len() != ED25519_PUBLIC_BYTES {
                return None;
            }
            let decoding = DecodingKey::from_ed_der(&public);
            (Algorithm::EdDSA, EncodingKey::from_ed_der(&secret), decoding)
        }
    };
    (!setting.kid.is_empty()).then(|| Key {
        kid: setting.kid.as_str().into(),
        algorithm,
        encoding,
        decoding,
    })
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
