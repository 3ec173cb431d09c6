//! The sites' configuration; the last known stands in while `desk` is away.

use crate::call;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_proto::api::{ApiError, Desk, QueueConfig, SiteConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Sites {
    desk: Arc<dyn Desk>,
    last: Mutex<HashMap<SiteId, Arc<SiteConfig>>>,
}

impl Sites {
    pub(super) fn new(desk: Arc<dyn Desk>) -> Self {
        Self { desk, last: Mutex::default() }
    }

    pub(super) async fn get(&self, site: &SiteId) -> Result<Arc<SiteConfig>, ApiError> {
        match call::step("desk.site", || self.desk.site(site)).await {
            Ok(Some(config)) => {
                self.lock().insert(site.clone(), config.clone());
                Ok(config)
            }
            Ok(None) => Err(ApiError::NotFound(format!("site {site}"))),
            Err(e) => self.lock().get(site).cloned().ok_or(e),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, Arc<SiteConfig>>> {
        // A map of whole values is as good after a panic as before.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn queue_of<'a>(site: &'a SiteConfig, queue: &QueueId) -> Option<&'a QueueConfig> {
    site.queues.iter().find(|q| q.id == *queue)
}
