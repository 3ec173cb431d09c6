//! Figures by what one likes: rows of counts and durations.

use super::record::Record;
use super::sample::{self, Busy, Count, Rule, Sample, Span, What};
use super::there::{Acts, Crowd, Stretch, joined};
use crate::hours::ZONES;
use crate::ids::AgentId;
use crate::time::{Millis, Timestamp};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashSet};
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
    /// How the visitor came.
    Channel,
    /// The hour in which the episode began.
    Hour,
    /// The day on which it did.
    Day,
}

/// It is no dimension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of queue, agent, tag, language, channel, hour, day")]
pub struct NoDimension(String);

impl FromStr for Dimension {
    type Err = NoDimension;

    fn from_str(name: &str) -> Result<Self, NoDimension> {
        Ok(match name {
            "queue" => Self::Queue,
            "agent" => Self::Agent,
            "tag" => Self::Tag,
            "language" => Self::Language,
            "channel" => Self::Channel,
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
    busy: Vec<Busy>,
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
    acts: Acts,
    /// Every stretch in which somebody had one, in whatever row.
    had: Vec<(AgentId, Stretch)>,
    capacities: BTreeMap<AgentId, u32>,
}

/// How long those took that agents had while they had so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// On average over the time, to the nearest number.
    pub at_once: u32,
    /// How many.
    pub count: u64,
    /// How long they took, by the clock on the wall.
    pub handling: Millis,
}

impl Table {
    /// Of the episodes that begin from one moment to before another; hours and days are
    /// those of a zone of the IANA database. `None`: there is no such zone.
    pub fn new(from: Timestamp, to: Timestamp, by: Vec<Dimension>, zone: &str) -> Option<Self> {
        let zone = ZONES.get(zone).ok()?;
        let (seen, rows, names) = (HashSet::new(), BTreeMap::new(), BTreeMap::new());
        let (acts, had, capacities) = (Acts::default(), Vec::new(), BTreeMap::new());
        Some(Self { from, to, by, zone, seen, rows, names, acts, had, capacities })
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
        let count = record.episodes.len();
        let episodes = record.episodes.iter().zip(1..);
        for (episode, nth) in episodes.filter(|(episode, _)| within(episode.began_at)) {
            self.acts.add(episode);
            let (by, zone, rows) = (&self.by, &self.zone, &mut self.rows);
            let (had, capacities) = (&mut self.had, &mut self.capacities);
            sample::of_episode(episode, nth == count, rule, &mut |sample| {
                if let What::Busy(busy) = sample.what {
                    had.push((busy.agent, (busy.from, busy.to)));
                    capacities.extend(rule.capacity(busy.agent).map(|slots| (busy.agent, slots)));
                }
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

    /// How many each agent had at once, in whatever row.
    pub fn crowd(&self) -> Crowd {
        Crowd::of(self.had.iter().copied())
    }

    /// Slots × milliseconds for which each agent was there whose slots are known.
    pub fn room(&self) -> BTreeMap<AgentId, u64> {
        let length = |(from, to): &Stretch| to.since(*from).get();
        let room = |(agent, shifts): (AgentId, Vec<Stretch>)| {
            let slots = u64::from(*self.capacities.get(&agent)?);
            Some((agent, shifts.iter().map(length).sum::<u64>() * slots))
        };
        self.acts.shifts().into_iter().filter_map(room).collect()
    }

    /// Whether the time in which agents were there can be told apart as its rows are.
    pub fn has_occupancy(&self) -> bool {
        let is_of_agents = |by: &Dimension| matches!(by, Dimension::Agent | Dimension::Queue);
        self.by.iter().all(is_of_agents)
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
            Dimension::Channel => vec![record.channel.to_string()],
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
            What::Busy(busy) => self.busy.push(busy),
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
        let mut by_agent: BTreeMap<AgentId, Vec<Stretch>> = BTreeMap::new();
        for busy in &self.busy {
            by_agent.entry(busy.agent).or_default().push((busy.from, busy.to));
        }
        let length = |(from, to): &Stretch| to.since(*from).get();
        let sum = by_agent.values().flatten().map(length).sum();
        let covered = by_agent.into_values().flat_map(|had| joined(had, Millis::ZERO));
        ratio(sum, covered.map(|stretch| length(&stretch)).sum())
    }

    /// Share of the agents' slots that was taken while they were there, of those agents
    /// whose `room` is known.
    pub fn occupancy(&self, room: &BTreeMap<AgentId, u64>) -> Option<f64> {
        let known = self.busy.iter().filter(|busy| room.contains_key(&busy.agent));
        let agents: BTreeSet<AgentId> = known.clone().map(|busy| busy.agent).collect();
        let taken = known.map(|busy| busy.to.since(busy.from).get() * u64::from(busy.weight));
        ratio(taken.sum(), agents.iter().map(|agent| room[agent]).sum())
    }

    /// How long they took by how many an agent had at once, fewest first.
    pub fn levels(&self, crowd: &Crowd) -> Vec<Level> {
        let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for busy in &self.busy {
            let at_once = crowd.at_once(busy.agent, (busy.from, busy.to)).round();
            // Below the number of conversations, and at least 1.
            let (count, sum) = sums.entry(at_once as u32).or_default();
            *count += 1;
            *sum += busy.to.since(busy.from).get();
        }
        let level = |(at_once, (count, sum)): (u32, (u64, u64))| Level {
            at_once,
            count,
            handling: Millis::new(sum / count.max(1)),
        };
        sums.into_iter().map(level).collect()
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
