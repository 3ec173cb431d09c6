//! How long those of a site will wait, each by the agents who could take it as it waits:
//! one that needs what few have waits for those few. Tells nobody.

use crate::site::Site;
use frontdesk_core::ids::QueueId;
use frontdesk_core::matching::{Abilities, Able, Wanted, wait_for};
use frontdesk_core::queue::{Entry, Estimate, Placed, Pool, Standing};
use frontdesk_core::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// Those who wait, gone through from the first of a line on.
pub(crate) struct Waits<'s> {
    site: &'s Site,
    pool: &'s Pool,
    now: Timestamp,
    abilities: Abilities<'s>,
    /// Of those gone through, how many need the same at this moment.
    alike: HashMap<Wanted<'s>, u32>,
}

impl<'s> Waits<'s> {
    pub(crate) fn new(site: &'s Site, pool: &'s Pool, now: Timestamp) -> Self {
        let abilities = Abilities::of(site.agents.values().map(Arc::as_ref));
        Self { site, pool, now, abilities, alike: HashMap::new() }
    }

    /// Who could take it, now and later; empty when whoever serves its queue will do.
    pub(crate) fn steps(&mut self, queue: &'s QueueId, entry: &'s Entry) -> Vec<Able<'s>> {
        let Some(config) = self.site.configured(queue) else { return Vec::new() };
        self.abilities.steps(queue, &config.rules, entry, self.now)
    }

    /// The wait of one that has so many ahead of it in each of the pool's queues.
    pub(crate) fn estimate(
        &self,
        queue: &QueueId,
        standing: Standing,
        ahead: &[u32],
        steps: &[Able<'s>],
    ) -> Option<Estimate> {
        let (pool, board) = (self.pool, &self.site.board);
        let of_queue = pool.slots(queue);
        let is_waiting = standing == Standing::Waiting;
        let so_far = |behind: f64| if is_waiting { behind } else { 0.0 };
        if steps.is_empty() {
            let behind = so_far(pool.behind(queue, ahead));
            return board.estimate(queue, behind, of_queue, self.now);
        }
        let alike = |wanted: &Wanted<'s>| self.alike.get(wanted).copied().unwrap_or_default();
        wait_for(steps, (of_queue, pool.rivals(queue, ahead)), alike, |behind, slots| {
            board.estimate(queue, so_far(behind), slots, self.now)
        })
    }

    /// One that goes before the next.
    pub(crate) fn count(&mut self, standing: Standing, steps: &[Able<'s>]) {
        if let (Standing::Waiting, Some(able)) = (standing, steps.first()) {
            *self.alike.entry(able.wanted).or_default() += 1;
        }
    }

    /// The same, of a line.
    pub(crate) fn pass(&mut self, queue: &'s QueueId, placed: &'s Placed) {
        let steps = self.steps(queue, &placed.entry);
        self.count(placed.standing, &steps);
    }
}
