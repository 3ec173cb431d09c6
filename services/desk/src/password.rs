//! Passwords: made at random, hashed with argon2id, checked at a bounded rate.
//!
//! A check takes the same work whether or not there is an account, and never
//! runs on the async runtime's own threads.

use crate::error::DeskError;
use crate::metrics;
use crate::settings::DeskSettings;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, TryAcquireError};

/// Letters and digits that are not mistaken for one another, in lower case.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Characters of a made password: 20 of 31 are 99 bits.
const PASSWORD_CHARS: usize = 20;
/// Lanes of argon2; one, so that a check takes one core.
const LANES: u32 = 1;

/// A password in clear. It shows only on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A new random one, in groups of five.
    pub(crate) fn random() -> Self {
        let characters = random_characters(PASSWORD_CHARS);
        let groups: Vec<&str> =
            (0..PASSWORD_CHARS).step_by(5).map(|at| &characters[at..at + 5]).collect();
        Self(groups.join("-"))
    }

    /// As a person typed it.
    pub(crate) fn typed(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The password, to show it to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Characters that nobody can guess and everybody can type.
pub(crate) fn random_characters(count: usize) -> String {
    let mut random = rand::rng();
    (0..count).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// Too many wait for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    /// Hash of nothing that is known, checked when there is no account.
    decoy: String,
    /// One permit per hash in work.
    working: Arc<Semaphore>,
    /// One permit per hash in work or waiting.
    admitted: Arc<Semaphore>,
}

impl Passwords {
    /// Hashes once, for accounts that do not exist.
    pub(crate) async fn new(settings: &DeskSettings) -> Result<Self, DeskError> {
        let cost = settings.password_cost;
        let params = Params::new(cost.memory_kib, cost.passes, LANES, None)
            .map_err(|e| DeskError::Invalid(format!("password_cost: {e}")))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
        let at_once = settings.sign_ins_at_once.max(1);
        let mut passwords = Self {
            argon2,
            decoy: String::new(),
            working: Arc::new(Semaphore::new(at_once)),
            admitted: Arc::new(Semaphore::new(at_once + settings.sign_ins_waiting)),
        };
        passwords.decoy = passwords.hash(&Password::random()).await?;
        Ok(passwords)
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, DeskError> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let hashed = tokio::task::spawn_blocking(move || {
            let hash: PasswordHash = argon2.hash_password(password.0.as_bytes())?;
            Ok(hash.to_string())
        });
        match hashed.await {
            Ok(Ok(hash)) => Ok(hash),
            Ok(Err::<_, argon2::password_hash::Error>(e)) => {
                Err(DeskError::Internal(format!("hashing a password: {e}")))
            }
            Err(e) => Err(DeskError::Internal(format!("hashing a password: {e}"))),
        }
    }

    /// Whether a password is the one of `hash`. Without a hash the work is done
    /// all the same and the answer is no.
    pub(crate) async fn check(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<Result<bool, TooMany>, DeskError> {
        let admitted = match self.admitted.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return Ok(Err(TooMany)),
        };
        let Ok(turn) = self.working.clone().acquire_owned().await else {
            return Ok(Err(TooMany));
        };
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let (argon2, password) = (self.argon2.clone(), Password::typed(password));
        let checked = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _permits = (admitted, turn);
            let began = Instant::now();
            let matches = matches_hash(&argon2, &password, &hash);
            metrics::password_hashed(began.elapsed());
            matches
        });
        let matches = checked
            .await
            .map_err(|e| DeskError::Internal(format!("checking a password: {e}")))??;
        Ok(Ok(matches && exists))
    }
}

fn matches_hash(argon2: &Argon2<'_>, password: &Password, hash: &str) -> Result<bool, DeskError> {
    let hash = PasswordHash::new(hash)
        .map_err(|e| DeskError::Internal(format!("a stored password hash: {e}")))?;
    Ok(argon2.verify_password(password.0.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PasswordCost;

    fn cheap() -> DeskSettings {
        DeskSettings {
            sign_ins_at_once: 1,
            sign_ins_waiting: 1,
            password_cost: PasswordCost { memory_kib: 64, passes: 1 },
            ..DeskSettings::default()
        }
    }

    #[tokio::test]
    async fn only_the_right_password_of_an_account_passes() {
        let passwords = Passwords::new(&cheap()).await.unwrap();
        let right = Password::random();
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let check = |typed: &str, hash| {
            let typed = typed.to_owned();
            let passwords = &passwords;
            async move { passwords.check(&typed, hash).await.unwrap() }
        };
        assert_eq!(check(right.reveal(), Some(hash.clone())).await, Ok(true));
        assert_eq!(check("wrong", Some(hash)).await, Ok(false));
        assert_eq!(check(right.reveal(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn more_than_may_wait_are_shed() {
        let passwords = Passwords::new(&cheap()).await.unwrap();
        let held = passwords.admitted.clone().try_acquire_many_owned(2).unwrap();
        assert_eq!(passwords.check("x", None).await, Ok(Err(TooMany)));
        drop(held);
        assert_eq!(passwords.check("x", None).await, Ok(Ok(false)));
    }

    #[test]
    fn made_passwords_differ_and_stay_hidden() {
        let (one, two) = (Password::random(), Password::random());
        assert_ne!(one, two);
        assert_eq!(one.reveal().len(), PASSWORD_CHARS + 3);
        assert!(!format!("{one:?}").contains(one.reveal()));
    }
}
