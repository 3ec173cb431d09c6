//! The figures of the day, counted on and on: what has changed since the last look is
//! read from the conversations and takes the place of what it came to before. They are
//! those of `GetFigures` for the same time.

use crate::figures::Configured;
use crate::recorded::Accounts;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::figures::{Count, Dimension, Record, Rule, Table};
use frontdesk_core::hours::day_of;
use frontdesk_core::ids::{ConversationId, QueueId, SiteId};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Place, SiteConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// How often it is counted.
const EVERY: Duration = Duration::from_secs(15);
/// Owners' clocks differ, and what is said now may be stored a moment later.
const OVERLAP: Millis = Millis::from_secs(60);
/// Conversations of one page.
const PAGE: u32 = 500;
/// Conversations of a day, at some 100 bytes each; past that no more are counted.
const MOST: usize = 200_000;

/// What happened in a queue on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) arrivals: u32,
    pub(super) served: u32,
    pub(super) abandoned: u32,
    in_target: u32,
    of_target: u32,
}

impl Day {
    pub(super) fn service_level(self) -> Option<f64> {
        (self.of_target > 0).then(|| f64::from(self.in_target) / f64::from(self.of_target))
    }

    fn add(&mut self, other: Self) {
        self.arrivals += other.arrivals;
        self.served += other.served;
        self.abandoned += other.abandoned;
        self.in_target += other.in_target;
        self.of_target += other.of_target;
    }

    /// Takes back what was added.
    fn take(&mut self, other: Self) {
        self.arrivals -= other.arrivals;
        self.served -= other.served;
        self.abandoned -= other.abandoned;
        self.in_target -= other.in_target;
        self.of_target -= other.of_target;
    }
}

/// The newest count, for whoever draws the board.
#[derive(Default)]
pub(super) struct Told(Mutex<Arc<HashMap<QueueId, Day>>>);

impl Told {
    pub(super) fn now(&self) -> Arc<HashMap<QueueId, Day>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, days: HashMap<QueueId, Day>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(days);
    }
}

/// Counts until it is dropped.
pub(super) async fn count(shared: &Shared, site: &SiteId, told: &Told) {
    let mut counter: Option<Counter> = None;
    loop {
        if let Err(error) = count_on(shared, site, &mut counter, told).await {
            tracing::debug!(%site, %error, "the figures of the day could not be counted");
        }
        sleep(EVERY).await;
    }
}

async fn count_on(
    shared: &Shared,
    site: &SiteId,
    counter: &mut Option<Counter>,
    told: &Told,
) -> Result<(), ApiError> {
    let asked = shared.deps.desk.site(site);
    let config = within(CALL_DEADLINE, "desk", asked).await?;
    let config = config.ok_or_else(|| ApiError::NotFound("site".into()))?;
    let (now, basis) = (shared.now(), Basis::of(&config));
    let counter = match counter {
        Some(counter) if counter.goes_on(now, &basis) => counter,
        other => other.insert(Counter::begin(now, basis)),
    };
    let mut accounts = Accounts::default();
    let mut place = Some(Place { from: counter.changed_from, after: None });
    while let Some(at) = place {
        let asked = shared.deps.sessions.records(site, at, PAGE);
        let page = within(CALL_DEADLINE, "sessions", asked).await?;
        accounts.learn(shared, site, &page.records).await?;
        let rule = Configured { site: &config, accounts: &accounts, business_hours: false };
        page.records.iter().for_each(|record| counter.add(record, &rule));
        told.tell(counter.days.clone());
        place = page.next;
    }
    let changed_from = Timestamp::from_millis(now.as_millis().saturating_sub(OVERLAP.get()));
    counter.changed_from = changed_from.max(counter.from);
    Ok(())
}

/// What figures depend on besides what happened: when it changes, all is counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Basis {
    zone: String,
    targets: Vec<(QueueId, Option<Millis>)>,
}

impl Basis {
    fn of(site: &SiteConfig) -> Self {
        let default = site.queue(&site.default_queue);
        let hours = default.and_then(|queue| site.hours(queue));
        let targets = site.queues.iter().map(|queue| (queue.id.clone(), queue.answer_within));
        Self {
            zone: hours.map_or("UTC", |hours| hours.zone()).to_owned(),
            targets: targets.collect(),
        }
    }
}

/// The count of one day.
struct Counter {
    basis: Basis,
    from: Timestamp,
    to: Timestamp,
    /// What was not changed since has been counted.
    changed_from: Timestamp,
    /// What each conversation came to.
    shares: HashMap<ConversationId, Vec<(QueueId, Day)>>,
    days: HashMap<QueueId, Day>,
}

impl Counter {
    fn begin(now: Timestamp, basis: Basis) -> Self {
        // Calendars have zones that there are; in another one nothing would be counted.
        let (from, to) = day_of(now, &basis.zone).unwrap_or((now, now));
        let (shares, days) = (HashMap::new(), HashMap::new());
        Self { basis, from, to, changed_from: from, shares, days }
    }

    fn goes_on(&self, now: Timestamp, basis: &Basis) -> bool {
        self.basis == *basis && self.from <= now && now < self.to
    }

    fn add(&mut self, record: &Record, rule: &dyn Rule) {
        let full = self.shares.len() >= MOST;
        if full && !self.shares.contains_key(&record.conversation) {
            return;
        }
        let shares = self.shares_of(record, rule);
        let before = match shares.is_empty() {
            true => self.shares.remove(&record.conversation),
            false => self.shares.insert(record.conversation, shares.clone()),
        };
        for (queue, share) in before.into_iter().flatten() {
            self.days.entry(queue).or_default().take(share);
        }
        for (queue, share) in shares {
            self.days.entry(queue).or_default().add(share);
        }
    }

    fn shares_of(&self, record: &Record, rule: &dyn Rule) -> Vec<(QueueId, Day)> {
        let table = Table::new(self.from, self.to, vec![Dimension::Queue], "UTC");
        let Some(mut table) = table else { return Vec::new() };
        table.add(record, rule);
        let shares = table.rows().filter_map(|(key, row)| {
            let count = |count: Count| u32::try_from(row.count(count)).unwrap_or(u32::MAX);
            let day = Day {
                arrivals: count(Count::Arrivals),
                served: count(Count::Served),
                abandoned: count(Count::Abandoned),
                in_target: count(Count::InTarget),
                of_target: count(Count::OfTarget),
            };
            let queue = key.first()?.parse().ok()?;
            (day != Day::default()).then_some((queue, day))
        });
        shares.collect()
    }
}

#[cfg(test)]
#[path = "today_tests.rs"]
mod tests;
