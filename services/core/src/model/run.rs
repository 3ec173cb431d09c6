//! The run: one event after the other.

use super::centre::{Arrival, Centre, Choice, Leg, Staff};
use super::outcome::{Fate, Ran, Served};
use crate::conversation::{self, Instead, QueuedReason, Reachable, Unserved};
use crate::ids::{AgentId, ConversationId, NodeId, QueueId, Seq, SiteId};
use crate::matching::{Request, Seat};
use crate::presence::{AgentStatus, AgentView};
use crate::queue::{Entry, Standing};
use crate::skill::Skills;
use crate::time::{Millis, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// An agent is done with something, unless its `round` is another by now.
    Done { agent: usize, round: u64 },
    /// Slots of an agent are free again.
    Freed { agent: usize, slots: u32 },
    /// An agent comes or goes.
    Shift { agent: usize, begins: bool },
    /// The how manieth arrival comes.
    Comes(usize),
    /// It gives up, if it still waits for the first agent.
    GivesUp(usize),
    /// Time alone has changed something.
    Due,
}

/// What an agent has.
#[derive(Default)]
struct Hands {
    chats: Vec<Chat>,
    /// When `left` was true of each.
    at: Timestamp,
    /// Raised whenever what it has changes.
    round: u64,
}

struct Chat {
    n: usize,
    /// Work that is left, in milliseconds of an agent who has nothing else.
    left: f64,
    since: Timestamp,
    queue: QueueId,
    slots: u32,
}

/// Where an arrival stands.
#[derive(Default, Clone)]
struct Course {
    /// Parts of it that are over.
    legs: usize,
    /// By whom it was handed on for want of a skill.
    handed_on_by: Option<usize>,
    /// Whether it is handed on once the present agent is done.
    passes: bool,
}

pub(super) struct Run<'c> {
    centre: &'c Centre,
    arrivals: &'c [Arrival],
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    seats: Vec<Seat>,
    hands: Vec<Hands>,
    courses: Vec<Course>,
    waiting: Vec<Request>,
    /// Queues in which somebody may have to be sent away.
    unchecked: BTreeSet<QueueId>,
    next_due: Option<Timestamp>,
    ran: Ran,
}

impl<'c> Run<'c> {
    pub(super) fn new(centre: &'c Centre, arrivals: &'c [Arrival]) -> Self {
        let mut events = BinaryHeap::new();
        for (n, arrival) in arrivals.iter().enumerate() {
            events.push(Reverse((arrival.at, Event::Comes(n))));
        }
        for (agent, staff) in centre.staff.iter().enumerate() {
            for (from, to) in &staff.shifts {
                events.push(Reverse((*from, Event::Shift { agent, begins: true })));
                events.push(Reverse((*to, Event::Shift { agent, begins: false })));
            }
        }
        Self {
            centre,
            arrivals,
            events,
            seats: centre.staff.iter().enumerate().map(|(n, staff)| seat(n, staff)).collect(),
            hands: centre.staff.iter().map(|_| Hands::default()).collect(),
            courses: vec![Course::default(); arrivals.len()],
            waiting: Vec::new(),
            unchecked: BTreeSet::new(),
            next_due: None,
            ran: Ran::nothing(arrivals.len(), centre.staff.len()),
        }
    }

    pub(super) fn through(mut self, choice: &mut dyn Choice) -> Ran {
        while let Some(Reverse((now, event))) = self.events.pop() {
            self.take(now, event, choice);
            // What happens at one moment is decided together.
            if self.events.peek().is_none_or(|Reverse((next, _))| *next > now) {
                self.send_away(now);
                self.serve(now, choice);
            }
        }
        self.ran
    }

    fn take(&mut self, now: Timestamp, event: Event, choice: &mut dyn Choice) {
        match event {
            Event::Comes(n) => self.comes(n),
            Event::GivesUp(n) => self.gives_up(now, n),
            Event::Done { agent, round } => {
                if self.hands[agent].round == round {
                    self.done(now, agent, choice);
                }
            }
            Event::Freed { agent, slots } => {
                Arc::make_mut(&mut self.seats[agent].agent).load -= slots;
            }
            Event::Shift { agent, begins } => {
                let view = Arc::make_mut(&mut self.seats[agent].agent);
                view.status = if begins { AgentStatus::Online } else { AgentStatus::Away };
                view.since = now;
            }
            Event::Due => {
                self.next_due = None;
                let limited = self.waiting.iter().map(|r| &r.queue);
                self.unchecked.extend(limited.cloned());
            }
        }
    }

