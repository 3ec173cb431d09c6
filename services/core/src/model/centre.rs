//! The run: one event after the other.

use crate::conversation::Reachable;
use crate::ids::{AgentId, ConversationId, NodeId, QueueId, Seq, SiteId};
use crate::matching::{self, Request, Rules, Seat};
use crate::presence::{AgentProfile, AgentStatus, AgentView};
use crate::queue::Entry;
use crate::time::{Millis, Timestamp};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// One who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When; the first may come at any time.
    pub at: Timestamp,
    /// Where to.
    pub queue: QueueId,
    /// How long it takes an agent who has the skills the queue ideally asks for.
    pub handling: Millis,
    /// After how long of waiting it gives up; `None`: never.
    pub patience: Option<Millis>,
}

/// How a queue works.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Head start in minutes of waiting.
    pub priority_minutes: u32,
    /// Slots that one takes.
    pub weight: u32,
    /// How long the slots stay taken afterwards.
    pub wrap_up: Millis,
    /// How an agent is found.
    pub rules: Arc<Rules>,
}

/// One agent.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Capacity, queues and skills.
    pub profile: AgentProfile,
    /// When it is there; outside of these it takes nothing new.
    pub shifts: Vec<(Timestamp, Timestamp)>,
}

/// How agents are found for those who wait.
pub trait Choice {
    /// Whom to ask for what, and when time alone may change that. Asks no agent for more
    /// than its free slots.
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        now: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>);
}

/// That of routing.
pub struct Ours;

impl Choice for Ours {
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        now: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>) {
        let decision = matching::decide(waiting, seats, now);
        let pairs = decision.assignments.iter().map(|a| (a.conversation, a.agent));
        (pairs.collect(), decision.due)
    }
}

/// That one was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// After how long.
    pub wait: Millis,
    /// By the how manieth agent.
    pub agent: usize,
    /// Whether that one had what the queue ideally asks for.
    pub skilled: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// What became of each arrival, in their order; `None`: it gave up, or still waits
    /// at the end.
    pub served: Vec<Option<Served>>,
    /// The time for which each agent's slots were taken, in slot-milliseconds.
    pub taken: Vec<u64>,
}

/// A centre.
#[derive(Debug, Clone)]
pub struct Centre {
    /// By name.
    pub queues: HashMap<QueueId, Queue>,
    /// In an order that means nothing.
    pub staff: Vec<Staff>,
    /// In hundredths, how long an agent takes who lacks a skill that the queue ideally
    /// asks for.
    pub unskilled_percent: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Slots of an agent are free again.
    Freed { agent: usize, slots: u32 },
    /// An agent comes or goes.
    Shift { agent: usize, begins: bool },
    /// The how manieth arrival comes.
    Comes(usize),
    /// It gives up, if it still waits.
    GivesUp(usize),
    /// Time alone has changed something.
    Due,
}

struct Run<'c> {
    centre: &'c Centre,
    arrivals: &'c [Arrival],
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    seats: Vec<Seat>,
    waiting: Vec<Request>,
    ran: Ran,
}

impl Centre {
    /// Runs through arrivals, until the last of them has been served or has given up.
    /// Those to a queue that there is not are not served.
    pub fn run(&self, arrivals: &[Arrival], choice: &mut dyn Choice) -> Ran {
        let mut run = Run {
            centre: self,
            arrivals,
            events: BinaryHeap::new(),
            seats: self.staff.iter().enumerate().map(|(n, staff)| seat(n, staff)).collect(),
            waiting: Vec::new(),
            ran: Ran { served: vec![None; arrivals.len()], taken: vec![0; self.staff.len()] },
        };
        for (n, arrival) in arrivals.iter().enumerate() {
            run.events.push(Reverse((arrival.at, Event::Comes(n))));
        }
        for (agent, staff) in self.staff.iter().enumerate() {
            for (from, to) in &staff.shifts {
                run.events.push(Reverse((*from, Event::Shift { agent, begins: true })));
                run.events.push(Reverse((*to, Event::Shift { agent, begins: false })));
            }
        }
        while let Some(Reverse((now, event))) = run.events.pop() {
            run.take(now, event);
            // What happens at one moment is decided together.
            if run.events.peek().is_none_or(|Reverse((next, _))| *next > now) {
                run.serve(now, choice);
            }
        }
        run.ran
    }
}

