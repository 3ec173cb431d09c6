//! Who guesses an account's password waits, from whatever address and by way of whatever
//! gateway. Counted for addresses that have no account alike. In memory: a restart of the
//! desk forgets it, and each process of the role counts for itself.

use frontdesk_core::guesses::{GuessLimits, Guesses as Failures};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Of one account. 5 at once, then after 1, 2, 4 … 60 s: at most some 1,500 a day. No
/// longer, since anybody can have somebody else wait this way. 10,000 keys of about 100
/// bytes are 1 MB.
const LIMITS: GuessLimits = GuessLimits {
    free: 5,
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
    forget: FORGET,
    keys: 10_000,
};
/// A run of failures is over when there was none for so long.
pub(crate) const FORGET: Duration = Duration::from_secs(15 * 60);
/// Of what was typed as a site and an address.
const MAX_KEY_BYTES: usize = 320;

/// Failed attempts by account.
#[derive(Debug)]
pub(crate) struct Guesses {
    began: Instant,
    failures: Mutex<Failures<String>>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { began: Instant::now(), failures: Mutex::new(Failures::new(LIMITS)) }
    }
}

impl Guesses {
    /// Begins an attempt, or says how long to wait.
    pub(crate) fn begin(&self, account: &str) -> Result<(), Duration> {
        self.lock().begin(account.to_owned(), self.began.elapsed())
    }

    /// Whether a refusal is the first of its run.
    pub(crate) fn note(&self, account: &str) -> bool {
        self.lock().note(&account.to_owned())
    }

    /// It was the right password.
    pub(crate) fn succeeded(&self, account: &str) {
        self.lock().clear(&account.to_owned());
    }

    /// It was not looked at.
    pub(crate) fn not_tried(&self, account: &str) {
        self.lock().forgive(&account.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Failures<String>> {
        // Whole after each call: a poisoned one is as good.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What failures are counted by.
pub(crate) fn key(site: &str, email: &str) -> String {
    let mut key = format!("{site}/{}", email.trim().to_lowercase());
    let mut end = key.len().min(MAX_KEY_BYTES);
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    key.truncate(end);
    key
}