    fn comes(&mut self, n: usize) {
        let arrival = &self.arrivals[n];
        if !self.centre.queues.contains_key(&arrival.queue) {
            return;
        }
        self.wait(n, arrival.queue.clone(), None);
        if let Some(patience) = arrival.patience {
            self.events.push(Reverse((arrival.at + patience, Event::GivesUp(n))));
        }
    }

    fn gives_up(&mut self, now: Timestamp, n: usize) {
        // Its patience was for the first agent.
        if self.ran.fates[n].served().is_some() {
            return;
        }
        // Who may be called back has gone, and keeps its place.
        let gives_up = |r: &Request| {
            r.entry.conversation == named(n) && r.entry.reachable == Reachable::Unknown
        };
        if let Some(at) = self.waiting.iter().position(gives_up) {
            self.waiting.swap_remove(at);
            self.ran.fates[n] = Fate::GaveUp { after: now.since(self.arrivals[n].at) };
        }
    }

    fn wait(&mut self, n: usize, name: QueueId, arrival: Option<conversation::Arrival>) {
        let Some(queue) = self.centre.queues.get(&name) else { return };
        let excluded = self.courses[n].handed_on_by.map(agent_id);
        if queue.is_limited() {
            self.unchecked.insert(name.clone());
        }
        self.waiting.push(Request {
            queue: name,
            entry: Entry {
                conversation: named(n),
                version: Seq::ZERO,
                waiting_since: self.arrivals[n].at,
                arrival,
                reachable: Reachable::Unknown,
                priority_minutes: queue.priority_minutes,
                weight: queue.weight,
                excluded: excluded.into_iter().collect(),
                target: None,
                previous: None,
                asked_skills: Skills::default(),
                extra_minutes: 0,
                language: None,
            },
            ask_again_at: None,
            rules: queue.rules.clone(),
        });
    }

    /// Those whom their queue does not serve; one may come from queue to queue.
    fn send_away(&mut self, now: Timestamp) {
        let mut moves = self.centre.queues.len();
        while let Some(name) = self.unchecked.pop_first() {
            let queue = self.centre.queues.get(&name).filter(|queue| queue.is_limited());
            let Some(queue) = queue else { continue };
            let line = self.waiting.iter().filter(|r| r.queue == name);
            let line: Vec<_> = line.map(|r| (&r.entry, Standing::Waiting)).collect();
            let away = queue.limits.turned_away(&line, queue.hours.as_deref(), now);
            self.due(away.due);
            for (conversation, why, instead) in away.entries {
                self.answer(now, conversation, why, instead);
            }
            moves = moves.saturating_sub(1);
            if moves == 0 {
                // A circle, which no configuration that was accepted has.
                self.unchecked.clear();
            }
        }
    }

    fn answer(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        why: Unserved,
        instead: Instead,
    ) {
        let found = self.waiting.iter().position(|r| r.entry.conversation == conversation);
        let Some(at) = found else { return };
        let n = number(conversation.as_uuid());
        match instead {
            Instead::Callback => self.waiting[at].entry.reachable = Reachable::Asked,
            Instead::Form => {
                self.waiting.swap_remove(at);
                // One that an agent has had was served.
                if !matches!(self.ran.fates[n], Fate::Served(_)) {
                    let after = now.since(self.arrivals[n].at);
                    self.ran.fates[n] = Fate::TurnedAway { why, after };
                }
            }
            Instead::Queue(name) => {
                self.waiting.swap_remove(at);
                let reason = QueuedReason::Unserved(why);
                self.wait(n, name, Some(conversation::Arrival { at: now, reason }));
            }
        }
    }

