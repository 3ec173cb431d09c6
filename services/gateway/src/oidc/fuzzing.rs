//! What a provider and browsers that come back from it say, for whoever feeds it with
//! damage. See `crate::fuzzing`.

use super::fetch::Endpoint;
use super::id_token::{self, Expected};
use super::provider::{Document, KeySet, Provider};
use super::seal::Seals;
use super::{Handshake, OidcSettings, admission};
use crate::fuzzing::keys;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::conversation::MAX_NAME_CHARS;
use frontdesk_core::identity::Identity;
use frontdesk_core::time::Timestamp;
use jsonwebtoken::jwk::Jwk;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ISSUER: &str = "https://login.example";
const CLIENT: &str = "frontdesk";
const NONCE: &str = "n-1";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("32 bytes")
}

/// The provider's only key.
fn known() -> Vec<Jwk> {
    let x = URL_SAFE_NO_PAD.encode(pair().public_key());
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "alg": "EdDSA", "x": x });
    vec![serde_json::from_value(key).expect("a key")]
}

fn signed(claims: &[u8]) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
    let said = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(said.as_bytes()));
    format!("{said}.{signature}")
}

fn checked(token: &str, keys: &[Jwk]) -> Option<Map<String, Value>> {
    let (issuer, client_id, nonce) = (ISSUER, CLIENT, NONCE);
    let expected = Expected { issuer, client_id, nonce, access_token: None };
    let subject = id_token::check(token, keys, &expected, NOW).ok()?;
    assert!(!subject.id.is_empty(), "somebody without a name");
    Some(subject.claims)
}

/// An ID token, with a signature or without: only what the provider signed is taken.
pub fn id_token(bytes: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(bytes) else { return false };
    let taken = checked(token, &known()).is_some();
    if taken {
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        assert_eq!(token, signed(&claims.expect("Base64")), "a signature that nobody made");
    }
    taken
}

/// What an ID token claims, signed as it is: who is let in has an address and a name that
/// can be shown.
pub fn id_claims(bytes: &[u8]) -> bool {
    let Some(claims) = checked(&signed(bytes), &known()) else { return false };
    let settings: OidcSettings = serde_json::from_value(json!({
        "issuer": ISSUER, "client_id": CLIENT, "public_origin": "https://chat.example",
        "allowed_domains": ["shop.example"],
        "grants": [{ "site": "demo", "claim": "realm.roles", "values": ["support"] }],
    }))
    .expect("settings");
    let identity = Identity::new(ISSUER, "248289761001").expect("it is short");
    let admitted = admission::admit(&settings, (identity, &claims), None, (NOW, ""));
    let Ok(who) = admitted else { return true };
    assert!(who.email.ends_with("@shop.example"), "{:?}", who.email);
    assert!(who.name.chars().count() <= MAX_NAME_CHARS, "{:?}", who.name);
    assert!(!who.name.contains(char::is_control), "{:?}", who.name);
    true
}

/// The provider's keys: none of others lets a token of ours pass.
pub fn key_set(bytes: &[u8]) -> bool {
    let Ok(set) = serde_json::from_slice::<KeySet>(bytes) else { return false };
    let keys = set.known();
    let token = signed(json!({ "iss": ISSUER }).to_string().as_bytes());
    let _ = id_token::has_key(&token, &keys);
    assert!(checked(&token, &keys).is_none(), "a token that claims nothing");
    !keys.is_empty()
}

/// What the provider says of itself: nothing leads to plain text elsewhere.
pub fn discovery(bytes: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<Document>(bytes) else { return false };
    let Ok(metadata) = Provider::new(ISSUER.into()).check(document) else { return false };
    for place in [Some(&metadata.authorization), Some(&metadata.token), metadata.userinfo.as_ref()]
    {
        place.into_iter().for_each(is_safe);
    }
    true
}

fn is_safe(place: &Endpoint) {
    let origin: Uri = place.origin().parse().expect("an origin is an address");
    let host = origin.host().unwrap_or_default().trim_matches(['[', ']']);
    let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    assert!(place.is_tls() || local, "{origin}");
}

/// An address of the provider: with more parameters it is one as well, of the same host.
pub fn endpoint(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(place) = Endpoint::parse(text) else { return false };
    is_safe(&place);
    let more = Endpoint::parse(&place.with_query(&[("state", "a&b=c#d")]));
    assert_eq!(more.map(|more| more.origin()), Ok(place.origin()), "{text:?}");
    true
}

/// A cookie that a gateway has sealed: nobody else makes one.
pub fn sealed(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let opened = Seals::new(&keys()).open::<Value>("fuzz", text);
    assert_eq!(opened, None, "{text:?} was never sealed");
    Seals::new(&keys()).seal("fuzz", &text).is_some()
}

/// What is in such a cookie.
pub fn handshake(bytes: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Handshake>(bytes) else { return false };
    let seals = Seals::new(&keys());
    let text = seals.seal("fuzz", &read).expect("a key");
    assert!(text.len() > 4 * 1024 || seals.open("fuzz", &text) == Some(read), "{text}");
    true
}

/// An ID token that is taken, and what it claims.
pub fn sample_id_token() -> [Vec<u8>; 2] {
    let seconds = NOW.as_millis() / 1_000;
    let claims = json!({
        "iss": ISSUER, "sub": "u1", "aud": [CLIENT], "exp": seconds + 300, "iat": seconds,
        "nonce": NONCE, "email": "ada@shop.example", "email_verified": true, "name": "Ada",
        "realm": { "roles": ["support"] },
    })
    .to_string();
    [signed(claims.as_bytes()).into_bytes(), claims.into_bytes()]
}

/// A list of keys that is taken.
pub fn sample_key_set() -> Vec<u8> {
    json!({ "keys": known() }).to_string().into_bytes()
}
