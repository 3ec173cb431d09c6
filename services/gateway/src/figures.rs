//! `GetFigures`: page after page of what happened in a site's conversations, counted as
//! `core` defines it. Keeps nothing.

use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::figures::{Count, Dimension, Durations, Row, Rule, Span, Table};
use frontdesk_core::ids::QueueId;
use frontdesk_core::party::Principal;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Place, SiteConfig};
use frontdesk_proto::convert::{millis_to_proto, timestamp_from_proto};
use frontdesk_proto::{v1, wkt};

/// Conversations of one answer.
const MOST: usize = 200_000;
/// Conversations of one page.
const PAGE: u32 = 500;
/// What rows may be told apart by at once.
const MAX_DIMENSIONS: usize = 4;

/// Answers a question for figures of the caller's site.
pub(crate) async fn figures(
    shared: &Shared,
    who: &Principal,
    request: v1::GetFiguresRequest,
) -> Result<v1::GetFiguresResponse, ApiError> {
    let time = |t: Option<wkt::Timestamp>, what: &str| {
        let parsed =
            |t| timestamp_from_proto(t).ok_or(ApiError::Invalid(format!("{what} is no time")));
        t.as_ref().map(parsed).transpose()
    };
    let from = time(request.from, "from")?;
    let from = from.ok_or_else(|| ApiError::Invalid("from is absent".into()))?;
    let to = time(request.to, "to")?.unwrap_or_else(|| shared.now());
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
    let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site(&who.site)).await?;
    let site = site.ok_or_else(|| ApiError::NotFound("site".into()))?;
    let rule = Configured { site: &site, business_hours: request.business_hours };

    let mut place = Some(Place { from, after: None });
    while let Some(at) = place {
        let asked = shared.deps.sessions.records(&who.site, at, PAGE);
        let page = within(CALL_DEADLINE, "sessions", asked).await?;
        page.records.iter().for_each(|record| table.add(record, &rule));
        if table.conversations() > MOST {
            return Err(ApiError::Invalid("these are more than 200,000 conversations".into()));
        }
        place = page.next;
    }
    Ok(answer(&table))
}

/// How figures depend on a site's configuration.
pub(crate) struct Configured<'s> {
    pub(crate) site: &'s SiteConfig,
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
}

fn answer(table: &Table) -> v1::GetFiguresResponse {
    let names = table.names().iter().map(|(agent, name)| (agent.to_string(), name.clone()));
    v1::GetFiguresResponse {
        rows: table.rows().map(|(key, row)| row_to_proto(key, row)).collect(),
        conversations: small(table.conversations() as u64),
        agent_names: names.collect(),
    }
}

fn row_to_proto(key: &[String], row: &Row) -> v1::FigureRow {
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
