//! One round in the making: the seats with what this round has given them.

use super::{Assignment, Decision, Policy, Rejection, Request, Seat, Trace, Verdict};
use crate::ids::AgentId;
use crate::presence::{AgentStatus, AgentView};
use crate::time::Timestamp;

struct Place<'a> {
    agent: &'a AgentView,
    /// Slots spoken for that the view does not show, this round's included.
    pending: u32,
    saved: bool,
}

impl Place<'_> {
    fn free(&self) -> u32 {
        self.agent.free().saturating_sub(self.pending)
    }

    fn is_online(&self) -> bool {
        self.agent.status == AgentStatus::Online && !self.agent.gateways.is_empty()
    }

    /// Share of the capacity taken, in millionths.
    fn load_share(&self) -> u64 {
        let taken = u64::from(self.agent.load) + u64::from(self.pending);
        taken * 1_000_000 / u64::from(self.agent.profile.capacity.max(1))
    }
}

pub(super) struct Round<'a> {
    places: Vec<Place<'a>>,
    policy: Policy,
    now: Timestamp,
    decision: Decision,
}

/// Smaller is asked first.
type Rank = (usize, bool, [u64; 2], AgentId);

impl<'a> Round<'a> {
    pub(super) fn new(seats: &'a [Seat], policy: Policy, now: Timestamp) -> Self {
        let place = |seat: &'a Seat| Place {
            agent: seat.agent.as_ref(),
            pending: seat.pending,
            saved: false,
        };
        let places = seats.iter().map(place).collect();
        Self { places, policy, now, decision: Decision::default() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.places.iter().any(|place| !place.saved && place.free() > 0)
    }

    pub(super) fn finish(self) -> Decision {
        self.decision
    }

    pub(super) fn serve(&mut self, request: &Request) {
        let refusals = self.refusals(request);
        let rank = |i: &usize| self.rank(request, &self.places[*i]);
        let suitable = (0..refusals.len()).filter(|i| refusals[*i].is_none());
        let chosen = suitable.min_by_key(rank);
        let verdict = |(i, refusal): (usize, &Option<Rejection>)| match refusal {
            Some(why) => Verdict::Rejected(*why),
            None if Some(i) == chosen => Verdict::Chosen,
            None => Verdict::Rejected(Rejection::Outranked),
        };
        let verdicts = refusals.iter().enumerate().map(verdict);
        let agents = self.places.iter().map(|place| place.agent.id);
        let candidates = agents.zip(verdicts).collect();
        let conversation = request.entry.conversation;
        self.decision.traces.push(Trace { conversation, candidates });
        self.note_due(request, &refusals);
        match chosen {
            Some(i) => self.assign(request, i),
            None => self.save_for(request, &refusals),
        }
    }

    fn refusals(&self, request: &Request) -> Vec<Option<Rejection>> {
        let entry = &request.entry;
        let target = self.target(request);
        let is_excluded = |place: &Place<'_>| entry.excluded.contains(&place.agent.id);
        // Whoever is full may be so for hours: nobody waits for that while another,
        // who may only have missed the offer, has room.
        let could_take = |place: &&Place<'_>| {
            let is_there = place.is_online() && place.agent.serves(&request.queue);
            is_there && place.free() >= entry.weight
        };
        let others_left = self.places.iter().filter(could_take).any(|place| !is_excluded(place));
        let too_soon = request.ask_again_at.is_some_and(|at| self.now < at);
        let refusal = |place: &Place<'_>| {
            if target.is_some_and(|target| target != place.agent.id) {
                return Some(Rejection::HeldForTarget);
            }
            // A transfer may name an agent of any queue.
            if target.is_none() && !place.agent.serves(&request.queue) {
                return Some(Rejection::NotServing);
            }
            if !place.is_online() {
                return Some(Rejection::NotOnline);
            }
            if target.is_none() && is_excluded(place) {
                if others_left {
                    return Some(Rejection::Excluded);
                }
                if too_soon {
                    return Some(Rejection::AskedJustNow);
                }
            }
            if place.saved {
                return Some(Rejection::Saved);
            }
            (place.free() < entry.weight).then_some(Rejection::NoRoom)
        };
        self.places.iter().map(refusal).collect()
    }

    /// The agent a transfer named, while it is to wait for that one: until the
    /// hold ends, and only if the agent is there at all.
    fn target(&self, request: &Request) -> Option<AgentId> {
        let (target, until) = request.entry.target?;
        let is_there = |place: &Place<'_>| {
            place.agent.id == target && place.agent.status != AgentStatus::Offline
        };
        (self.now < until && self.places.iter().any(is_there)).then_some(target)
    }

    fn rank(&self, request: &Request, place: &Place<'_>) -> Rank {
        let entry = &request.entry;
        let id = place.agent.id;
        // Of those who refused, the one longest ago first.
        let refused = entry.excluded.iter().position(|a| *a == id).map_or(0, |i| i + 1);
        let is_stranger = entry.previous != Some(id);
        let load = place.load_share();
        let idle_since = place.agent.idle_since.as_millis();
        let by_policy = match self.policy {
            Policy::LeastLoaded => [load, idle_since],
            Policy::LongestIdle => [idle_since, load],
        };
        (refused, is_stranger, by_policy, id)
    }

    fn note_due(&mut self, request: &Request, refusals: &[Option<Rejection>]) {
        let met = |why| refusals.contains(&Some(why));
        let hold_ends = request.entry.target.map(|(_, until)| until);
        let dues = [
            hold_ends.filter(|_| met(Rejection::HeldForTarget)),
            request.ask_again_at.filter(|_| met(Rejection::AskedJustNow)),
        ];
        let dues = dues.into_iter().flatten().chain(self.decision.due);
        self.decision.due = dues.min();
    }

    fn assign(&mut self, request: &Request, i: usize) {
        let weight = request.entry.weight;
        self.places[i].pending = self.places[i].pending.saturating_add(weight);
        self.decision.assignments.push(Assignment {
            conversation: request.entry.conversation,
            queue: request.queue.clone(),
            agent: self.places[i].agent.id,
            weight,
        });
    }

    /// One too heavy for what is free now gets the roomiest agent's next slots,
    /// or lighter ones behind it would take them for ever.
    fn save_for(&mut self, request: &Request, refusals: &[Option<Rejection>]) {
        let could_fit = |i: &usize| {
            let place = &self.places[*i];
            refusals[*i] == Some(Rejection::NoRoom)
                && place.free() > 0
                && place.agent.profile.capacity >= request.entry.weight
        };
        let roomiest = (0..refusals.len()).filter(could_fit).max_by_key(|i| self.places[*i].free());
        if let Some(i) = roomiest {
            self.places[i].saved = true;
        }
    }
}
