//! Conversations that need the same are one class: the agents who suit it are kept in
//! their order, so that each conversation looks only at the first. Within a round room
//! only shrinks and ranks only grow; that keeps the order cheap.

use super::needed::Needed;
use super::place::{Place, Rank};
use super::{Request, Rules};
use crate::ids::{AgentId, QueueId};
use crate::language::Language;
use crate::skill::Skills;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ptr;

/// Where agents stand in the list of seats.
pub(super) type Index = usize;

/// Who serves which queue, and who is who.
pub(super) struct Served<'a> {
    by_id: HashMap<AgentId, Index>,
    /// Numbers of the queues in which anyone waits.
    queues: HashMap<&'a QueueId, usize>,
    /// By number of the queue.
    serving: Vec<Vec<Index>>,
}

impl<'a> Served<'a> {
    pub(super) fn new(requests: &'a [Request], places: &[Place<'_>]) -> Self {
        let mut queues: HashMap<&QueueId, usize> = HashMap::new();
        for request in requests {
            let next = queues.len();
            queues.entry(&request.queue).or_insert(next);
        }
        let mut serving = vec![Vec::new(); queues.len()];
        for (i, place) in places.iter().enumerate() {
            match place.agent.profile.queues.as_slice() {
                [] => serving.iter_mut().for_each(|agents: &mut Vec<_>| agents.push(i)),
                named => {
                    for queue in named.iter().filter_map(|name| queues.get(name)) {
                        // Named twice it serves it once.
                        if serving[*queue].last() != Some(&i) {
                            serving[*queue].push(i);
                        }
                    }
                }
            }
        }
        let by_id = places.iter().enumerate().map(|(i, place)| (place.agent.id, i)).collect();
        Self { by_id, queues, serving }
    }

    pub(super) fn place(&self, agent: AgentId) -> Option<Index> {
        self.by_id.get(&agent).copied()
    }

    pub(super) fn queue(&self, request: &Request) -> usize {
        // Every request's queue has been given a number.
        self.queues.get(&request.queue).copied().unwrap_or(usize::MAX)
    }

    pub(super) fn serving(&self, queue: usize) -> &[Index] {
        self.serving.get(queue).map_or(&[], Vec::as_slice)
    }
}

/// What conversations have to have in common.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct ClassKey<'r> {
    queue: usize,
    /// Which rules: they live as long as the requests.
    rules: *const Rules,
    step: Option<usize>,
    language: Option<&'r Language>,
    asked: Option<&'r Skills>,
    weight: u32,
}

impl<'r> ClassKey<'r> {
    pub(super) fn new(queue: usize, request: &'r Request, needed: &Needed<'r>) -> Self {
        Self {
            queue,
            rules: ptr::from_ref(&*request.rules),
            step: needed.step,
            language: needed.language,
            asked: needed.asked,
            weight: request.entry.weight,
        }
    }
}

/// Those who suit a class, the first to be asked first; ranks may be out of date.
#[derive(Default)]
pub(super) struct Class {
    order: BinaryHeap<Reverse<(Rank, Index)>>,
    /// Assignments of the round when nobody's slots could be saved for it.
    pub(super) nothing_saved_at: Option<usize>,
}

impl Class {
    pub(super) fn new(suitable: impl Iterator<Item = (Rank, Index)>) -> Self {
        Self { order: suitable.map(Reverse).collect(), nothing_saved_at: None }
    }

    /// The first whom `may` allows. `rank` gives the rank as it is now, `None` for one
    /// who will not suit the class again in this round.
    pub(super) fn first(
        &mut self,
        rank: impl Fn(Index) -> Option<Rank>,
        may: impl Fn(Index) -> bool,
    ) -> Option<Index> {
        let mut passed = Vec::new();
        let mut found = None;
        while let Some(Reverse((known, i))) = self.order.pop() {
            let Some(now) = rank(i) else { continue };
            if now != known {
                self.order.push(Reverse((now, i)));
                continue;
            }
            passed.push(Reverse((now, i)));
            if may(i) {
                found = Some(i);
                break;
            }
        }
        self.order.extend(passed);
        found
    }
}
