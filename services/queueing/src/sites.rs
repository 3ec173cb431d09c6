//! The sites' configuration, remembered so that taking note of a conversation
//! need not ask `desk` each time.

use crate::call::in_time;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::queue::Terms;
use frontdesk_proto::api::{ApiError, Desk, SiteConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A queue that is configured no longer: its conversations wait on as usual.
const UNKNOWN_QUEUE: Terms = Terms { priority_minutes: 0, weight: 1 };

pub(crate) struct Sites {
    desk: Arc<dyn Desk>,
    known: Mutex<HashMap<SiteId, Arc<SiteConfig>>>,
}

impl Sites {
    pub(crate) fn new(desk: Arc<dyn Desk>) -> Self {
        Self { desk, known: Mutex::default() }
    }

    /// A site's configuration, at most one reconciliation old. `NotFound` when
    /// there is no such site.
    pub(crate) async fn get(&self, site: &SiteId) -> Result<Arc<SiteConfig>, ApiError> {
        let known = self.lock().get(site).cloned();
        if let Some(config) = known {
            return Ok(config);
        }
        let config = in_time("desk.site", self.desk.site(site)).await?;
        let config = config.ok_or_else(|| ApiError::NotFound(format!("site {site}")))?;
        self.lock().insert(site.clone(), config.clone());
        Ok(config)
    }

    /// Asks for all sites; gives those that have changed.
    pub(crate) async fn refresh(&self) -> Result<Vec<Arc<SiteConfig>>, ApiError> {
        let sites = in_time("desk.sites", self.desk.sites()).await?;
        let mut known = self.lock();
        let changed = sites.iter().filter(|s| known.get(&s.id) != Some(s)).cloned().collect();
        *known = sites.into_iter().map(|site| (site.id.clone(), site)).collect();
        Ok(changed)
    }

    /// Those that were heard of.
    pub(crate) fn known(&self) -> Vec<SiteId> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SiteId, Arc<SiteConfig>>> {
        // A map of whole values is as good after a panic as before.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn terms(site: &SiteConfig, queue: &QueueId) -> Terms {
    let configured = site.queues.iter().find(|q| q.id == *queue);
    configured
        .map_or(UNKNOWN_QUEUE, |q| Terms { priority_minutes: q.priority_minutes, weight: q.weight })
}
