//! Calls to other roles end in time.

use frontdesk_proto::api::ApiError;
use std::future::Future;
use std::time::Duration;

/// For one call. A page of open conversations is the longest.
const DEADLINE: Duration = Duration::from_secs(5);

pub(crate) async fn in_time<T>(
    what: &'static str,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    tokio::time::timeout(DEADLINE, call)
        .await
        .unwrap_or_else(|_| Err(ApiError::unavailable(format!("{what}: no answer in time"))))
}
