//! `GetFigures`: page after page of what happened in a site's conversations, counted as
//! `core` defines it. Keeps nothing.

use crate::recorded::{Accounts, Pages, site, stretch};
use crate::shared::Shared;
use frontdesk_core::figures::{Count, Crowd, Dimension, Durations, Level, Row, Rule, Span, Table};
use frontdesk_core::ids::{AgentId, QueueId};
use frontdesk_core::party::Principal;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, SiteConfig};
use frontdesk_proto::convert::millis_to_proto;
use frontdesk_proto::v1;
use std::collections::BTreeMap;

/// What rows may be told apart by at once.
const MAX_DIMENSIONS: usize = 4;

/// Answers a question for figures of the caller's site.
pub(crate) async fn figures(
    shared: &Shared,
    who: &Principal,
    request: v1::GetFiguresRequest,
) -> Result<v1::GetFiguresResponse, ApiError> {
    let (from, to) = stretch(shared, request.from.as_ref(), request.to.as_ref())?;
    let invalid = |e: &dyn std::error::Error| ApiError::Invalid(e.to_string());
    let by: Result<Vec<Dimension>, _> = request.by.iter().map(|name| name.parse()).collect();
    let by = by.map_err(|e: frontdesk_core::figures::NoDimension| invalid(&e))?;
    if by.len() > MAX_DIMENSIONS || (1..by.len()).any(|i| by[..i].contains(&by[i])) {
        return Err(ApiError::Invalid("by names at most 4 dimensions, each once".into()));
    }
    let zone = if request.time_zone.is_empty() { "UTC" } else { &request.time_zone };
    let table = Table::new(from, to, by, zone);
    let mut table =
        table.ok_or_else(|| ApiError::Invalid(format!("there is no time zone {zone:?}")))?;
    let site = site(shared, who).await?;
    let mut accounts = Accounts::default();
    let mut pages = Pages::new(shared, who, from);
    while let Some(records) = pages.next().await? {
        accounts.learn(shared, &who.site, &records).await?;
        let business_hours = request.business_hours;
        let rule = Configured { site: &site, accounts: &accounts, business_hours };
        records.iter().for_each(|record| table.add(record, &rule));
    }
    Ok(answer(&table))
}

/// How figures depend on a site's configuration.
pub(crate) struct Configured<'s> {
    pub(crate) site: &'s SiteConfig,
    pub(crate) accounts: &'s Accounts,
    pub(crate) business_hours: bool,
}

impl Rule for Configured<'_> {
    fn elapsed(&self, queue: &QueueId, from: Timestamp, to: Timestamp) -> Millis {
        let hours = self.site.queue(queue).and_then(|queue| self.site.hours(queue));
        match hours.filter(|_| self.business_hours) {
            Some(hours) => hours.open_between(from, to),
            None => to.since(from),
        }
    }

    fn target(&self, queue: &QueueId) -> Option<Millis> {
        self.site.queue(queue)?.answer_within
    }

    fn is_bot(&self, agent: AgentId) -> bool {
        let account = self.accounts.get(agent);
        account.is_some_and(|account| self.site.bots.contains(&account.email))
    }

    fn weight(&self, queue: &QueueId) -> u32 {
        self.site.queue(queue).map_or(1, |queue| queue.weight)
    }

    fn capacity(&self, agent: AgentId) -> Option<u32> {
        self.accounts.get(agent).map(|account| account.profile.capacity)
    }
}

fn answer(table: &Table) -> v1::GetFiguresResponse {
    let names = table.names().iter().map(|(agent, name)| (agent.to_string(), name.clone()));
    let all = All {
        crowd: table.crowd(),
        room: if table.has_occupancy() { table.room() } else { BTreeMap::new() },
    };
    v1::GetFiguresResponse {
        rows: table.rows().map(|(key, row)| row_to_proto(key, row, &all)).collect(),
        conversations: small(table.conversations() as u64),
        agent_names: names.collect(),
    }
}

/// What rows have in common.
struct All {
    crowd: Crowd,
    /// Empty when occupancy is not told.
    room: BTreeMap<AgentId, u64>,
}

fn row_to_proto(key: &[String], row: &Row, all: &All) -> v1::FigureRow {
    let counts = Count::NAMED.iter().map(|(name, c)| ((*name).into(), small(row.count(*c))));
    let durations = Span::NAMED.iter().map(|(name, span)| (*name, row.durations(*span)));
    let durations = durations.filter(|(_, durations)| durations.count > 0);
    v1::FigureRow {
        key: key.to_vec(),
        counts: counts.collect(),
        durations: durations.map(|(name, d)| (name.into(), durations_to_proto(&d))).collect(),
        service_level: row.service_level(),
        rating: row.rating(),
        concurrency: row.concurrency(),
        occupancy: row.occupancy(&all.room),
        levels: row.levels(&all.crowd).iter().map(level_to_proto).collect(),
    }
}

fn level_to_proto(level: &Level) -> v1::HandlingLevel {
    v1::HandlingLevel {
        at_once: level.at_once,
        count: small(level.count),
        handling: Some(millis_to_proto(level.handling)),
    }
}

fn durations_to_proto(durations: &Durations) -> v1::DurationFigure {
    v1::DurationFigure {
        count: small(durations.count),
        mean: Some(millis_to_proto(durations.mean)),
        p50: Some(millis_to_proto(durations.p50)),
        p90: Some(millis_to_proto(durations.p90)),
        p95: Some(millis_to_proto(durations.p95)),
        max: Some(millis_to_proto(durations.max)),
    }
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
