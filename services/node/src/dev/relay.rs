//! Hands changes of conversations on to roles that start later than sessions.

use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_proto::api::{ApiError, WorkObserver};
use std::sync::{Arc, OnceLock};

/// Until the others are introduced nothing can change: no gateway runs yet.
#[derive(Default)]
pub(super) struct Relay {
    observers: OnceLock<[Arc<dyn WorkObserver>; 2]>,
}

impl Relay {
    /// Once; later introductions change nothing.
    pub(super) fn introduce(&self, observers: [Arc<dyn WorkObserver>; 2]) {
        let _ = self.observers.set(observers);
    }
}

#[async_trait]
impl WorkObserver for Relay {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        for observer in self.observers.get().into_iter().flatten() {
            observer.observe(changed.clone()).await?;
        }
        Ok(())
    }
}
