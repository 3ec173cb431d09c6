//! The search for an order.

use super::bits::Bits;
use super::{Failure, Model, Operation, Outcome, Violation};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::time::Duration;

/// States tried for one object before the search gives up: about 500 MB.
const MOST_STATES: usize = 500_000;

/// What a history that passed took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Objects in it.
    pub objects: usize,
    /// States tried for all of them.
    pub explored: usize,
}

/// Checks every object of a history, whose operations may come in any order.
/// Panics when an operation returned before it was called.
pub fn check<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
) -> Result<Checked, Failure> {
    check_within(MOST_STATES, model, history)
}

/// As `check`, trying at most so many states for an object.
pub fn check_within<M: Model>(
    most_states: usize,
    model: &M,
    history: &[Operation<M::Input, M::Output>],
) -> Result<Checked, Failure> {
    let mut parts: BTreeMap<M::Key, Vec<usize>> = BTreeMap::new();
    for (number, operation) in history.iter().enumerate() {
        parts.entry(model.key(&operation.input)).or_default().push(number);
    }
    let mut checked = Checked { objects: parts.len(), explored: 0 };
    for (key, part) in parts {
        checked.explored += Search::new(model, history, key, part).run(most_states)?;
    }
    Ok(checked)
}

/// An operation that was answered.
struct Answered {
    number: usize,
    invoked: Duration,
    returned: Duration,
}

/// An operation with an unknown outcome.
struct Open {
    number: usize,
    invoked: Duration,
}

/// Operations that were put in order, and where that leads.
struct Tried<S> {
    /// Of those answered, by position.
    placed: Bits,
    placed_count: usize,
    /// Of the open ones, by position.
    used: Bits,
    used_count: usize,
    state: S,
    /// The operation put last and what was tried before it.
    last: Option<(usize, usize)>,
}

struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Operation<M::Input, M::Output>],
    key: M::Key,
    /// Both by time of call.
    answered: Vec<Answered>,
    open: Vec<Open>,
    tried: Vec<Tried<M::State>>,
    /// For each set of answered operations and state, the sets of open ones used.
    seen: HashMap<(Bits, M::State), Vec<Bits>>,
    /// First what explains most with the fewest open operations, so that a guess
    /// is made only where the answers demand one.
    next: BinaryHeap<(usize, Reverse<usize>, usize)>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(
        model: &'a M,
        history: &'a [Operation<M::Input, M::Output>],
        key: M::Key,
        mut part: Vec<usize>,
    ) -> Self {
        part.sort_by_key(|number| history[*number].invoked);
        let (mut answered, mut open) = (Vec::new(), Vec::new());
        for number in part {
            let invoked = history[number].invoked;
            match &history[number].outcome {
                Outcome::Returned { at, .. } => {
                    assert!(*at >= invoked, "returned before its call: {}", history[number]);
                    answered.push(Answered { number, invoked, returned: *at });
                }
                Outcome::Unknown => open.push(Open { number, invoked }),
            }
        }
        let (tried, seen, next) = (Vec::new(), HashMap::new(), BinaryHeap::new());
        Self { model, history, key, answered, open, tried, seen, next }
    }

    /// Gives how many states were tried.
    fn run(mut self, most_states: usize) -> Result<usize, Failure> {
        self.keep(Tried {
            placed: Bits::default(),
            placed_count: 0,
            used: Bits::default(),
            used_count: 0,
            state: self.model.initial(&self.key),
            last: None,
        });
        let mut best = 0;
        while let Some((placed_count, _, index)) = self.next.pop() {
            if placed_count == self.answered.len() {
                return Ok(self.tried.len());
            }
            if self.tried.len() > most_states {
                let key = format!("{:?}", self.key);
                return Err(Failure::Undecided { key, explored: self.tried.len() });
            }
            if placed_count > self.tried[best].placed_count {
                best = index;
            }
            self.extend(index);
        }
        Err(Failure::Violated(Box::new(self.violation(best))))
    }

    /// Puts every operation next that can come next.
    fn extend(&mut self, index: usize) {
        let (answered, open) = self.candidates(&self.tried[index]);
        let mut followers = Vec::new();
        for position in answered {
            let tried = &self.tried[index];
            let number = self.answered[position].number;
            let Some(state) = self.step(tried, number) else { continue };
            followers.push(Tried {
                placed: tried.placed.with(position),
                placed_count: tried.placed_count + 1,
                used: tried.used.clone(),
                used_count: tried.used_count,
                state,
                last: Some((number, index)),
            });
        }
        for position in open {
            let tried = &self.tried[index];
            let number = self.open[position].number;
            let Some(state) = self.step(tried, number) else { continue };
            followers.push(Tried {
                placed: tried.placed.clone(),
                placed_count: tried.placed_count,
                used: tried.used.with(position),
                used_count: tried.used_count + 1,
                state,
                last: Some((number, index)),
            });
        }
        followers.into_iter().for_each(|follower| self.keep(follower));
    }

    /// The positions of the operations, answered and open, that were called before
    /// any that is not placed returned.
    fn candidates(&self, tried: &Tried<M::State>) -> (Vec<usize>, Vec<usize>) {
        let mut first_return = Duration::MAX;
        let mut answered = Vec::new();
        let from = tried.placed.first_absent();
        for (position, operation) in self.answered.iter().enumerate().skip(from) {
            if operation.invoked > first_return {
                break;
            }
            if !tried.placed.contains(position) {
                first_return = first_return.min(operation.returned);
                answered.push(position);
            }
        }
        let called = self.open.iter().take_while(|o| o.invoked <= first_return).count();
        let open = (0..called).filter(|position| !tried.used.contains(*position)).collect();
        (answered, open)
    }

    fn step(&self, tried: &Tried<M::State>, number: usize) -> Option<M::State> {
        let operation = &self.history[number];
        let output = match &operation.outcome {
            Outcome::Returned { output, .. } => Some(output),
            Outcome::Unknown => None,
        };
        self.model.step(&tried.state, &operation.input, output)
    }

    /// Keeps it for later, unless the same was reached with no open operation that
    /// was not used here as well: whatever follows here follows there.
    fn keep(&mut self, tried: Tried<M::State>) {
        let seen = self.seen.entry((tried.placed.clone(), tried.state.clone())).or_default();
        if seen.iter().any(|used| used.is_subset(&tried.used)) {
            return;
        }
        seen.push(tried.used.clone());
        self.next.push((tried.placed_count, Reverse(tried.used_count), self.tried.len()));
        self.tried.push(tried);
    }

    fn violation(&self, best: usize) -> Violation {
        let (answered, open) = self.candidates(&self.tried[best]);
        let (mut prefix, mut states) = (Vec::new(), Vec::new());
        let mut at = &self.tried[best];
        while let Some((number, before)) = at.last {
            prefix.push(number);
            states.push(at.state.clone());
            at = &self.tried[before];
        }
        states.push(at.state.clone());
        prefix.reverse();
        states.reverse();
        Violation::new(
            format!("{:?}", self.key),
            self.history,
            (prefix, states),
            answered.into_iter().map(|position| self.answered[position].number).collect(),
            open.into_iter().map(|position| self.open[position].number).collect(),
        )
    }
}