impl Run<'_> {
    fn take(&mut self, now: Timestamp, event: Event) {
        match event {
            Event::Comes(n) => self.comes(n),
            Event::GivesUp(n) => self.waiting.retain(|r| r.entry.conversation != named(n)),
            Event::Freed { agent, slots } => {
                let view = Arc::make_mut(&mut self.seats[agent].agent);
                view.load -= slots;
            }
            Event::Shift { agent, begins } => {
                let view = Arc::make_mut(&mut self.seats[agent].agent);
                view.status = if begins { AgentStatus::Online } else { AgentStatus::Away };
                view.since = now;
            }
            Event::Due => {}
        }
    }

    fn comes(&mut self, n: usize) {
        let arrival = &self.arrivals[n];
        let Some(queue) = self.centre.queues.get(&arrival.queue) else { return };
        self.waiting.push(Request {
            queue: arrival.queue.clone(),
            entry: Entry {
                conversation: named(n),
                version: Seq::ZERO,
                waiting_since: arrival.at,
                arrival: None,
                reachable: Reachable::Unknown,
                priority_minutes: queue.priority_minutes,
                weight: queue.weight,
                excluded: Vec::new(),
                target: None,
                previous: None,
            },
            ask_again_at: None,
            rules: queue.rules.clone(),
        });
        if let Some(patience) = arrival.patience {
            self.events.push(Reverse((arrival.at + patience, Event::GivesUp(n))));
        }
    }

    fn serve(&mut self, now: Timestamp, choice: &mut dyn Choice) {
        if self.waiting.is_empty() {
            return;
        }
        let (pairs, due) = choice.decide(&self.waiting, &self.seats, now);
        for (conversation, agent) in pairs {
            let waiting = self.waiting.iter().position(|r| r.entry.conversation == conversation);
            let Some(at) = waiting else { continue };
            let request = self.waiting.swap_remove(at);
            self.begin(now, &request, number(agent.as_uuid()));
        }
        if let Some(due) = due.filter(|due| *due > now && !self.waiting.is_empty()) {
            self.events.push(Reverse((due, Event::Due)));
        }
    }

    fn begin(&mut self, now: Timestamp, request: &Request, agent: usize) {
        let n = number(request.entry.conversation.as_uuid());
        let (arrival, queue) = (&self.arrivals[n], &self.centre.queues[&request.queue]);
        let view = Arc::make_mut(&mut self.seats[agent].agent);
        let ideal = queue.rules.needs.ideal();
        let skilled = ideal.is_none_or(|skills| view.profile.skills.satisfy(skills));
        let percent = if skilled { 100 } else { u64::from(self.centre.unskilled_percent) };
        let taken = arrival.handling.get() * percent / 100 + queue.wrap_up.get();
        let slots = request.entry.weight;
        view.load += slots;
        view.idle_since = now;
        self.ran.taken[agent] += taken * u64::from(slots);
        let wait = now.since(arrival.at);
        self.ran.served[n] = Some(Served { wait, agent, skilled });
        let freed_at = now + Millis::new(taken.max(1));
        self.events.push(Reverse((freed_at, Event::Freed { agent, slots })));
    }
}

fn named(n: usize) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn number(id: Uuid) -> usize {
    usize::try_from(id.as_u128() - 1).expect("made from a usize")
}

fn seat(n: usize, staff: &Staff) -> Seat {
    let site: SiteId = "model".parse().expect("a slug");
    let gateway: NodeId = "model".parse().expect("a slug");
    let zero = Timestamp::ZERO;
    let agent = AgentView {
        site,
        id: AgentId::from_uuid(Uuid::from_u128(n as u128 + 1)),
        profile: staff.profile.clone(),
        status: AgentStatus::Away,
        reason: Arc::from(""),
        since: zero,
        load: 0,
        reservations: Vec::new(),
        idle_since: zero,
        gateways: vec![(gateway, 1)],
        revision: 1,
    };
    Seat { agent: Arc::new(agent), pending: 0 }
}
