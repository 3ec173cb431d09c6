//! Who waits at a site: what a round of matching decides on.

use crate::call;
use crate::saga::Saga;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::queue::Entry;
use frontdesk_proto::api::{ApiError, QueueKey, SiteConfig};
use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use std::sync::Arc;

/// The first of each queue that a round looks at, at most. Those at the head who cannot
/// be matched now must not hide those behind them, hence far more than agents
/// fall free at once.
pub(crate) const FIRST: u32 = 256;
/// Queues that are asked for at the same time.
const AT_ONCE: usize = 8;

pub(crate) struct Gathered {
    pub(crate) config: Arc<SiteConfig>,
    pub(crate) waiting: Vec<(QueueId, Entry)>,
    /// More wait in some queue, and `FIRST` were not asked for.
    pub(crate) is_cut: bool,
}

/// Asks for those who wait in all queues of a site, the first `most` of each.
pub(crate) async fn gather(saga: &Saga, site: &SiteId, most: u32) -> Result<Gathered, ApiError> {
    let config = saga.site(site).await?;
    let keys = active(saga).await?.into_iter().filter(|key| key.site == *site);
    let asked = iter(keys).map(|key| async move {
        let waiting = saga.deps().queueing.waiting(&key, most);
        let entries = call::list("queueing.waiting", waiting).await?;
        Ok::<_, ApiError>((key.queue, entries))
    });
    let mut asked = asked.buffered(AT_ONCE);
    let (mut waiting, mut is_cut) = (Vec::new(), false);
    while let Some((queue, entries)) = asked.try_next().await? {
        is_cut |= most < FIRST && entries.len() >= most as usize;
        waiting.extend(entries.into_iter().map(|entry| (queue.clone(), entry)));
    }
    Ok(Gathered { config, waiting, is_cut })
}

/// Queues with anyone in them.
pub(crate) async fn active(saga: &Saga) -> Result<Vec<QueueKey>, ApiError> {
    call::list("queueing.active", saga.deps().queueing.active()).await
}
