//! An agent in a round: what is left of its room, and how it compares with others.

use super::{Policy, Request, Rules, Seat};
use crate::ids::{AgentId, QueueId};
use crate::presence::{AgentStatus, AgentView, Hold};

pub(super) struct Place<'a> {
    pub(super) agent: &'a AgentView,
    asked: &'a [QueueId],
    pub(super) is_online: bool,
    /// Slots that are taken, this round's included.
    taken: u64,
    /// Slots that are free, this round's taken off.
    pub(super) free: u32,
    /// Offers that are open, this round's included.
    offers: u32,
    /// Its slots are kept for a heavier conversation.
    pub(super) saved: bool,
}

/// Smaller is asked first.
pub(super) type Rank = (usize, [u64; 3], AgentId);

impl<'a> Place<'a> {
    pub(super) fn new(seat: &'a Seat) -> Self {
        let agent: &AgentView = &seat.agent;
        let open = agent.reservations.iter().filter(|r| matches!(r.hold, Hold::Reserved(_)));
        Self {
            agent,
            asked: &seat.asked,
            is_online: agent.status == AgentStatus::Online && !agent.gateways.is_empty(),
            taken: u64::from(agent.load) + u64::from(seat.pending),
            free: agent.free().saturating_sub(seat.pending),
            offers: u32::try_from(open.count() + seat.asked.len()).unwrap_or(u32::MAX),
            saved: false,
        }
    }

    /// Signed in, whatever it does just now.
    pub(super) fn is_there(&self) -> bool {
        self.agent.status != AgentStatus::Offline
    }

    /// Whether anything can be asked of it in this round.
    pub(super) fn is_open(&self) -> bool {
        self.free > 0 && !self.saved
    }

    pub(super) fn give(&mut self, weight: u32) {
        self.free = self.free.saturating_sub(weight);
        self.taken += u64::from(weight);
        self.offers = self.offers.saturating_add(1);
    }

    /// Conversations of a queue that it had before the round, those in wrap-up included.
    pub(super) fn had(&self, queue: &QueueId) -> u32 {
        let asked = self.asked.iter().filter(|of| *of == queue).count();
        u32::try_from(self.agent.claimed(queue).count() + asked).unwrap_or(u32::MAX)
    }

    /// The same without those in wrap-up: what counts for the queue as a whole.
    pub(super) fn active(&self, queue: &QueueId) -> u32 {
        let asked = self.asked.iter().filter(|of| *of == queue).count();
        active(self.agent, queue).saturating_add(u32::try_from(asked).unwrap_or(u32::MAX))
    }

    /// Share of the capacity taken, in millionths.
    fn load_share(&self) -> u64 {
        self.taken * 1_000_000 / u64::from(self.agent.profile.capacity.max(1))
    }

    /// Only grows within a round.
    pub(super) fn rank(&self, request: &Request) -> Rank {
        let (agent, rules): (_, &Rules) = (self.agent, &request.rules);
        let queue_rank = agent.queue_rank(&request.queue).unwrap_or(usize::MAX);
        let load = self.load_share();
        let idle_since = agent.idle_since.as_millis();
        let by_policy = match rules.policy {
            Policy::LeastLoaded => [0, load, idle_since],
            Policy::LongestIdle => [0, idle_since, load],
            Policy::BestProficiency => {
                let best =
                    rules.needs.ideal().map_or(0, |asked| agent.profile.skills.proficiency(asked));
                [u64::from(u32::MAX - best), load, idle_since]
            }
            Policy::RoundRobin => [u64::from(self.offers), agent.assigned_at.as_millis(), load],
        };
        (queue_rank, by_policy, agent.id)
    }
}

/// Conversations that an agent has of a queue, those in wrap-up left out.
pub(super) fn active(agent: &AgentView, queue: &QueueId) -> u32 {
    let wraps_up = |hold: &Hold| matches!(hold, Hold::WrapUp(_));
    let active = agent.claimed(queue).filter(|r| !wraps_up(&r.hold)).count();
    u32::try_from(active).unwrap_or(u32::MAX)
}
