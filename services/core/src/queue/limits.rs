//! Whom a queue does not serve: who came while nobody is there, who came when it was
//! full, who has waited as long as one may. What becomes of them is configured; one that
//! an agent has handed on, or has lost, is never ended for the time it came at.

use super::board::{Board, Standing};
use super::entry::Entry;
use crate::conversation::{Instead, QueuedReason, Reachable, Unserved};
use crate::hours::{Hours, Opening};
use crate::ids::{ConversationId, QueueId};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What becomes of one that is not served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It waits all the same.
    Wait,
    /// It waits in another queue.
    Queue(QueueId),
    /// It ends, and the visitor is asked for an address.
    #[default]
    Form,
    /// It keeps its place, and the visitor is asked for an address.
    Callback,
}

/// How many may wait in a queue, how long, and what becomes of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Who comes when so many are there is not served.
    pub max_waiting: Option<u32>,
    /// Who has waited so long in this queue, by its hours, is not served.
    pub max_wait: Option<Millis>,
    /// For those who come out of hours.
    pub when_closed: Answer,
    /// For those who come when it is full.
    pub when_full: Answer,
    /// For those who have waited too long.
    pub when_too_long: Answer,
}

/// Whom a queue does not serve at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnedAway {
    /// Who, why, and what becomes of it.
    pub entries: Vec<(ConversationId, Unserved, Instead)>,
    /// Out of hours: when somebody is there again, as far as that is known.
    pub opens_at: Option<Timestamp>,
    /// When time alone may add to them.
    pub due: Option<Timestamp>,
}

impl Limits {
    fn answer(&self, why: Unserved) -> &Answer {
        match why {
            Unserved::OutOfHours => &self.when_closed,
            Unserved::QueueFull => &self.when_full,
            Unserved::WaitedTooLong => &self.when_too_long,
        }
    }

    /// Whether there is any, besides hours.
    pub fn is_none(&self) -> bool {
        self.max_waiting.is_none() && self.max_wait.is_none()
    }

    /// Queues that those who are not served may come to.
    pub fn elsewhere(&self) -> impl Iterator<Item = &QueueId> {
        let answers = [&self.when_closed, &self.when_full, &self.when_too_long];
        answers.into_iter().filter_map(|answer| match answer {
            Answer::Queue(queue) => Some(queue),
            Answer::Wait | Answer::Form | Answer::Callback => None,
        })
    }

    fn instead(&self, entry: &Entry, why: Unserved) -> Option<Instead> {
        let came_by_itself = match entry.arrived().reason {
            QueuedReason::Started
            | QueuedReason::Reopened
            | QueuedReason::Unserved(_)
            | QueuedReason::Alarm => true,
            QueuedReason::Transferred
            | QueuedReason::AgentLost
            | QueuedReason::ContactLeft
            | QueuedReason::Released
            | QueuedReason::TransferReturned => false,
        };
        let is_for_coming = why != Unserved::WaitedTooLong;
        let was_handed_on = entry.arrived().reason == QueuedReason::Transferred;
        match self.answer(why) {
            Answer::Wait => None,
            _ if entry.reachable == Reachable::Left => None,
            Answer::Queue(queue) if !is_for_coming || came_by_itself || was_handed_on => {
                Some(Instead::Queue(queue.clone()))
            }
            Answer::Form if !is_for_coming || came_by_itself => Some(Instead::Form),
            Answer::Callback if entry.reachable == Reachable::Unknown => Some(Instead::Callback),
            Answer::Queue(_) | Answer::Form | Answer::Callback => None,
        }
    }
}

impl Board {
    /// Whom a queue does not serve. Those on offer are left alone until that is over.
    pub fn turned_away(
        &self,
        queue: &QueueId,
        limits: &Limits,
        hours: Option<&Hours>,
        now: Timestamp,
    ) -> TurnedAway {
        let line: Vec<_> = self.line(queue).map(|p| (&p.entry, p.standing)).collect();
        limits.turned_away(&line, hours, now)
    }
}

impl Limits {
    /// Whom a queue with these limits does not serve of all who are in it.
    pub fn turned_away(
        &self,
        line: &[(&Entry, Standing)],
        hours: Option<&Hours>,
        now: Timestamp,
    ) -> TurnedAway {
        let late = self.beyond(line);
        let opening = hours.map(|hours| hours.opening(now));
        let is_closed_now = matches!(opening, Some(Opening::Closed { .. }));
        let opens_at = match opening {
            Some(Opening::Closed { until }) => until,
            None | Some(Opening::Open { .. }) => None,
        };
        let mut away = TurnedAway { opens_at, ..TurnedAway::default() };
        for (entry, _) in line.iter().filter(|(_, standing)| *standing == Standing::Waiting) {
            let came_at = entry.arrived().at;
            let left = self.max_wait.map(|max| max.saturating_sub(waited(hours, came_at, now)));
            let reasons = [
                (is_closed_now && hours.is_some_and(|hours| !hours.is_open(came_at)))
                    .then_some(Unserved::OutOfHours),
                late.contains(&entry.conversation).then_some(Unserved::QueueFull),
                (left == Some(Millis::ZERO)).then_some(Unserved::WaitedTooLong),
            ];
            let mut reasons = reasons.into_iter().flatten();
            let instead = reasons.find_map(|why| Some((why, self.instead(entry, why)?)));
            match (instead, left) {
                (Some((why, instead)), _) => {
                    away.entries.push((entry.conversation, why, instead));
                }
                (None, Some(left)) if left > Millis::ZERO => {
                    let due = match opening {
                        None | Some(Opening::Open { .. }) => Some(now + left),
                        // Or later, when it closes again before: it is asked again then.
                        Some(Opening::Closed { until }) => until.map(|until| until + left),
                    };
                    away.due = away.due.into_iter().chain(due).min();
                }
                (None, _) => {}
            }
        }
        away
    }

    /// Those who came when as many as may wait were there.
    fn beyond(&self, line: &[(&Entry, Standing)]) -> HashSet<ConversationId> {
        let Some(max) = self.max_waiting.and_then(|max| usize::try_from(max).ok()) else {
            return HashSet::new();
        };
        let mut by_arrival: Vec<_> =
            line.iter().map(|(entry, _)| (entry.arrived().at, entry.conversation)).collect();
        by_arrival.sort_unstable();
        by_arrival.into_iter().skip(max).map(|(_, conversation)| conversation).collect()
    }
}

/// How long one has waited, by the hours of its queue.
pub(super) fn waited(hours: Option<&Hours>, since: Timestamp, now: Timestamp) -> Millis {
    match hours {
        Some(hours) => hours.open_between(since, now),
        None => now.since(since),
    }
}
