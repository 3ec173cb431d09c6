//! Where agents were, as far as the events of conversations say. Nobody's coming and
//! going is in the journal, only what was done: an agent is taken to be there from one
//! act to the next, unless `GAP` or more is between them. Who sits idle for longer, or
//! has not begun yet, is not seen.

use super::record::{Asked, Episode};
use crate::ids::AgentId;
use crate::time::{Millis, Timestamp};
use std::collections::BTreeMap;

/// Without an act for so long an agent is taken to be away.
pub const GAP: Millis = Millis::from_mins(60);

/// From when to when.
pub type Stretch = (Timestamp, Timestamp);

/// What agents did, and when.
#[derive(Debug, Clone, Default)]
pub struct Acts(BTreeMap<AgentId, Vec<Stretch>>);

impl Acts {
    /// Adds what was done in an episode: having it, answering an offer. Whoever let one
    /// pass need not have been there.
    pub fn add(&mut self, episode: &Episode) {
        for stint in &episode.stints {
            let to = stint.to.unwrap_or(stint.from);
            self.0.entry(stint.agent).or_default().push((stint.from, to));
        }
        for offer in episode.offers.iter().filter(|offer| offer.asked == Some(Asked::Declined)) {
            self.0.entry(offer.agent).or_default().push((offer.at, offer.at));
        }
    }

    /// When each agent was there, in order of time.
    pub fn shifts(&self) -> BTreeMap<AgentId, Vec<Stretch>> {
        let shifts = |acts: &Vec<Stretch>| joined(acts.clone(), GAP);
        self.0.iter().map(|(agent, acts)| (*agent, shifts(acts))).collect()
    }
}

/// In order of time, those with less than `gap` between them as one.
pub(super) fn joined(mut all: Vec<Stretch>, gap: Millis) -> Vec<Stretch> {
    all.sort_unstable();
    let mut joined: Vec<Stretch> = Vec::new();
    for (from, to) in all {
        match joined.last_mut() {
            Some((_, end)) if from <= *end || from.since(*end) < gap => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// How many an agent had at once, at any time.
#[derive(Debug, Clone, Default)]
pub struct Crowd(BTreeMap<AgentId, Vec<Level>>);

/// From a moment on.
#[derive(Debug, Clone, Copy)]
struct Level {
    from: Timestamp,
    count: u64,
    /// Conversations × milliseconds before it.
    before: u64,
}

impl Crowd {
    /// Of stretches in which an agent had one.
    pub fn of(had: impl IntoIterator<Item = (AgentId, Stretch)>) -> Self {
        let mut changes: BTreeMap<AgentId, Vec<(Timestamp, bool)>> = BTreeMap::new();
        for (agent, (from, to)) in had {
            changes.entry(agent).or_default().extend([(from, true), (to, false)]);
        }
        let levels = |mut changes: Vec<(Timestamp, bool)>| {
            // What ends at a moment does so after what begins: never below nothing.
            changes.sort_unstable_by_key(|(at, begins)| (*at, !begins));
            let mut levels: Vec<Level> = Vec::with_capacity(changes.len());
            for (at, begins) in changes {
                let last = levels.last().copied();
                let before =
                    last.map_or(0, |last| last.before + last.count * at.since(last.from).get());
                let count = last.map_or(0, |last| last.count);
                let count = if begins { count + 1 } else { count.saturating_sub(1) };
                levels.push(Level { from: at, count, before });
            }
            levels
        };
        Self(changes.into_iter().map(|(agent, changes)| (agent, levels(changes))).collect())
    }

    /// How many an agent had at once on average within a time, itself included.
    pub fn at_once(&self, agent: AgentId, (from, to): Stretch) -> f64 {
        let length = to.since(from).get();
        let Some(levels) = self.0.get(&agent).filter(|_| length > 0) else { return 1.0 };
        let until = |at: Timestamp| {
            let after = levels.partition_point(|level| level.from <= at);
            let Some(level) = after.checked_sub(1).map(|i| levels[i]) else { return 0 };
            level.before + level.count * at.since(level.from).get()
        };
        ((until(to) - until(from)) as f64 / length as f64).max(1.0)
    }

    /// The most that an agent ever had at once; 0 for one of whom nothing is known.
    pub fn most(&self, agent: AgentId) -> u64 {
        let levels = self.0.get(&agent).into_iter().flatten();
        // Those of no length are none: the next begins at the same moment.
        let lasting = levels.clone().zip(levels.skip(1)).filter(|(a, b)| a.from < b.from);
        lasting.map(|(level, _)| level.count).max().unwrap_or(0)
    }
}
