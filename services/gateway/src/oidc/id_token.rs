//! Whether an ID token is the provider's, for us, for this sign-in, and still good. Pure:
//! keys and time are given.
//!
//! The key picks what may verify; what the token claims about its algorithm only ever
//! leads to refusal. Algorithms with a shared secret are not among those known.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::time::Timestamp;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ring::digest;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What the provider may sign with.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 32 * 1024;
/// Bytes of a public key of Ed25519, the only curve that EdDSA is known with here.
const ED25519_BYTES: usize = 32;
/// How much the provider's clock may differ, in seconds.
const LEEWAY_SECONDS: u64 = 60;
/// A token is made for the sign-in it comes with: an older one is somebody else's.
const MAX_AGE_SECONDS: u64 = 600;

/// What a token must be about.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: Option<&'a str>,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the ID token is malformed, or signed in a way that is not allowed")]
    Malformed,
    #[error("the ID token's key is not known")]
    UnknownKey,
    #[error("the ID token's signature is wrong")]
    Signature,
    #[error("the ID token is of another issuer")]
    Issuer,
    #[error("the ID token is for somebody else")]
    Audience,
    #[error("the ID token is not good at this time")]
    Time,
    #[error("the ID token is of another sign-in")]
    Nonce,
    #[error("the ID token is not about the access token that came with it")]
    AccessToken,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: u64,
    nbf: Option<u64>,
    iat: u64,
    nonce: Option<String>,
    at_hash: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Whom a good token is about, and what else it says.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) id: String,
    pub(super) claims: Map<String, Value>,
}

/// Whether one of these keys could have signed this token.
pub(super) fn has_key(token: &str, keys: &[Jwk]) -> bool {
    header(token).is_some_and(|header| key_for(&header, keys).is_some())
}

/// Checks everything.
pub(super) fn check(
    token: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Subject, TokenFault> {
    let header = header(token).ok_or(TokenFault::Malformed)?;
    let key = key_for(&header, keys).ok_or(TokenFault::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenFault::Signature)?;
    let mut rules = Validation::new(header.alg);
    // All claims are checked below, against the clock that is given.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules).map_err(|e| {
        let malformed = matches!(e.kind(), jsonwebtoken::errors::ErrorKind::Json(_));
        if malformed { TokenFault::Malformed } else { TokenFault::Signature }
    })?;
    let claims = claims.claims;
    about_us(&claims, expected)?;
    in_time(&claims, now)?;
    of_this_sign_in(&claims, expected, header.alg)?;
    if claims.sub.is_empty() {
        return Err(TokenFault::Malformed);
    }
    Ok(Subject { id: claims.sub, claims: claims.others })
}

fn header(token: &str) -> Option<jsonwebtoken::Header> {
    let header = (token.len() <= MAX_TOKEN_BYTES).then(|| jsonwebtoken::decode_header(token).ok());
    // What must be understood to verify it is not understood here.
    header.flatten().filter(|h| ALGORITHMS.contains(&h.alg) && h.crit.is_none())
}

/// The key of that name; without a name the only one that fits.
fn key_for<'a>(header: &jsonwebtoken::Header, keys: &'a [Jwk]) -> Option<&'a Jwk> {
    let mut fitting = keys.iter().filter(|key| fits(key, header.alg));
    match &header.kid {
        Some(kid) => fitting.find(|key| key.common.key_id.as_ref() == Some(kid)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// Whether a key is for signatures of this kind.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature);
    let said = key.common.key_algorithm;
    let same = said.is_none_or(|said| said == KeyAlgorithm::from(algorithm));
    let fits = |key: DecodingKey| {
        let family = key.family() == algorithm.family();
        // The library takes it to be as long as it should be, and ends the task if not.
        let bytes = || key.try_get_as_bytes().map_or(0, <[u8]>::len);
        family && (algorithm != Algorithm::EdDSA || bytes() == ED25519_BYTES)
    };
    for_signatures && same && DecodingKey::from_jwk(key).is_ok_and(fits)
}

fn about_us(claims: &Claims, expected: &Expected<'_>) -> Result<(), TokenFault> {
    if claims.iss != expected.issuer {
        return Err(TokenFault::Issuer);
    }
    let us = expected.client_id;
    let (for_us, others) = match &claims.aud {
        Audience::One(aud) => (aud == us, false),
        Audience::Many(all) => (all.iter().any(|aud| aud == us), all.len() > 1),
    };
    // Who asked for a token that others may use as well must be said, and be us.
    let asked_by_us = match &claims.azp {
        Some(azp) => azp == us,
        None => !others,
    };
    if for_us && asked_by_us { Ok(()) } else { Err(TokenFault::Audience) }
}

fn in_time(claims: &Claims, now: Timestamp) -> Result<(), TokenFault> {
    let now = now.as_millis() / 1_000;
    let later = now.saturating_add(LEEWAY_SECONDS);
    let ended = claims.exp.saturating_add(LEEWAY_SECONDS) <= now;
    let begins = claims.nbf.is_some_and(|nbf| nbf > later);
    let old = claims.iat.saturating_add(MAX_AGE_SECONDS + LEEWAY_SECONDS) < now;
    if ended || begins || old || claims.iat > later { Err(TokenFault::Time) } else { Ok(()) }
}

fn of_this_sign_in(
    claims: &Claims,
    expected: &Expected<'_>,
    algorithm: Algorithm,
) -> Result<(), TokenFault> {
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(TokenFault::Nonce);
    }
    match (&claims.at_hash, expected.access_token) {
        (Some(hash), Some(token)) if *hash == half_hash(token, algorithm) => Ok(()),
        (None, _) => Ok(()),
        _ => Err(TokenFault::AccessToken),
    }
}

/// The left half of the hash that goes with the signature's algorithm.
fn half_hash(token: &str, algorithm: Algorithm) -> String {
    let kind = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let hash = digest::digest(kind, token.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_than_its_kind_has_is_none() {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#);
        let token = format!("{head}.e30.AAAA");
        for (bytes, known) in [(0, false), (16, false), (31, false), (32, true), (57, false)] {
            let x = URL_SAFE_NO_PAD.encode(vec![7; bytes]);
            let key = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
            let keys = [serde_json::from_value(key).unwrap()];
            assert_eq!(has_key(&token, &keys), known, "{bytes} bytes");
            let expected = Expected { issuer: "", client_id: "", nonce: "", access_token: None };
            assert!(check(&token, &keys, &expected, Timestamp::ZERO).is_err(), "{bytes} bytes");
        }
    }
}
