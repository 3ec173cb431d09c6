//! Sealed values: what one gateway gives a browser to keep, and any gateway of the
//! cluster opens again. Encrypted and authenticated with keys that are derived from
//! those of tokens, so that rotating these rotates them, too.

use crate::settings::TokenKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use frontdesk_core::time::Timestamp;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const SALT: &[u8] = b"frontdesk sealed cookies 1";
/// Longer than any that is made: a handshake is about 400 bytes.
const MAX_SEALED_BYTES: usize = 4 * 1024;
/// Names that are remembered as spent at once; 100 bytes each.
const MAX_SPENT: usize = 10_000;

/// Seals with the first key, opens with all.
pub(super) struct Seals(RwLock<Arc<[LessSafeKey]>>);

impl Seals {
    pub(super) fn new(keys: &[TokenKey]) -> Self {
        Self(RwLock::new(keys.iter().filter_map(derive).collect()))
    }

    /// With these keys and no others from now on.
    pub(super) fn replace(&self, keys: &[TokenKey]) {
        let keys = keys.iter().filter_map(derive).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn keys(&self) -> Arc<[LessSafeKey]> {
        // Every write is one assignment: a poisoned one is whole.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What only a gateway can read, and only for the same purpose.
    pub(super) fn seal(&self, purpose: &'static str, value: &impl Serialize) -> Option<String> {
        let mut bytes = serde_json::to_vec(value).ok()?;
        // 96 random bits are never drawn twice under a key that signs tokens for a year.
        let nonce: [u8; NONCE_LEN] = rand::random();
        let aad = Aad::from(purpose.as_bytes());
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.keys().first()?.seal_in_place_append_tag(sealed, aad, &mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &bytes].concat()))
    }

    /// What was sealed; `None` for anything else.
    pub(super) fn open<T: DeserializeOwned>(&self, purpose: &'static str, text: &str) -> Option<T> {
        if text.len() > MAX_SEALED_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        self.keys().iter().find_map(|key| {
            let (mut sealed, nonce) = (sealed.to_vec(), Nonce::try_assume_unique_for_key(nonce));
            let aad = Aad::from(purpose.as_bytes());
            let opened = key.open_in_place(nonce.ok()?, aad, &mut sealed).ok()?;
            serde_json::from_slice(opened).ok()
        })
    }
}

fn derive(key: &TokenKey) -> Option<LessSafeKey> {
    let secret = STANDARD.decode(&key.secret).ok()?;
    let derived = Salt::new(HKDF_SHA256, SALT).extract(&secret);
    let info = [key.kid.as_bytes()];
    let bytes = derived.expand(&info, &CHACHA20_POLY1305).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(bytes)))
}

/// What was used here and may not be used again. Other gateways do not know it: what is
/// decisive among them is that the browser has thrown the cookie away, and that the
/// provider takes a code once.
#[derive(Default)]
pub(super) struct Spent(Mutex<HashMap<String, Timestamp>>);

impl Spent {
    /// Whether this is the first use; remembered until it would be too late anyway.
    pub(super) fn first_use(&self, name: &str, until: Timestamp, now: Timestamp) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MAX_SPENT {
            spent.retain(|_, until| *until > now);
            if spent.len() >= MAX_SPENT {
                return false;
            }
        }
        spent.insert(name.to_owned(), until).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TokenAlgorithm;

    fn key(kid: &str, byte: u8) -> TokenKey {
        TokenKey {
            kid: kid.into(),
            algorithm: TokenAlgorithm::Hs256,
            secret: STANDARD.encode([byte; 32]),
            public: String::new(),
        }
    }

    #[test]
    fn what_is_sealed_is_opened_by_those_who_have_the_key_and_for_its_purpose() {
        let (old, new) = (key("old", 1), key("new", 2));
        let before = Seals::new(std::slice::from_ref(&old));
        let text = before.seal("a", &("secret", 7)).unwrap();
        assert!(!text.contains("secret"));
        let after = Seals::new(&[new.clone(), old]);
        assert_eq!(after.open("a", &text), Some(("secret".to_owned(), 7)));
        assert_eq!(after.open::<(String, u8)>("b", &text), None, "another purpose");
        let gone = Seals::new(std::slice::from_ref(&new));
        assert_eq!(gone.open::<(String, u8)>("a", &text), None, "the key is gone");
        before.replace(&[new]);
        let text_of_new = before.seal("a", &("secret", 8)).unwrap();
        assert_eq!(gone.open("a", &text_of_new), Some(("secret".to_owned(), 8)));
        assert_eq!(before.open::<(String, u8)>("a", &text), None, "it has gone here, too");
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(after.open::<(String, u8)>("a", &changed), None, "byte {at}");
        }
        for short in ["", "AAAA", "=", "ä"] {
            assert_eq!(after.open::<(String, u8)>("a", short), None);
        }
    }

    #[test]
    fn a_name_is_spent_once() {
        let (spent, at) = (Spent::default(), Timestamp::from_millis);
        assert!(spent.first_use("a", at(10), at(1)));
        assert!(!spent.first_use("a", at(10), at(2)));
        for n in 1..MAX_SPENT {
            assert!(spent.first_use(&n.to_string(), at(20), at(2)));
        }
        assert!(!spent.first_use("b", at(20), at(5)), "full: better refused than forgotten");
        assert!(spent.first_use("b", at(20), at(11)), "what has ended makes room");
    }
}
