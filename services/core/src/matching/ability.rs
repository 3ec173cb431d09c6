//! Who could take a conversation as it waits, now and when less is needed of them: the
//! room that an estimate of its wait rests on. Decides about nobody.

use super::Rules;
use super::needed::{Needed, Wish, needed};
use crate::ids::QueueId;
use crate::language::Language;
use crate::presence::{AgentStatus, AgentView};
use crate::queue::{Entry, Estimate, Slots};
use crate::skill::Skills;
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;

/// What a conversation needs, and of whom: those that agree in it are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wanted<'r> {
    queue: &'r QueueId,
    step: Option<usize>,
    language: Option<&'r Language>,
    asked: Option<&'r Skills>,
}

/// Those who could take it from some moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Able<'r> {
    /// In so long.
    pub after: Millis,
    /// What is needed then.
    pub wanted: Wanted<'r>,
    /// Their room, in conversations of its weight.
    pub slots: Slots,
}

/// How long one waits whom these could take: by those who could now, or by those who may
/// later, if that is sooner. So many `ahead` of it take slots of its queue, which has
/// `of_queue`; `alike` says how many of them need the same. `by` says how long it takes
/// until so many of some slots have fallen free.
pub fn wait_for<'r>(
    steps: &[Able<'r>],
    (of_queue, ahead): (Slots, f64),
    alike: impl Fn(&Wanted<'r>) -> f64,
    by: impl Fn(f64, Slots) -> Option<Estimate>,
) -> Option<Estimate> {
    let of = |able: &Able<'r>| {
        let behind = able.behind(of_queue, ahead, alike(&able.wanted));
        Some(by(behind, able.slots)?.not_before(able.after))
    };
    steps.iter().filter_map(of).reduce(Estimate::or_sooner)
}

impl Able<'_> {
    /// How many of these slots have to fall free for it. Those `alike` can go nowhere
    /// else; the others ahead go to any of the queue's agents.
    fn behind(&self, of_queue: Slots, ahead: f64, alike: f64) -> f64 {
        let alike = alike.min(ahead);
        let share = f64::from(self.slots.online) / f64::from(of_queue.online.max(1));
        let others = (ahead - alike) * share.min(1.0);
        (alike + others + 1.0 - f64::from(self.slots.free)).max(0.0)
    }
}

/// The agents of a site, asked what they are able to. Remembers its answers: of the many
/// who wait most need the same.
#[derive(Debug)]
pub struct Abilities<'r> {
    agents: Vec<&'r AgentView>,
    /// Their room; `None` when nobody signed in is able to.
    known: HashMap<(Wanted<'r>, u32), Option<Slots>>,
}

impl<'r> Abilities<'r> {
    /// Of these agents; whoever is offline counts for nothing.
    pub fn of(agents: impl IntoIterator<Item = &'r AgentView>) -> Self {
        let is_there = |agent: &&AgentView| agent.status != AgentStatus::Offline;
        Self { agents: agents.into_iter().filter(is_there).collect(), known: HashMap::new() }
    }

    /// Who could take one who waits in a queue: now, and then each time that less is
    /// needed. Empty when whoever serves the queue will do.
    pub fn steps(
        &mut self,
        queue: &'r QueueId,
        rules: &'r Rules,
        entry: &'r Entry,
        now: Timestamp,
    ) -> Vec<Able<'r>> {
        let mut steps = Vec::new();
        let wish = Wish::of(rules, entry);
        if wish.is_plain() {
            return steps;
        }
        let waited = now.since(entry.waiting_since);
        let mut then = waited;
        loop {
            let somebody = |step, language| {
                self.slots(queue, &wish.needed(step, language), entry.weight).is_some()
            };
            let needed = needed(wish, then, somebody);
            let slots = self.slots(queue, &needed, entry.weight).unwrap_or_default();
            let after = Millis::new(then.get() - waited.get());
            steps.push(Able { after, wanted: wanted(queue, &needed), slots });
            match wish.next_after(then) {
                Some(next) => then = next,
                None => return steps,
            }
        }
    }

    fn slots(&mut self, queue: &'r QueueId, needed: &Needed<'r>, weight: u32) -> Option<Slots> {
        let agents = &self.agents;
        let count = || {
            let mut slots = None;
            for agent in agents {
                if agent.serves(queue) && needed.lacked_by(agent).is_none() {
                    slots.get_or_insert_with(Slots::default).add(agent, weight);
                }
            }
            slots
        };
        *self.known.entry((wanted(queue, needed), weight)).or_insert_with(count)
    }
}

fn wanted<'r>(queue: &'r QueueId, needed: &Needed<'r>) -> Wanted<'r> {
    Wanted { queue, step: needed.step, language: needed.language, asked: needed.asked }
}
