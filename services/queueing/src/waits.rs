//! How long those of a site will wait, each by the agents who could take it as it waits:
//! one that needs what few have waits for those few. Tells nobody.

use crate::site::Site;
use frontdesk_core::ids::QueueId;
use frontdesk_core::matching::{Abilities, Able, Wanted, wait_for};
use frontdesk_core::queue::{Entry, Estimate, OrderKey, Pool, Standing};
use frontdesk_core::time::Timestamp;
use std::collections::HashMap;

/// Those who wait, gone through from the first of a line on.
pub(crate) struct Waits<'s> {
    site: &'s Site,
    pool: &'s Pool,
    now: Timestamp,
    /// Made for the first who cannot be served by just anyone.
    abilities: Option<Abilities<'s>>,
    /// Of those gone through, how many need the same at this moment.
    alike: HashMap<Wanted<'s>, u32>,
    /// How many each of those gone through stands for.
    stands_for: f64,
}

/// So many of those ahead of one are looked at, and stand for all of them.
const LOOKED_AT: usize = 256;

impl<'s> Waits<'s> {
    pub(crate) fn new(site: &'s Site, pool: &'s Pool, now: Timestamp) -> Self {
        Self { site, pool, now, abilities: None, alike: HashMap::new(), stands_for: 1.0 }
    }

    /// Who could take it, now and later; empty when whoever serves its queue will do.
    pub(crate) fn steps(&mut self, queue: &'s QueueId, entry: &'s Entry) -> Vec<Able<'s>> {
        let Some(config) = self.site.configured(queue) else { return Vec::new() };
        if config.rules.suits_anyone(entry) {
            return Vec::new();
        }
        let site = self.site;
        let abilities = self.abilities.get_or_insert_with(|| Abilities::of(site.agents()));
        abilities.steps(queue, &config.rules, entry, self.now)
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
        let alike = |wanted: &Wanted<'s>| {
            self.alike.get(wanted).map_or(0.0, |count| f64::from(*count) * self.stands_for)
        };
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

    /// Goes through the first of the line before a place, in which so many wait.
    pub(crate) fn pass(&mut self, queue: &'s QueueId, place: &OrderKey, waiting: u32) {
        let line = self.site.board.line(queue).take(LOOKED_AT);
        let mut passed = 0_u32;
        for placed in line.take_while(|placed| placed.entry.order_key() < *place) {
            let steps = self.steps(queue, &placed.entry);
            self.count(placed.standing, &steps);
            passed += u32::from(placed.standing == Standing::Waiting);
        }
        self.stands_for = (f64::from(waiting) / f64::from(passed.max(1))).max(1.0);
    }
}
