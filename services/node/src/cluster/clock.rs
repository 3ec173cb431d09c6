//! The time for roles that only need to read it.

use frontdesk_core::time::Timestamp;
use frontdesk_sessions::{Clock as _, SystemClock};
use std::sync::Arc;

/// Never runs backwards within this process.
pub(super) fn clock() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let clock = SystemClock::default();
    Arc::new(move || clock.now())
}
