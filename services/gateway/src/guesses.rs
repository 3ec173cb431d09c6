//! Who fails to sign in from one address again and again waits longer each time, whatever
//! the accounts. Those of an office share an address: what succeeds is taken back. Each
//! gateway counts for itself; what one account may fail is counted by the desk, for all.

use frontdesk_core::guesses::{GuessLimits, Guesses as Failures};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Of one address. 100 at once, as an office's attempts under way count until they have
/// succeeded; then after 1, 2, 4 … 900 s. 10,000 keys of about 60 bytes
/// are 600 KB.
const LIMITS: GuessLimits = GuessLimits {
    free: 100,
    first: Duration::from_secs(1),
    most: Duration::from_secs(900),
    forget: Duration::from_secs(1_800),
    keys: 10_000,
};

/// Failed attempts by address.
#[derive(Debug)]
pub(crate) struct Guesses {
    began: Instant,
    failures: Mutex<Failures<IpAddr>>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { began: Instant::now(), failures: Mutex::new(Failures::new(LIMITS)) }
    }
}

impl Guesses {
    /// Begins an attempt, or says how long to wait.
    pub(crate) fn begin(&self, address: IpAddr) -> Result<(), Duration> {
        self.lock().begin(network_of(address), self.began.elapsed())
    }

    /// It was no guess, or was not looked at.
    pub(crate) fn take_back(&self, address: IpAddr) {
        self.lock().forgive(&network_of(address));
    }

    fn lock(&self) -> MutexGuard<'_, Failures<IpAddr>> {
        // Whole after each call: a poisoned one is as good.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscriber has a whole /64 of IPv6.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_waits_and_its_neighbours_of_ipv6_with_it() {
        let guesses = Guesses::default();
        let here: IpAddr = "2001:db8::1".parse().unwrap();
        let beside: IpAddr = "2001:db8::2:1".parse().unwrap();
        let elsewhere: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        for _ in 0..=LIMITS.free {
            assert_eq!(guesses.begin(here), Ok(()));
        }
        assert_eq!(guesses.begin(beside), Err(LIMITS.first));
        assert_eq!(guesses.begin(elsewhere), Ok(()));
        tokio::time::advance(LIMITS.first).await;
        assert_eq!(guesses.begin(beside), Ok(()));
        assert_eq!(guesses.begin(here), Err(2 * LIMITS.first));
    }

    #[tokio::test(start_paused = true)]
    async fn an_office_that_signs_in_is_not_slowed_down() {
        let guesses = Guesses::default();
        let office: IpAddr = "192.0.2.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        for _ in 0..10 * LIMITS.free {
            assert_eq!(guesses.begin(office), Ok(()));
            guesses.take_back(mapped);
        }
    }
}
