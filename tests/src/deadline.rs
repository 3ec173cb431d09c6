//! Waiting for something to become true, never for time to pass.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The longest that one step of a test takes. Generous, because a debug build
/// shares two cores with other tests; a step that works never waits for it.
pub const STEP: Duration = Duration::from_secs(30);

/// How often a condition without a notification is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs one step; panics with `what` when it is not done within [`STEP`].
pub async fn step<T>(what: impl Display, work: impl Future<Output = T>) -> T {
    within(STEP, what, work).await
}

/// Runs something; panics with `what` when it is not done within `limit`.
pub async fn within<T>(limit: Duration, what: impl Display, work: impl Future<Output = T>) -> T {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => panic!("not within {limit:?}: {what}"),
    }
}

/// Looks again and again until `look` gives something, at most for [`STEP`].
pub async fn until<T, F>(what: impl Display, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + STEP;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {STEP:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}