    fn due(&mut self, due: Option<Timestamp>) {
        if let Some(due) = due
            && self.next_due.is_none_or(|next| due < next)
        {
            self.next_due = Some(due);
            self.events.push(Reverse((due, Event::Due)));
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
        if !self.waiting.is_empty() {
            self.due(due.filter(|due| *due > now));
        }
    }

    fn begin(&mut self, now: Timestamp, request: &Request, agent: usize) {
        let n = number(request.entry.conversation.as_uuid());
        let (arrival, queue) = (&self.arrivals[n], &self.centre.queues[&request.queue]);
        let view = Arc::make_mut(&mut self.seats[agent].agent);
        let ideal = queue.rules.needs.ideal();
        let skilled = ideal.is_none_or(|skills| view.profile.skills.satisfy(skills));
        let slots = request.entry.weight;
        view.load += slots;
        view.idle_since = now;
        let came_at = request.entry.arrival.map_or(arrival.at, |a| a.at);
        match self.ran.fates[n] {
            Fate::Served(_) => self.ran.again.push((request.queue.clone(), now.since(came_at))),
            _ => {
                let wait = now.since(arrival.at);
                self.ran.fates[n] = Fate::Served(Served { wait, agent, skilled });
            }
        }
        let course = &mut self.courses[n];
        let leg = course.legs.checked_sub(1).map(|leg| &arrival.then[leg]);
        let handling = leg.map_or(arrival.handling, |leg| leg.handling);
        let hands_on = self.centre.hands_on_after;
        let hands_on = hands_on.filter(|_| !skilled && course.handed_on_by.is_none());
        course.passes = hands_on.is_some();
        let percent = if skilled { 100 } else { u64::from(self.centre.unskilled_percent) };
        let work = hands_on.unwrap_or(Millis::new(handling.get() * percent / 100));
        let (left, queue) = (work.get().max(1) as f64, request.queue.clone());
        self.keep_up(now, agent);
        self.hands[agent].chats.push(Chat { n, left, since: now, queue, slots });
        self.plan(now, agent);
    }

    /// Takes what an agent has done since it was last looked at from what is left.
    fn keep_up(&mut self, now: Timestamp, agent: usize) {
        let hands = &mut self.hands[agent];
        let speed = self.centre.pace.speed(hands.chats.len());
        let done = now.since(std::mem::replace(&mut hands.at, now)).get() as f64 * speed;
        hands.chats.iter_mut().for_each(|chat| chat.left -= done);
    }

    /// Says when an agent is done next.
    fn plan(&mut self, now: Timestamp, agent: usize) {
        let hands = &mut self.hands[agent];
        hands.round += 1;
        let speed = self.centre.pace.speed(hands.chats.len());
        let least = hands.chats.iter().map(|chat| chat.left).min_by(f64::total_cmp);
        if let Some(least) = least {
            let after = Millis::new((least / speed).ceil().max(1.0) as u64);
            let round = hands.round;
            self.events.push(Reverse((now + after, Event::Done { agent, round })));
        }
    }

    fn done(&mut self, now: Timestamp, agent: usize, choice: &mut dyn Choice) {
        /// Less than this is the rounding of floating-point numbers.
        const NOTHING: f64 = 1e-6;
        self.keep_up(now, agent);
        let chats = std::mem::take(&mut self.hands[agent].chats);
        let (over, rest) = chats.into_iter().partition(|chat| chat.left <= NOTHING);
        self.hands[agent].chats = rest;
        self.plan(now, agent);
        let over: Vec<Chat> = over;
        for chat in over {
            self.leave(now, agent, chat, choice);
        }
    }

    fn leave(&mut self, now: Timestamp, agent: usize, chat: Chat, choice: &mut dyn Choice) {
        let wrap_up = self.centre.queues[&chat.queue].wrap_up;
        let (had, slots) = (now.since(chat.since), chat.slots);
        self.ran.took(agent, &chat.queue, had, slots);
        choice.ended(&chat.queue, now, had);
        if wrap_up == Millis::ZERO {
            Arc::make_mut(&mut self.seats[agent].agent).load -= slots;
        } else {
            self.events.push(Reverse((now + wrap_up, Event::Freed { agent, slots })));
        }
        let course = &mut self.courses[chat.n];
        let to = if std::mem::take(&mut course.passes) {
            course.handed_on_by = Some(agent);
            Some(&chat.queue)
        } else {
            let next: Option<&Leg> = self.arrivals[chat.n].then.get(course.legs);
            course.legs += 1;
            next.map(|leg| &leg.queue)
        };
        if let Some(queue) = to.cloned() {
            self.ran.handed_on += 1;
            let arrival = conversation::Arrival { at: now, reason: QueuedReason::Transferred };
            self.wait(chat.n, queue, Some(arrival));
        }
    }
}

fn named(n: usize) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn agent_id(n: usize) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(n as u128 + 1))
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
        id: agent_id(n),
        profile: staff.profile.clone(),
        status: AgentStatus::Away,
        reason: Arc::from(""),
        since: zero,
        load: 0,
        reservations: Vec::new(),
        idle_since: zero,
        gateways: vec![(gateway, 1)],
        revision: 1,
        assigned_at: zero,
        missed: 0,
    };
    Seat::new(Arc::new(agent))
}
