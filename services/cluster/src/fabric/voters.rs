//! The way to the presence group: any voter will do, and another one when that
//! does not answer.

use super::ask::ask;
use super::channels::Channels;
use super::question::Question;
use frontdesk_proto::api::ApiError;
use futures::stream::{FuturesUnordered, StreamExt as _};
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

/// For one attempt; a voter that is frozen costs a caller this much.
const ATTEMPT: Duration = Duration::from_millis(1_500);
/// A voter that is silent for this long may be dead: another one is asked as well.
const HEDGE: Duration = Duration::from_millis(500);
/// Voters that one question waits for at the same time.
const AT_ONCE: usize = 2;
/// Before another voter is asked.
const PAUSE: Duration = Duration::from_millis(50);

/// The voters' addresses, and the one that answered last.
pub(crate) struct Voters {
    channels: Arc<Channels>,
    addresses: Vec<Arc<str>>,
    preferred: AtomicUsize,
}

impl Voters {
    /// `addresses` must not be empty. Each process begins with another one.
    pub(crate) fn new(channels: Arc<Channels>, addresses: Vec<Arc<str>>) -> Self {
        let first = rand::rng().random_range(0..addresses.len().max(1));
        Self { channels, addresses, preferred: AtomicUsize::new(first) }
    }

    /// The voter to ask now, and its number.
    pub(crate) fn current(&self) -> Result<(usize, Channel), ApiError> {
        let number = self.preferred.load(Ordering::Relaxed);
        let address = self.addresses.get(number % self.addresses.len().max(1));
        let address = address.ok_or_else(|| ApiError::Internal("no voter is configured".into()))?;
        Ok((number, self.channels.to(address)?))
    }

    /// That one did not answer: another one from now on.
    pub(crate) fn avoid(&self, number: usize) {
        let next = number.wrapping_add(1);
        // Whoever was faster has chosen already.
        let _ = self.preferred.compare_exchange(number, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Asks one voter after the other until one answers or the deadline is over; one
    /// that is silent for `HEDGE` is left to itself while another is asked too. The
    /// question must be safe to repeat.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        question: &Question,
        deadline: Duration,
    ) -> Result<T, ApiError> {
        let give_up = Instant::now() + deadline;
        let mut asked = FuturesUnordered::new();
        let mut latest = self.current()?;
        asked.push(self.attempt(latest.clone(), question, give_up));
        loop {
            let failed = tokio::select! {
                Some((number, answer)) = asked.next() => match answer {
                    Err(error @ (ApiError::Unavailable { .. } | ApiError::Unimplemented(_))) => {
                        self.avoid(number);
                        Some(error)
                    }
                    answered => return answered,
                },
                () = sleep(HEDGE), if asked.len() < AT_ONCE => {
                    self.avoid(latest.0);
                    None
                }
            };
            if let Some(error) = failed {
                if !asked.is_empty() {
                    continue;
                }
                let pause = PAUSE.mul_f64(rand::rng().random_range(0.5..1.5));
                if Instant::now() + pause >= give_up {
                    return Err(error);
                }
                sleep(pause).await;
            }
            latest = self.current()?;
            asked.push(self.attempt(latest.clone(), question, give_up));
        }
    }

    /// One voter, once; with its number.
    async fn attempt<T: DeserializeOwned>(
        &self,
        (number, channel): (usize, Channel),
        question: &Question,
        give_up: Instant,
    ) -> (usize, Result<T, ApiError>) {
        let left = give_up.saturating_duration_since(Instant::now());
        (number, ask(channel, question, left.min(ATTEMPT)).await)
    }
}
