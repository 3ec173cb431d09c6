//! When to match which site, and a round of it: from who waits and who is there
//! to the offers to make.

use crate::agents::Agents;
use crate::explanations::Explanations;
use crate::gather::{self, Gathered};
use crate::metrics;
use crate::ops::Ops;
use crate::saga::{OfferPlan, claim};
use crate::work::{Held, Work};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId, SiteId};
use frontdesk_core::matching::{self, Assignment, Decision, Request, Rules, Seat};
use frontdesk_core::party::{Participant, Party};
use frontdesk_core::presence::AgentView;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{Explanation, QueueConfig, SiteConfig};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Offers that one round comes to, so that what happens meanwhile does not wait for
/// long; another round follows at once. Half of what may be under way with them.
const MOST: usize = 256;
/// A round is not worth while for fewer, when it is for want of room for more.
const FEWEST: usize = 64;
/// Asked for of each queue beyond those that there is room for.
const SPARE: u32 = 16;

#[derive(Default)]
pub(crate) struct Matcher {
    /// Something has changed at these.
    stirred: BTreeSet<SiteId>,
    /// A round is being prepared for these.
    gathering: BTreeSet<SiteId>,
    due: BTreeMap<SiteId, Timestamp>,
    /// Where the first few of each queue were not enough.
    deep: BTreeSet<SiteId>,
    explanations: Explanations,
}

impl Matcher {
    /// Something has changed: match anew.
    pub(crate) fn stir(&mut self, site: &SiteId) {
        if !self.stirred.contains(site) {
            self.stirred.insert(site.clone());
        }
    }

    /// Time alone will change something.
    pub(crate) fn stir_at(&mut self, site: &SiteId, at: Timestamp) {
        let due = self.due.entry(site.clone()).or_insert(at);
        *due = at.min(*due);
    }

