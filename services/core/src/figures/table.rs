//! Figures by what one likes: rows of counts and durations.

use super::record::Record;
use super::sample::{self, Count, Rule, Sample, Span, What};
use crate::hours::ZONES;
use crate::ids::AgentId;
use crate::time::{Millis, Timestamp};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

/// What figures may be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Queue.
    Queue,
    /// Agent, by id.
    Agent,
    /// Tag; what has several counts for each.
    Tag,
    /// The visitor's language.
    Language,
    /// The hour in which the episode began.
    Hour,
    /// The day on which it did.
    Day,
}

/// It is no dimension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of queue, agent, tag, language, hour, day")]
pub struct NoDimension(String);

impl FromStr for Dimension {
    type Err = NoDimension;

    fn from_str(name: &str) -> Result<Self, NoDimension> {
        Ok(match name {
            "queue" => Self::Queue,
            "agent" => Self::Agent,
            "tag" => Self::Tag,
            "language" => Self::Language,
            "hour" => Self::Hour,
            "day" => Self::Day,
            _ => return Err(NoDimension(name.to_owned())),
        })
    }
}

/// Values of the dimensions, in their order; empty where there is none.
pub type Key = Vec<String>;

/// What a group of episodes comes to.
#[derive(Debug, Clone, Default)]
pub struct Row {
    counts: [u64; Count::ALL],
    /// In milliseconds; longer than 49 days counts as that.
    spans: [Vec<u32>; Span::ALL],
    busy: Vec<(AgentId, Timestamp, Timestamp)>,
}

/// How durations are distributed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: Millis,
    /// Half of them are no longer.
    pub p50: Millis,
    /// 90 % of them are no longer.
    pub p90: Millis,
    /// 95 % of them are no longer.
    pub p95: Millis,
    /// The longest.
    pub max: Millis,
}

/// A table in the making.
pub struct Table {
    from: Timestamp,
    to: Timestamp,
    by: Vec<Dimension>,
    zone: TimeZone,
    seen: HashSet<crate::ids::ConversationId>,
    rows: BTreeMap<Key, Row>,
    names: BTreeMap<AgentId, String>,
}

impl Table {
    /// Of the episodes that begin from one moment to before another; hours and days are
    /// those of a zone of the IANA database. `None`: there is no such zone.
    pub fn new(from: Timestamp, to: Timestamp, by: Vec<Dimension>, zone: &str) -> Option<Self> {
        let zone = ZONES.get(zone).ok()?;
        let (seen, rows, names) = (HashSet::new(), BTreeMap::new(), BTreeMap::new());
        Some(Self { from, to, by, zone, seen, rows, names })
    }

    /// Adds a conversation; again, it changes nothing.
    pub fn add(&mut self, record: &Record, rule: &dyn Rule) {
        if !self.seen.insert(record.conversation) {
            return;
        }
        let within = |at: Timestamp| self.from <= at && at < self.to;
        for (agent, name) in sample::names(record) {
            self.names.insert(agent, name.to_owned());
        }
        for episode in record.episodes.iter().filter(|episode| within(episode.began_at)) {
            let (by, zone, rows) = (&self.by, &self.zone, &mut self.rows);
            sample::of_episode(episode, rule, &mut |sample| {
                for key in keys(by, zone, record, episode.began_at, &sample) {
                    rows.entry(key).or_default().add(sample.what);
                }
            });
        }
    }

    /// Conversations that were added.
    pub fn conversations(&self) -> usize {
        self.seen.len()
    }

    /// The rows, by key.
    pub fn rows(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.iter()
    }

    /// What agents were called last.
    pub fn names(&self) -> &BTreeMap<AgentId, String> {
        &self.names
    }
}

fn keys(
    by: &[Dimension],
    zone: &TimeZone,
    record: &Record,
    at: Timestamp,
    sample: &Sample<'_>,
) -> Vec<Key> {
    let mut keys = vec![Key::new()];
    for dimension in by {
        let values = match dimension {
            Dimension::Queue => vec![sample.queue.to_string()],
            Dimension::Agent => vec![sample.agent.map(|a| a.to_string()).unwrap_or_default()],
            Dimension::Language => vec![record.language.to_string()],
            Dimension::Hour => vec![local(zone, at, "%Y-%m-%dT%H:00%:z")],
            Dimension::Day => vec![local(zone, at, "%Y-%m-%d")],
            Dimension::Tag if record.tags.is_empty() => vec![String::new()],
            Dimension::Tag => record.tags.iter().map(ToString::to_string).collect(),
        };
        let longer = |key: Key| {
            values.iter().map(move |value| {
                let mut key = key.clone();
                key.push(value.clone());
                key
            })
        };
        keys = keys.into_iter().flat_map(longer).collect();
    }
    keys
}

fn local(zone: &TimeZone, at: Timestamp, format: &str) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let there = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    there.to_zoned(zone.clone()).strftime(format).to_string()
}

impl Row {
    fn add(&mut self, what: What) {
        match what {
            What::Count(count, n) => self.counts[count as usize] += n,
            What::Span(span, length) => {
                self.spans[span as usize].push(u32::try_from(length.get()).unwrap_or(u32::MAX));
            }
            What::Busy(agent, from, to) => self.busy.push((agent, from, to)),
        }
    }

    /// How many.
    pub fn count(&self, count: Count) -> u64 {
        self.counts[count as usize]
    }

    /// How long.
    pub fn durations(&self, span: Span) -> Durations {
        let mut sorted = self.spans[span as usize].clone();
        sorted.sort_unstable();
        let Some(max) = sorted.last() else { return Durations::default() };
        let sum: u64 = sorted.iter().copied().map(u64::from).sum();
        // The nearest rank: the least that so many per cent do not exceed.
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            Millis::new(u64::from(sorted[rank - 1]))
        };
        Durations {
            count: sorted.len() as u64,
            mean: Millis::new(sum / sorted.len() as u64),
            p50: at(50),
            p90: at(90),
            p95: at(95),
            max: Millis::new(u64::from(*max)),
        }
    }

    /// The mean of the ratings.
    pub fn rating(&self) -> Option<f64> {
        ratio(self.count(Count::Stars), self.count(Count::Rated))
    }

    /// Share of those to be served in time that were.
    pub fn service_level(&self) -> Option<f64> {
        ratio(self.count(Count::InTarget), self.count(Count::OfTarget))
    }

    /// Conversations of an agent at once, while it had any.
    pub fn concurrency(&self) -> Option<f64> {
        let mut busy = self.busy.clone();
        busy.sort_unstable();
        let (mut sum, mut covered) = (0, 0);
        let mut last: Option<(AgentId, Timestamp)> = None;
        for (agent, from, to) in busy {
            sum += to.since(from).get();
            let known = last.filter(|(who, _)| *who == agent).map(|(_, until)| until);
            covered += to.since(known.map_or(from, |until| until.max(from))).get();
            last = Some((agent, known.map_or(to, |until| until.max(to))));
        }
        ratio(sum, covered)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
