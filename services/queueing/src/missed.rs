//! What was abandoned while nobody kept the queues of a site: it is not open any more, so
//! no list of what is shows it, and its news went nowhere. To look at one that was heard of
//! does no harm: an alarm is raised once.

use crate::call::in_time;
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::SiteId;
use frontdesk_core::queue::TRIED_FOR;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, Place, Sessions};

/// Conversations of one page.
const PAGE: u32 = 500;
/// Pages of one site. More than 50,000 changes in ten minutes are not looked through.
const MOST_PAGES: u32 = 100;

/// A site of which the newest changes are looked through, a page at a time.
pub(crate) struct Missed {
    pub(crate) site: SiteId,
    /// What is changed from then on is heard of by itself.
    began: Timestamp,
    next: Option<Place>,
    pages: u32,
}

impl Missed {
    pub(crate) fn new(site: SiteId, now: Timestamp) -> Self {
        let from = now.as_millis().saturating_sub(TRIED_FOR.get());
        let first = Place { from: Timestamp::from_millis(from), after: None };
        Self { site, began: now, next: Some(first), pages: 0 }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.next.is_none() || self.pages >= MOST_PAGES
    }

    /// Reads a page; gives what was abandoned.
    pub(crate) async fn step(&mut self, sessions: &dyn Sessions) -> Result<Vec<Summary>, ApiError> {
        let Some(from) = self.next else { return Ok(vec![]) };
        let changed = sessions.changed(Some(&self.site), from, PAGE);
        let page = match in_time("sessions.changed", changed).await {
            // An earlier version.
            Err(ApiError::Unimplemented(_)) => Default::default(),
            page => page?,
        };
        self.pages += 1;
        self.next = page.next.filter(|next| next.from <= self.began);
        let mut abandoned = page.summaries;
        abandoned.retain(|summary| {
            matches!(summary.phase, Phase::Closed { .. }) && summary.watch.abandoned_at.is_some()
        });
        Ok(abandoned)
    }
}
