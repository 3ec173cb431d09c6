//! One round in the making: the seats with what this round has given them.

use super::{Assignment, Decision, Policy, Rejection, Request, Seat, Trace, Verdict};
use crate::ids::AgentId;
use crate::presence::{AgentStatus, AgentView};
use crate::skill::Skills;
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
    now: Timestamp,
    decision: Decision,
}

/// What one conversation asks of an agent at this moment.
struct Ask<'r> {
    required: Option<&'r Skills>,
    /// The agent a transfer named, while it is to wait for that one.
    target: Option<AgentId>,
    /// The agent of before, while it is to wait for that one.
    previous: Option<AgentId>,
}

/// Smaller is asked first.
type Rank = (usize, bool, usize, [u64; 3], AgentId);

impl<'a> Round<'a> {
    pub(super) fn new(seats: &'a [Seat], now: Timestamp) -> Self {
        let place = |seat: &'a Seat| Place {
            agent: seat.agent.as_ref(),
            pending: seat.pending,
            saved: false,
        };
        let places = seats.iter().map(place).collect();
        Self { places, now, decision: Decision::default() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.places.iter().any(|place| !place.saved && place.free() > 0)
    }

    pub(super) fn finish(self) -> Decision {
        self.decision
    }

    pub(super) fn serve(&mut self, request: &Request) {
        let ask = self.ask(request);
        let refusals = self.refusals(request, &ask);
        let rank = |i: &usize| rank(request, &self.places[*i]);
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
        let required = ask.required.cloned().unwrap_or_default();
        self.decision.traces.push(Trace { conversation, required, candidates });
        self.note_due(request, &refusals);
        match chosen {
            Some(i) => self.assign(request, i),
            None => self.save_for(request, &refusals),
        }
    }

    fn ask<'r>(&self, request: &'r Request) -> Ask<'r> {
        let (entry, rules) = (&request.entry, &request.rules);
        let is_there = |id: AgentId| {
            let there = |p: &Place<'_>| p.agent.id == id && p.agent.status != AgentStatus::Offline;
            self.places.iter().any(there)
        };
        let somebody_has = |skills: &Skills| {
            self.places.iter().map(|place| place.agent).any(|agent| {
                agent.status != AgentStatus::Offline
                    && agent.serves(&request.queue)
                    && agent.profile.skills.satisfy(skills)
            })
        };
        let required = rules.needs.at(self.now.since(entry.waiting_since), somebody_has);
        let target = entry.target.filter(|(_, until)| self.now < *until).map(|(agent, _)| agent);
        let would_do = |id: AgentId| {
            let of_before = self.places.iter().find(|place| place.agent.id == id);
            of_before.is_some_and(|Place { agent, .. }| {
                agent.serves(&request.queue)
                    && required.is_none_or(|required| agent.profile.skills.satisfy(required))
            })
        };
        let is_held = self.now < entry.held_since() + rules.hold_for_previous;
        let previous = entry.previous.filter(|id| is_held && !entry.excluded.contains(id));
        Ask {
            required,
            target: target.filter(|id| is_there(*id)),
            previous: previous.filter(|id| is_there(*id) && would_do(*id)),
        }
    }

    fn refusals(&self, request: &Request, ask: &Ask<'_>) -> Vec<Option<Rejection>> {
        let entry = &request.entry;
        let is_excluded = |place: &Place<'_>| entry.excluded.contains(&place.agent.id);
        let is_skilled = |place: &Place<'_>| {
            ask.required.is_none_or(|required| place.agent.profile.skills.satisfy(required))
        };
        // Whoever is full may be so for hours: nobody waits for that while another,
        // who may only have missed the offer, has room.
        let could_take = |place: &&Place<'_>| {
            let is_there = place.is_online() && place.agent.serves(&request.queue);
            is_there && is_skilled(place) && place.free() >= entry.weight
        };
        let others_left = self.places.iter().filter(could_take).any(|place| !is_excluded(place));
        let too_soon = request.ask_again_at.is_some_and(|at| self.now < at);
        let refusal = |place: &Place<'_>| {
            if let Some(target) = ask.target {
                // A transfer may name an agent of any queue.
                if target != place.agent.id {
                    return Some(Rejection::HeldForTarget);
                }
            } else if !place.agent.serves(&request.queue) {
                return Some(Rejection::NotServing);
            } else if !is_skilled(place) {
                return Some(Rejection::Unskilled);
            } else if ask.previous.is_some_and(|previous| previous != place.agent.id) {
                return Some(Rejection::HeldForPrevious);
            }
            if !place.is_online() {
                return Some(Rejection::NotOnline);
            }
            if ask.target.is_none() && is_excluded(place) {
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

    fn note_due(&mut self, request: &Request, refusals: &[Option<Rejection>]) {
        let met = |why| refusals.contains(&Some(why));
        let (entry, rules) = (&request.entry, &request.rules);
        let since = entry.waiting_since;
        let hold_ends = entry.target.map(|(_, until)| until);
        let next_step = rules.needs.next_after(self.now.since(since)).map(|after| since + after);
        let dues = [
            hold_ends.filter(|_| met(Rejection::HeldForTarget)),
            Some(entry.held_since() + rules.hold_for_previous)
                .filter(|_| met(Rejection::HeldForPrevious)),
            request.ask_again_at.filter(|_| met(Rejection::AskedJustNow)),
            next_step.filter(|_| met(Rejection::Unskilled)),
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

fn rank(request: &Request, place: &Place<'_>) -> Rank {
    let (entry, rules) = (&request.entry, &request.rules);
    let agent = place.agent;
    // Of those who refused, the one longest ago first.
    let refused = entry.excluded.iter().position(|a| *a == agent.id).map_or(0, |i| i + 1);
    let is_stranger = entry.previous != Some(agent.id);
    let queue_rank = agent.queue_rank(&request.queue).unwrap_or(usize::MAX);
    let load = place.load_share();
    let idle_since = agent.idle_since.as_millis();
    let by_policy = match rules.policy {
        Policy::LeastLoaded => [0, load, idle_since],
        Policy::LongestIdle => [0, idle_since, load],
        Policy::BestProficiency => {
            let best =
                rules.needs.ideal().map_or(0, |asked| agent.profile.skills.proficiency(asked));
            [u64::from(u32::MAX - best), load, idle_since]
        }
    };
    (refused, is_stranger, queue_rank, by_policy, agent.id)
}
