//! Whose room queues share: an agent who serves several takes the next from any of them.

use super::estimate::Slots;
use crate::ids::QueueId;
use crate::presence::{AgentStatus, AgentView};
use std::collections::{BTreeMap, HashMap};

/// The room of the agents who are online, for some queues.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    index: HashMap<QueueId, usize>,
    shares: Vec<Share>,
}

#[derive(Debug, Clone, Default)]
struct Share {
    slots: Slots,
    agents: u32,
    /// Of each other queue, how much of its agents' capacity serves this one, too.
    common: Vec<f64>,
}

/// The agents who are online, as far as room goes: how many there are of each kind. Kept
/// up with every change of an agent, so that a question looks at the kinds only: with equal
/// agents these are as many as they have slots.
#[derive(Debug, Clone, Default)]
pub struct Crew(BTreeMap<Kind, u32>);

/// What counts of an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// Those it serves, in the order of their names; none: all.
    queues: Vec<QueueId>,
    capacity: u32,
    free: u32,
}

impl Kind {
    /// `None` for one who is not there.
    fn of(agent: &AgentView) -> Option<Self> {
        if agent.status != AgentStatus::Online || agent.gateways.is_empty() {
            return None;
        }
        let mut queues = agent.profile.queues.clone();
        queues.sort_unstable();
        queues.dedup();
        Some(Self { queues, capacity: agent.profile.capacity, free: agent.free() })
    }

    fn serves(&self, queue: &QueueId) -> bool {
        self.queues.is_empty() || self.queues.binary_search(queue).is_ok()
    }
}

impl Crew {
    /// An agent is `now`, and was `before` when it was known.
    pub fn replace(&mut self, before: Option<&AgentView>, now: &AgentView) {
        let (before, now) = (before.and_then(Kind::of), Kind::of(now));
        if before == now {
            return;
        }
        if let Some(kind) = before
            && let Some(count) = self.0.get_mut(&kind)
        {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&kind);
            }
        }
        if let Some(kind) = now {
            *self.0.entry(kind).or_default() += 1;
        }
    }
}

impl<'a> FromIterator<&'a AgentView> for Crew {
    fn from_iter<T: IntoIterator<Item = &'a AgentView>>(agents: T) -> Self {
        let mut crew = Self::default();
        agents.into_iter().for_each(|agent| crew.replace(None, agent));
        crew
    }
}

impl Pool {
    /// For queues with the weight of a chat in each. An agent counts for those it serves.
    pub fn of(queues: &[(QueueId, u32)], crew: &Crew) -> Self {
        let mut shares = vec![Share::default(); queues.len()];
        // Capacity by the queues that are served with it: most agents serve the same few.
        let mut groups: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
        for (kind, count) in &crew.0 {
            let served: Vec<usize> =
                (0..queues.len()).filter(|i| kind.serves(&queues[*i].0)).collect();
            for i in &served {
                let weight = queues[*i].1.max(1);
                shares[*i].agents += count;
                shares[*i].slots.online += count * (kind.capacity / weight);
                shares[*i].slots.free += count * (kind.free / weight);
            }
            *groups.entry(served).or_default() += f64::from(kind.capacity) * f64::from(*count);
        }
        let mut both = vec![vec![0.0; queues.len()]; queues.len()];
        for (served, capacity) in &groups {
            for i in served {
                served.iter().for_each(|j| both[*i][*j] += capacity);
            }
        }
        for (i, share) in shares.iter_mut().enumerate() {
            let common = |j: usize| if both[j][j] > 0.0 { both[i][j] / both[j][j] } else { 0.0 };
            share.common = (0..queues.len()).map(common).collect();
            // Those of its own queue are ahead even when nobody is there.
            share.common[i] = 1.0;
        }
        let index = queues.iter().enumerate().map(|(i, (queue, _))| (queue.clone(), i));
        Self { index: index.collect(), shares }
    }

    /// Room for a queue; none for one that was not asked for.
    pub fn slots(&self, queue: &QueueId) -> Slots {
        self.share(queue).map(|share| share.slots).unwrap_or_default()
    }

    /// Agents who serve it.
    pub fn agents(&self, queue: &QueueId) -> u32 {
        self.share(queue).map_or(0, |share| share.agents)
    }

    fn share(&self, queue: &QueueId) -> Option<&Share> {
        self.index.get(queue).map(|i| &self.shares[*i])
    }

    /// How many of a queue's slots have to fall free for one that has so many ahead of it
    /// in each queue, in the order in which these were given.
    pub fn behind(&self, queue: &QueueId, ahead: &[u32]) -> f64 {
        let Some(share) = self.share(queue) else { return 0.0 };
        (self.rivals(queue, ahead) + 1.0 - f64::from(share.slots.free)).max(0.0)
    }

    /// How many of those ahead, in each queue, will take a slot of a queue's.
    pub fn rivals(&self, queue: &QueueId, ahead: &[u32]) -> f64 {
        let Some(share) = self.share(queue) else { return 0.0 };
        share.common.iter().zip(ahead).map(|(c, n)| c * f64::from(*n)).sum()
    }
}
