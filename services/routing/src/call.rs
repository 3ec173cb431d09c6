//! Calls to other roles: each ends in time, and is repeated a few times when it
//! may succeed later. Every step of routing is idempotent, so repeating is safe.

use frontdesk_proto::api::ApiError;
use rand::RngExt as _;
use std::future::Future;
use std::time::Duration;

/// For one attempt at a step.
const DEADLINE: Duration = Duration::from_secs(2);
/// For listing everything.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// Attempts at a step; what is not done then is left to the reconciler.
const ATTEMPTS: u32 = 3;
/// Before the second attempt; doubled before each further one, ± half.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// One step, repeated while it may succeed later. With three attempts it is over
/// within 7 s.
pub(crate) async fn step<T, F>(
    what: &'static str,
    mut call: impl FnMut() -> F,
) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match within(DEADLINE, what, call()).await {
            Err(e) if e.retryable() => {
                let jitter = rand::rng().random_range(0.5..1.5);
                let wait = pause.max(e.retry_after().unwrap_or_default().min(DEADLINE));
                tokio::time::sleep(wait.mul_f64(jitter)).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    within(DEADLINE, what, call()).await
}

/// One attempt at a listing.
pub(crate) async fn list<T>(
    what: &'static str,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    within(LIST_DEADLINE, what, call).await
}

async fn within<T>(
    deadline: Duration,
    what: &'static str,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    tokio::time::timeout(deadline, call)
        .await
        .unwrap_or_else(|_| Err(ApiError::unavailable(format!("{what}: no answer in time"))))
}
