//! Everything that is open, page by page, for those who compare with it now and then. One
//! question for all of it takes longer the more there is, until no deadline is long enough.

use super::{ApiError, ListFilter, Place, Sessions};
use frontdesk_core::conversation::Summary;
use frontdesk_core::time::{Millis, Timestamp};

/// Conversations of a page: some 500 KiB, read and sent in some 20 ms.
const PAGE: u32 = 500;
/// What has been changed later than this after the beginning is not waited for: with very
/// much going on a walk would never end. More than clocks differ by.
const LATEST: Millis = Millis::from_secs(5);
/// What owners of an earlier version are asked for at once.
const ALL: u32 = 100_000;

/// A walk through all that is open, of every site, the longest unchanged first: nothing
/// that is open all the while is left out, and what changes meanwhile may come twice.
#[derive(Debug)]
pub struct OpenWalk {
    next: Option<Place>,
    until: Timestamp,
    is_complete: bool,
}

impl OpenWalk {
    /// At the first page.
    pub fn begin(now: Timestamp) -> Self {
        let first = Place { from: Timestamp::ZERO, after: None };
        Self { next: Some(first), until: now + LATEST, is_complete: false }
    }

    /// The next page; `None` after the last. Each is to have a deadline of its own; after a
    /// failure the same page comes.
    pub async fn page(
        &mut self,
        sessions: &dyn Sessions,
    ) -> Result<Option<Vec<Summary>>, ApiError> {
        let Some(from) = self.next else { return Ok(None) };
        match sessions.changed(None, from, PAGE).await {
            Ok(page) => {
                self.is_complete = page.next.is_none();
                self.next = page.next.filter(|next| next.from <= self.until);
                Ok(Some(page.summaries))
            }
            Err(ApiError::Unimplemented(_)) => {
                let all = sessions.list(None, ListFilter::Open, ALL).await?;
                self.is_complete = all.len() < ALL as usize;
                self.next = None;
                Ok(Some(all))
            }
            Err(e) => Err(e),
        }
    }

    /// Whether it is over, and everything that was open all the while has come.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}