    pub(crate) fn stir_due(&mut self, now: Timestamp) {
        let due: Vec<SiteId> =
            self.due.iter().filter(|(_, at)| **at <= now).map(|(site, _)| site.clone()).collect();
        for site in due {
            self.due.remove(&site);
            self.stir(&site);
        }
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Sites to prepare a round for, each once at a time: what changes while a
    /// round is being prepared waits for the next.
    pub(crate) fn take_stirred(&mut self) -> Vec<SiteId> {
        let ready: Vec<SiteId> = self.stirred.difference(&self.gathering).cloned().collect();
        for site in &ready {
            self.stirred.remove(site);
            self.gathering.insert(site.clone());
        }
        ready
    }

    /// The round of a site has been prepared.
    pub(crate) fn gathered(&mut self, site: &SiteId) {
        self.gathering.remove(site);
    }

    /// How many of each queue the next round of a site looks at: as many as there is room
    /// for, unless that was not enough; `None` when nobody has room, or too much is under
    /// way. Whoever becomes free and whatever ends makes for another round.
    pub(crate) fn reach(&self, site: &SiteId, agents: &Agents, ops: &Ops) -> Option<u32> {
        let room = agents.of(site).fold(0_u32, |room, view| room.saturating_add(view.free()));
        if room == 0 || ops.room_for_offers() < FEWEST {
            return None;
        }
        // Those who are about to be offered wait still, as far as the queues know.
        let busy = u32::try_from(ops.offering().count()).unwrap_or(u32::MAX);
        let few = room.saturating_add(busy).saturating_add(SPARE).min(gather::FIRST);
        Some(if self.deep.contains(site) { gather::FIRST } else { few })
    }

    /// Whether the first few were enough for the room there was.
    fn judge_reach(&mut self, gathered: &Gathered, seats: &[Seat], decision: &Decision) {
        let free = |seat: &Seat| u64::from(seat.agent.free().saturating_sub(seat.pending));
        let room: u64 = seats.iter().map(free).sum();
        let given: u64 = decision.assignments.iter().map(|a| u64::from(a.weight)).sum();
        let site = &gathered.config.id;
        if decision.more || given >= room {
            self.deep.remove(site);
        } else if gathered.is_cut {
            self.deep.insert(site.clone());
            self.stir(site);
        }
    }

    /// One round: the offers to make, and whether it has ended before its end.
    pub(crate) fn decide(
        &mut self,
        gathered: &Gathered,
        agents: &Agents,
        work: &Work,
        ops: &Ops,
        now: Timestamp,
    ) -> (Vec<OfferPlan>, bool) {
        let site = &gathered.config.id;
        let requests = self.requests(gathered, work, ops, now);
        if requests.is_empty() && !gathered.is_cut {
            return (vec![], false);
        }
        let began = Instant::now();
        let seats = seats(site, agents, work, ops);
        let most = MOST.min(ops.room_for_offers());
        let decision = matching::decide_some(&requests, &seats, now, most);
        metrics::decided(requests.len(), decision.assignments.len(), began.elapsed());
        self.judge_reach(gathered, &seats, &decision);
        let waiting: HashMap<ConversationId, &Request> =
            requests.iter().map(|request| (request.entry.conversation, request)).collect();
        for trace in decision.traces {
            let Some(request) = waiting.get(&trace.conversation) else { continue };
            let (queue, since) = (request.queue.clone(), request.entry.waiting_since);
            let explained = Explanation { at: now, queue, waiting_since: since, trace };
            self.explanations.keep(site, explained);
        }
        if let Some(due) = decision.due {
            self.stir_at(site, due);
        }
        let plan = |assignment| plan(assignment, &gathered.config, agents);
        (decision.assignments.iter().filter_map(plan).collect(), decision.more)
    }

    /// The last decision about a conversation of a site.
    pub(crate) fn explain(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Option<Explanation> {
        self.explanations.of(site, conversation)
    }

    fn requests(
        &mut self,
        gathered: &Gathered,
        work: &Work,
        ops: &Ops,
        now: Timestamp,
    ) -> Vec<Request> {
        let mut requests = Vec::new();
        for (queue, entry) in &gathered.waiting {
            if ops.is_busy(entry.conversation) {
                continue;
            }
            let known = work.get(entry.conversation);
            if known.is_some_and(|known| !known.may_be_offered(entry.version)) {
                continue;
            }
            let paused = known.and_then(|known| known.paused_until).filter(|until| now < *until);
            if let Some(until) = paused {
                self.stir_at(&gathered.config.id, until);
                continue;
            }
            requests.push(Request {
                queue: queue.clone(),
                entry: entry.clone(),
                ask_again_at: known.and_then(|known| known.ask_again_at),
                rules: queue_config(&gathered.config, queue)
                    .map_or_else(Arc::<Rules>::default, |config| config.rules.clone()),
            });
        }
        requests
    }
}

/// The agents of a site, with the slots spoken for that their views do not show.
fn seats(site: &SiteId, agents: &Agents, work: &Work, ops: &Ops) -> Vec<Seat> {
    let mut offering: HashMap<AgentId, Vec<(ConversationId, Held, &QueueId)>> = HashMap::new();
    for (conversation, held, queue) in ops.offering() {
        offering.entry(held.agent).or_default().push((conversation, held, queue));
    }
    let seat = |view: &Arc<AgentView>| {
        let mut seat = Seat::new(view.clone());
        let shown = |c: &ConversationId| view.reservations.iter().any(|r| r.conversation == *c);
        let offered = offering.get(&view.id).into_iter().flatten().copied();
        let is_offered = |c: &ConversationId| offered.clone().any(|(of, ..)| of == *c);
        let held =
            work.of_agent(view.id).filter_map(|(c, known)| Some((c, known.held?, &known.queue)));
        let held = held.filter(|(c, held, _)| held.agent == view.id && !is_offered(c));
        for (_, held, queue) in
            held.chain(offered.clone()).filter(|(c, held, _)| held.weight > 0 && !shown(c))
        {
            seat.pending += held.weight;
            seat.asked.push(queue.clone());
        }
        seat
    };
    agents.of(site).map(seat).collect()
}

/// A queue that is configured no longer is served all the same, as the default
/// queue is.
fn queue_config<'c>(config: &'c SiteConfig, queue: &QueueId) -> Option<&'c QueueConfig> {
    let by_name = |name: &QueueId| config.queues.iter().find(|q| q.id == *name);
    by_name(queue).or_else(|| by_name(&config.default_queue))
}

fn plan(assignment: &Assignment, config: &SiteConfig, agents: &Agents) -> Option<OfferPlan> {
    let view = agents.get(&config.id, assignment.agent)?;
    let queue = queue_config(config, &assignment.queue)?;
    let mut agent = Participant::agent(view.id, view.profile.name.clone());
    if view.profile.supervisor {
        agent.party = Party::Supervisor;
    }
    Some(OfferPlan {
        site: config.id.clone(),
        conversation: assignment.conversation,
        queue: assignment.queue.clone(),
        claim: claim(&queue.rules, &assignment.queue, view),
        acceptance: queue.rules.acceptance,
        held: Held { agent: assignment.agent, weight: assignment.weight },
        agent,
        timeout: queue.offer_timeout,
    })
}
