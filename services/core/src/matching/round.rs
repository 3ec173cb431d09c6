//! One round in the making: the seats with what this round has given them.

use super::classes::{Class, ClassKey, Index, Served};
use super::needed::{Needed, Wish, needed, next_after};
use super::place::{Place, Rank};
use super::{Assignment, Decision, MAX_VERDICTS, Rejection, Request, Rules, Seat, Trace, Verdict};
use crate::ids::AgentId;
use crate::language::Language;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) struct Round<'a> {
    places: Vec<Place<'a>>,
    served: Served<'a>,
    /// Places that something can still be asked of: of all, and by queue.
    open: usize,
    open_of: Vec<usize>,
    /// Whether anyone signed in has what is needed, as far as it has been asked.
    somebody: HashMap<ClassKey<'a>, bool>,
    classes: HashMap<ClassKey<'a>, Class>,
    /// Why each agent does not suit a class at all, where that has been told.
    unsuited: HashMap<ClassKey<'a>, Arc<[Option<Rejection>]>>,
    /// Conversations of a queue that agents have, where that is limited.
    active: HashMap<usize, u32>,
    /// Conversations of a queue that an agent was given in this round.
    given: HashMap<(Index, usize), u32>,
    now: Timestamp,
    decision: Decision,
    /// Verdicts on conversations that nobody gets.
    verdicts: usize,
}

/// What one conversation asks of an agent at this moment.
struct Ask<'r> {
    queue: usize,
    needed: Needed<'r>,
    /// The agent a transfer named, while it is to wait for that one.
    target: Option<AgentId>,
    /// The agent of before, while it is to wait for that one.
    previous: Option<AgentId>,
    /// The queue has as many conversations with agents as it may.
    is_full: bool,
    too_soon: bool,
}

/// Who gets a conversation.
struct Choice {
    agent: Option<Index>,
    /// There is one to ask among those who have not refused.
    others_left: bool,
}

