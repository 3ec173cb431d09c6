//! The supervisors' board: one look at a site a second, however many watch it here, and
//! none when nobody does. A watcher that is slow misses boards, never anything else: a
//! board is put before it only when next to nothing waits there.

mod drawn;
mod gather;
mod poll;
#[cfg(test)]
mod tests;
mod today;

use crate::registry::Reader;
use crate::shared::Shared;
use frontdesk_core::ids::{ConnectionId, SiteId};
use frontdesk_telemetry::tasks;
use poll::Poll;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Who watches which site's board. As many as there are connections, at most.
#[derive(Default)]
pub(crate) struct Boards {
    sites: Mutex<HashMap<SiteId, Watched>>,
}

/// A board that somebody watches.
#[derive(Default)]
struct Watched {
    watchers: Vec<Watcher>,
    /// Somebody new has come, or the last one has gone.
    news: Arc<Notify>,
}

struct Watcher {
    reader: Arc<Reader>,
    /// The last board it was sent.
    seen: u64,
}

impl Boards {
    /// The reader watches its site's board from now on. The task that looks ends when
    /// nobody watches any more or the gateway stops.
    pub(crate) fn watch(&self, shared: &Arc<Shared>, reader: &Arc<Reader>) {
        let site = &reader.who.site;
        if let Some(news) = self.join(reader) {
            let (owner, site) = (shared.clone(), site.clone());
            tasks::spawn_tracked(&shared.tasks, "gateway.board", async move {
                let today = today::Told::default();
                let look = || gather::look(&owner, &site, &today);
                let poll = Poll::new(&owner.boards, &site, &news);
                tokio::select! {
                    () = owner.stopping.cancelled() => {}
                    () = poll.run(look, &owner.metrics) => {}
                    // Never ends by itself.
                    () = today::count(&owner, &site, &today) => {}
                }
            });
        }
    }

    /// Adds a watcher. When it is the first one, somebody has to begin to look.
    fn join(&self, reader: &Arc<Reader>) -> Option<Arc<Notify>> {
        let mut sites = self.lock();
        let is_first = !sites.contains_key(&reader.who.site);
        let watched = sites.entry(reader.who.site.clone()).or_default();
        if watched.watchers.iter().all(|w| w.reader.connection != reader.connection) {
            watched.watchers.push(Watcher { reader: reader.clone(), seen: 0 });
        }
        watched.news.notify_one();
        is_first.then(|| watched.news.clone())
    }

    /// The reader watches no longer. Harmless when it did not.
    pub(crate) fn leave(&self, reader: &Reader) {
        let mut sites = self.lock();
        if let Some(watched) = sites.get_mut(&reader.who.site) {
            watched.watchers.retain(|w| w.reader.connection != reader.connection);
            watched.news.notify_one();
        }
    }

    /// Whether anybody watches; when nobody does, whoever looks must stop looking.
    fn goes_on(&self, site: &SiteId) -> bool {
        let mut sites = self.lock();
        let watched = sites.get(site).is_some_and(|watched| !watched.watchers.is_empty());
        if !watched {
            sites.remove(site);
        }
        watched
    }

    /// Those who have not seen this board.
    fn behind(&self, site: &SiteId, board: u64) -> Vec<Arc<Reader>> {
        let sites = self.lock();
        let watchers = sites.get(site).into_iter().flat_map(|watched| &watched.watchers);
        watchers.filter(|w| w.seen < board).map(|w| w.reader.clone()).collect()
    }

    /// A watcher was sent this board.
    fn sent(&self, site: &SiteId, to: ConnectionId, board: u64) {
        let mut sites = self.lock();
        let mut watchers = sites.get_mut(site).into_iter().flat_map(|w| &mut w.watchers);
        if let Some(watcher) = watchers.find(|w| w.reader.connection == to) {
            watcher.seen = watcher.seen.max(board);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, Watched>> {
        // Every critical section leaves the map whole, even if it panics.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
