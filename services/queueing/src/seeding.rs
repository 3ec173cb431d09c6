//! How long chats took before this process began, read from what is recorded, so that the
//! first visitor after a restart is told an estimate, too. Only a help: without it the
//! estimates come with the first chats.

use crate::call::in_time;
use frontdesk_core::figures::Record;
use frontdesk_core::ids::{QueueId, SiteId};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Place, Sessions};
use std::collections::HashSet;

/// How far back is read: each hour of the week twice.
const BACK: Millis = Millis::from_mins(14 * 24 * 60);
/// Conversations of one page.
const PAGE: u32 = 500;
/// Pages of one site. At 100 ms each that is ten seconds of reading; a site with more
/// conversations than this learns of the newest.
const MOST_PAGES: u32 = 100;
/// What is read first: of a large site the newest alone.
const STEP: Millis = Millis::from_mins(24 * 60);

/// A chat that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handled {
    /// When it ended.
    pub(crate) at: Timestamp,
    /// Where it was handled.
    pub(crate) queue: QueueId,
    /// How long an agent had it.
    pub(crate) took: Millis,
}

/// A site that is read, a page at a time, day by day backwards.
pub(crate) struct Seeding {
    pub(crate) site: SiteId,
    /// What ended from then on is heard of by itself.
    began: Timestamp,
    /// The days before this are not read yet.
    day: Timestamp,
    place: Option<Place>,
    pages: u32,
    seen: HashSet<frontdesk_core::ids::ConversationId>,
    handled: Vec<Handled>,
}

impl Seeding {
    pub(crate) fn new(site: SiteId, now: Timestamp) -> Self {
        let (seen, handled) = (HashSet::new(), Vec::new());
        Self { site, began: now, day: now, place: None, pages: 0, seen, handled }
    }

    /// Reads a page; gives all that was read, the oldest first, when that was the last.
    pub(crate) async fn step(
        &mut self,
        sessions: &dyn Sessions,
    ) -> Result<Option<Vec<Handled>>, ApiError> {
        let first = || Place { from: earlier(self.day, STEP), after: None };
        let place = self.place.unwrap_or_else(first);
        let asked = sessions.records(&self.site, place, PAGE);
        let page = in_time("sessions.records", asked).await?;
        self.pages += 1;
        page.records.iter().for_each(|record| self.take(record));
        self.place = page.next.filter(|next| next.from < self.day);
        if self.place.is_none() {
            self.day = earlier(self.day, STEP);
        }
        let is_over = self.pages >= MOST_PAGES || self.day <= earlier(self.began, BACK);
        Ok(is_over.then(|| {
            let mut handled = std::mem::take(&mut self.handled);
            handled.sort_by_key(|chat| chat.at);
            handled
        }))
    }

    fn take(&mut self, record: &Record) {
        if !self.seen.insert(record.conversation) {
            return;
        }
        let since = earlier(self.began, BACK);
        for stint in record.episodes.iter().flat_map(|episode| &episode.stints) {
            let Some(at) = stint.to.filter(|at| (since..self.began).contains(at)) else {
                continue;
            };
            let took = at.since(stint.from);
            self.handled.push(Handled { at, queue: stint.queue.clone(), took });
        }
    }
}

fn earlier(at: Timestamp, by: Millis) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub(by.get()))
}