impl<'a> Round<'a> {
    pub(super) fn new(requests: &'a [Request], seats: &'a [Seat], now: Timestamp) -> Self {
        let places: Vec<Place<'_>> = seats.iter().map(Place::new).collect();
        let served = Served::new(requests, &places);
        let open = places.iter().filter(|place| place.is_open()).count();
        let queues = requests.iter().map(|r| served.queue(r) + 1).max().unwrap_or(0);
        let is_open = |i: &&Index| places[**i].is_open();
        let open_of =
            (0..queues).map(|queue| served.serving(queue).iter().filter(is_open).count()).collect();
        Self {
            places,
            served,
            open,
            open_of,
            somebody: HashMap::new(),
            classes: HashMap::new(),
            unsuited: HashMap::new(),
            active: HashMap::new(),
            given: HashMap::new(),
            now,
            decision: Decision::default(),
            verdicts: 0,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.open > 0
    }

    pub(super) fn assigned(&self) -> usize {
        self.decision.assignments.len()
    }

    pub(super) fn finish(self) -> Decision {
        self.decision
    }

    pub(super) fn serve(&mut self, request: &'a Request) {
        let queue = self.served.queue(request);
        let explains = self.verdicts + self.places.len() <= MAX_VERDICTS;
        let nobody_is_open = self.open_of[queue] == 0 && request.entry.target.is_none();
        if nobody_is_open && !explains {
            // Whoever becomes free makes for another round.
            return;
        }
        let ask = self.ask(request, queue);
        let choice = self.choose(request, &ask);
        if choice.agent.is_some() || explains {
            self.explain(request, &ask, &choice);
        }
        match choice.agent {
            Some(i) => self.assign(request, queue, i),
            None => {
                self.note_due(request, &ask);
                self.save_for(request, &ask, &choice);
            }
        }
    }

    fn ask(&mut self, request: &'a Request, queue: usize) -> Ask<'a> {
        let (entry, rules): (_, &Rules) = (&request.entry, &request.rules);
        let now = self.now;
        let needed = self.needed(request, queue);
        let there = |id: &AgentId| {
            self.served.place(*id).map(|i| &self.places[i]).filter(|place| place.is_there())
        };
        let target = entry.target.filter(|(_, until)| now < *until).map(|(agent, _)| agent);
        let is_held = now < entry.held_since() + rules.hold_for_previous;
        let previous = entry.previous.filter(|id| is_held && !entry.excluded.contains(id));
        let would_do =
            |id: &AgentId| there(id).is_some_and(|place| suits(place, request, &needed).is_none());
        Ask {
            queue,
            target: target.filter(|id| there(id).is_some()),
            previous: previous.filter(would_do),
            is_full: self.is_full(request, queue),
            too_soon: request.ask_again_at.is_some_and(|at| now < at),
            needed,
        }
    }

    fn needed(&mut self, request: &'a Request, queue: usize) -> Needed<'a> {
        let (places, served) = (&self.places, &self.served);
        let known = &mut self.somebody;
        let somebody = |step: Option<usize>, language: Option<&'a Language>| {
            let needed = Needed::of(request, step, language);
            let has =
                |i: &Index| places[*i].is_there() && suits(&places[*i], request, &needed).is_none();
            let key = ClassKey::new(queue, request, &needed);
            *known.entry(key).or_insert_with(|| served.serving(queue).iter().any(has))
        };
        let wish = Wish::of(&request.rules, &request.entry);
        needed(wish, self.now.since(request.entry.waiting_since), somebody)
    }

    fn is_full(&mut self, request: &Request, queue: usize) -> bool {
        let Some(max) = request.rules.max_active else { return false };
        let places = &self.places;
        let count = || places.iter().map(|place| place.active(&request.queue)).sum();
        *self.active.entry(queue).or_insert_with(count) >= max
    }

    /// Whether an agent has as many conversations of a queue as it may.
    fn is_at_cap(&self, request: &Request, queue: usize, i: Index) -> bool {
        let place = &self.places[i];
        let cap = place.agent.cap(&request.queue, request.rules.max_per_agent);
        cap.is_some_and(|cap| {
            let given = self.given.get(&(i, queue)).copied().unwrap_or_default();
            place.had(&request.queue).saturating_add(given) >= cap
        })
    }

    /// Why this agent cannot be asked now, whoever else could.
    fn obstacle(&self, request: &Request, queue: usize, i: Index) -> Option<Rejection> {
        let place = &self.places[i];
        if !place.is_online {
            return Some(Rejection::NotOnline);
        }
        if place.saved {
            return Some(Rejection::Saved);
        }
        if self.is_at_cap(request, queue, i) {
            return Some(Rejection::QueueCap);
        }
        (place.free < request.entry.weight).then_some(Rejection::NoRoom)
    }

    fn choose(&mut self, request: &'a Request, ask: &Ask<'a>) -> Choice {
        let nobody = Choice { agent: None, others_left: false };
        if ask.is_full {
            return nobody;
        }
        let free = |id: AgentId| {
            let found = self.served.place(id);
            found.filter(|i| self.obstacle(request, ask.queue, *i).is_none())
        };
        if let Some(only) = ask.target.or(ask.previous) {
            return Choice { agent: free(only), ..nobody };
        }
        let excluded = &request.entry.excluded;
        let suitable = |id: AgentId| {
            free(id).filter(|i| suits(&self.places[*i], request, &ask.needed).is_none())
        };
        let stays = request.entry.previous.filter(|id| !excluded.contains(id));
        let again = stays.and_then(suitable);
        let refused = excluded.iter().copied().find_map(suitable);
        if let Some(found) = again.or_else(|| self.first_of_class(request, ask)) {
            return Choice { agent: Some(found), others_left: true };
        }
        // Of those who refused, the one longest ago; and not at once.
        Choice { agent: refused.filter(|_| !ask.too_soon), others_left: false }
    }

    /// The first in rank of those who suit it and have not refused.
    fn first_of_class(&mut self, request: &'a Request, ask: &Ask<'a>) -> Option<Index> {
        if self.open_of[ask.queue] == 0 {
            return None;
        }
        let key = ClassKey::new(ask.queue, request, &ask.needed);
        let mut class = match self.classes.remove(&key) {
            Some(class) => class,
            None => self.class(request, ask),
        };
        let rank = |i: Index| self.rank_if_free(request, ask.queue, i);
        let may = |i: Index| !request.entry.excluded.contains(&self.places[i].agent.id);
        let found = class.first(rank, may);
        self.classes.insert(key, class);
        found
    }

    fn class(&self, request: &Request, ask: &Ask<'_>) -> Class {
        let serving = self.served.serving(ask.queue).iter().copied();
        let suitable = serving.filter_map(|i| {
            let rank = self.rank_if_free(request, ask.queue, i)?;
            suits(&self.places[i], request, &ask.needed).is_none().then_some((rank, i))
        });
        Class::new(suitable)
    }

    fn rank_if_free(&self, request: &Request, queue: usize, i: Index) -> Option<Rank> {
        let place = &self.places[i];
        let is_free = place.is_open() && self.obstacle(request, queue, i).is_none();
        is_free.then(|| place.rank(request))
    }

    fn refusal(
        &self,
        request: &Request,
        ask: &Ask<'_>,
        choice: &Choice,
        (i, unsuited): (Index, Option<Rejection>),
    ) -> Option<Rejection> {
        let place = &self.places[i];
        if let Some(target) = ask.target {
            // A transfer may name an agent of any queue.
            if target != place.agent.id {
                return Some(Rejection::HeldForTarget);
            }
        } else {
            if unsuited.is_some() {
                return unsuited;
            }
            if ask.previous.is_some_and(|previous| previous != place.agent.id) {
                return Some(Rejection::HeldForPrevious);
            }
        }
        if ask.is_full {
            return Some(Rejection::QueueFull);
        }
        let is_excluded = request.entry.excluded.contains(&place.agent.id);
        if place.is_online && ask.target.is_none() && is_excluded {
            if choice.others_left {
                return Some(Rejection::Excluded);
            }
            if ask.too_soon {
                return Some(Rejection::AskedJustNow);
            }
        }
        self.obstacle(request, ask.queue, i)
    }

    /// The same for all of a class: told for each of them, but found once.
    fn unsuited(&mut self, request: &'a Request, ask: &Ask<'a>) -> Arc<[Option<Rejection>]> {
        let places = &self.places;
        let all = || places.iter().map(|place| suits(place, request, &ask.needed)).collect();
        let key = ClassKey::new(ask.queue, request, &ask.needed);
        self.unsuited.entry(key).or_insert_with(all).clone()
    }

    fn explain(&mut self, request: &'a Request, ask: &Ask<'a>, choice: &Choice) {
        let unsuited = self.unsuited(request, ask);
        let verdict = |i: Index| match self.refusal(request, ask, choice, (i, unsuited[i])) {
            Some(why) => Verdict::Rejected(why),
            None if Some(i) == choice.agent => Verdict::Chosen,
            None => Verdict::Rejected(Rejection::Outranked),
        };
        let places = self.places.iter().enumerate();
        let candidates: Vec<_> = places.map(|(i, place)| (place.agent.id, verdict(i))).collect();
        let chosen = |c: &&(AgentId, Verdict)| c.1 == Verdict::Chosen;
        debug_assert_eq!(
            candidates.iter().filter(chosen).count(),
            usize::from(choice.agent.is_some()),
            "who is chosen is not rejected"
        );
        if choice.agent.is_none() {
            self.verdicts += candidates.len();
        }
        self.decision.traces.push(Trace {
            conversation: request.entry.conversation,
            required: ask.needed.all_skills(),
            language: ask.needed.language.cloned(),
            candidates,
        });
    }

    fn note_due(&mut self, request: &Request, ask: &Ask<'_>) {
        if self.open_of[ask.queue] == 0 {
            // Whoever becomes free makes for another round.
            return;
        }
        let (entry, rules): (_, &Rules) = (&request.entry, &request.rules);
        let since = entry.waiting_since;
        let dues = [
            entry.target.map(|(_, until)| until).filter(|_| ask.target.is_some()),
            ask.previous.map(|_| entry.held_since() + rules.hold_for_previous),
            request.ask_again_at.filter(|_| ask.too_soon && !entry.excluded.is_empty()),
            next_after(request, self.now.since(since)).map(|after| since + after),
        ];
        let dues = dues.into_iter().flatten().filter(|due| *due > self.now);
        self.decision.due = dues.chain(self.decision.due).min();
    }

    fn assign(&mut self, request: &Request, queue: usize, i: Index) {
        let weight = request.entry.weight;
        let was_open = self.places[i].is_open();
        self.places[i].give(weight);
        if was_open && !self.places[i].is_open() {
            self.closed(i);
        }
        *self.given.entry((i, queue)).or_default() += 1;
        if let Some(active) = self.active.get_mut(&queue) {
            *active += 1;
        }
        self.decision.assignments.push(Assignment {
            conversation: request.entry.conversation,
            queue: request.queue.clone(),
            agent: self.places[i].agent.id,
            weight,
        });
    }

    /// Nothing can be asked of this one any more.
    fn closed(&mut self, i: Index) {
        self.open -= 1;
        for (queue, open) in self.open_of.iter_mut().enumerate() {
            // In the order of seats, as they were gone through.
            if self.served.serving(queue).binary_search(&i).is_ok() {
                *open -= 1;
            }
        }
    }

    /// One too heavy for what is free now gets the roomiest agent's next slots,
    /// or lighter ones behind it would take them for ever.
    fn save_for(&mut self, request: &'a Request, ask: &Ask<'a>, choice: &Choice) {
        let weight = request.entry.weight;
        // One slot is either free or not.
        if weight <= 1 || ask.is_full {
            return;
        }
        let assigned = self.assigned();
        let key = ClassKey::new(ask.queue, request, &ask.needed);
        let is_held = ask.target.or(ask.previous).is_some();
        let is_plain = !is_held && request.entry.excluded.is_empty();
        let is_known = |class: &Class| class.nothing_saved_at == Some(assigned);
        if is_plain && self.classes.get(&key).is_some_and(is_known) {
            return;
        }
        let could_fit = |i: &Index| {
            let place = &self.places[*i];
            let refusal = || {
                let unsuited = suits(place, request, &ask.needed);
                self.refusal(request, ask, choice, (*i, unsuited))
            };
            place.is_open()
                && place.agent.profile.capacity >= weight
                && refusal() == Some(Rejection::NoRoom)
        };
        let serving = self.served.serving(ask.queue).iter().copied();
        let target = ask.target.and_then(|id| self.served.place(id));
        let roomiest = target
            .into_iter()
            .chain(serving)
            .filter(could_fit)
            .max_by_key(|i| (self.places[*i].free, *i));
        match roomiest {
            Some(i) => {
                self.places[i].saved = true;
                self.closed(i);
            }
            None if is_plain => {
                if let Some(class) = self.classes.get_mut(&key) {
                    class.nothing_saved_at = Some(assigned);
                }
            }
            None => {}
        }
    }
}

/// Why an agent does not suit a conversation at all, busy or not.
fn suits(place: &Place<'_>, request: &Request, needed: &Needed<'_>) -> Option<Rejection> {
    if !place.agent.serves(&request.queue) {
        return Some(Rejection::NotServing);
    }
    needed.lacked_by(place.agent)
}
