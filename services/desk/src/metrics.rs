//! What the role counts.

use metrics::{counter, histogram};
use std::time::Duration;

/// How a sign-in ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SignIn {
    /// Signed in.
    Ok,
    /// Wrong site, address or password, or a disabled account.
    Refused,
    /// Too many at once.
    Shed,
    /// Too many failures before it.
    Delayed,
}

/// Counts a sign-in.
pub(crate) fn sign_in(ended: SignIn) {
    let outcome = match ended {
        SignIn::Ok => "ok",
        SignIn::Refused => "refused",
        SignIn::Shed => "shed",
        SignIn::Delayed => "delayed",
    };
    counter!("frontdesk_desk_sign_ins_total", "outcome" => outcome).increment(1);
}

/// Records how long a password took to hash.
pub(crate) fn password_hashed(took: Duration) {
    histogram!("frontdesk_desk_password_seconds").record(took);
}
