//! How many may wait in a queue, how long, and what becomes of the others: whether that
//! can work. Nobody may be sent in a circle.

use super::check::Check;
use super::document::{Queue, Span};
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::{CalendarId, QueueId};
use frontdesk_core::queue::{AlarmRule, Answer, Limits};
use frontdesk_core::time::Millis;
use frontdesk_store::desk::StoredQueue;
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// The most that may be allowed to wait in a queue.
const MAX_WAITING: u32 = 100_000;
/// The shortest wait that may be set: an offer has to have a chance.
const MIN_WAIT: Millis = Millis::from_secs(30);
/// The longest: a week.
const MAX_WAIT: Millis = Millis::from_mins(7 * 24 * 60);

/// The limits of one queue as they are to be stored.
pub(super) fn limits(check: &mut Check, at: Location, queue: &Queue) -> Limits {
    let mut refuse = |why: String| check.refuse(at, format!("queue {}: {why}", queue.name));
    if let Some(max) = queue.max_waiting
        && !(1..=MAX_WAITING).contains(&max)
    {
        refuse(format!("max_waiting {max} is not within 1 to {MAX_WAITING}"));
    }
    if let Some(max) = queue.max_wait
        && !(MIN_WAIT..=MAX_WAIT).contains(&max.0)
    {
        let (least, most) = (Span(MIN_WAIT), Span(MAX_WAIT));
        refuse(format!("max_wait {max} is not within {least} to {most}"));
    }
    let closed = ("when_closed", &queue.when_closed, "hours", queue.hours.is_some());
    let full = ("when_full", &queue.when_full, "max_waiting", queue.max_waiting.is_some());
    let too_long = ("when_too_long", &queue.when_too_long, "max_wait", queue.max_wait.is_some());
    for (what, answer, limit, has_limit) in [closed, full, too_long] {
        if answer.is_some() && !has_limit {
            refuse(format!("{what} is of no use without {limit}"));
        }
        if *answer == Some(Answer::Wait) && limit != "hours" {
            refuse(format!("{what}: wait is what happens without {limit}"));
        }
    }
    let answer = |answer: &Option<Answer>| answer.clone().unwrap_or_default();
    Limits {
        max_waiting: queue.max_waiting,
        max_wait: queue.max_wait.map(|max| max.0),
        when_closed: answer(&queue.when_closed),
        when_full: answer(&queue.when_full),
        when_too_long: answer(&queue.when_too_long),
    }
}

/// Whether what the queues name is there, and whether their answers end.
pub(super) fn check_names(
    check: &mut Check,
    written: &[Spanned<Queue>],
    queues: &[StoredQueue],
    calendars: &BTreeMap<CalendarId, Hours>,
) {
    for (Spanned { referenced, .. }, queue) in written.iter().zip(queues) {
        let mut refuse =
            |why: String| check.refuse(*referenced, format!("queue {}: {why}", queue.id));
        if let Some(missing) = queue.hours.as_ref().filter(|name| !calendars.contains_key(*name)) {
            refuse(format!("there is no calendar {missing}"));
        }
        let is_queue = |name: &QueueId| queues.iter().any(|queue| queue.id == *name);
        if let Some(missing) = queue.limits.elsewhere().find(|name| !is_queue(name)) {
            refuse(format!("there is no queue {missing}"));
        }
        if let Some(circle) = circle(queues, &queue.id) {
            let names: Vec<&str> = circle.iter().map(|name| name.as_str()).collect();
            refuse(format!(
                "one who is not served in time goes in a circle: {}",
                names.join(" -> ")
            ));
        }
    }
}

/// Queues that those who wait in this one may be sent to.
fn elsewhere(queue: &StoredQueue) -> impl Iterator<Item = &QueueId> {
    queue.limits.elsewhere().chain(queue.alarms.iter().filter_map(AlarmRule::elsewhere))
}

/// The way from a queue back to itself.
fn circle<'q>(queues: &'q [StoredQueue], start: &'q QueueId) -> Option<Vec<&'q QueueId>> {
    let mut ways = vec![vec![start]];
    let mut seen = Vec::new();
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        let here = queues.iter().find(|queue| queue.id == *last);
        for next in here.into_iter().flat_map(elsewhere) {
            let mut longer = way.clone();
            longer.push(next);
            if next == start {
                return Some(longer);
            }
            if !seen.contains(&next) {
                seen.push(next);
                ways.push(longer);
            }
        }
    }
    None
}
