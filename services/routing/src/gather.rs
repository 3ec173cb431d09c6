//! Who waits at a site: what a round of matching decides on.

use crate::call;
use crate::saga::Saga;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::queue::Entry;
use frontdesk_proto::api::{ApiError, QueueKey, SiteConfig};
use std::sync::Arc;

/// The first of each queue that a round looks at. Those at the head who cannot
/// be matched now must not hide those behind them, hence far more than agents
/// fall free at once.
const FIRST: u32 = 256;

pub(crate) struct Gathered {
    pub(crate) config: Arc<SiteConfig>,
    pub(crate) waiting: Vec<(QueueId, Entry)>,
}

/// Asks for those who wait in all queues of a site.
pub(crate) async fn gather(saga: &Saga, site: &SiteId) -> Result<Gathered, ApiError> {
    let config = saga.site(site).await?;
    let mut waiting = Vec::new();
    for key in active(saga).await?.into_iter().filter(|key| key.site == *site) {
        let entries =
            call::list("queueing.waiting", saga.deps().queueing.waiting(&key, FIRST)).await?;
        waiting.extend(entries.into_iter().map(|entry| (key.queue.clone(), entry)));
    }
    Ok(Gathered { config, waiting })
}

/// Queues with anyone in them.
pub(crate) async fn active(saga: &Saga) -> Result<Vec<QueueKey>, ApiError> {
    call::list("queueing.active", saga.deps().queueing.active()).await
}
