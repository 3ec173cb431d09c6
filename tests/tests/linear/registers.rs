//! The checker against brute force, on small histories of registers.

use frontdesk_tests::linear::{Failure, Model, Operation, Outcome, check};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

/// Registers that begin with 0.
pub(crate) struct Registers;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write { register: u8, value: u8 },
    Read { register: u8 },
}

/// What was read; nothing for a write.
pub(crate) type Seen = Option<u8>;
pub(crate) type Step = Operation<Access, Seen>;

impl Model for Registers {
    type Key = u8;
    type State = u8;
    type Input = Access;
    type Output = Seen;

    fn key(&self, input: &Access) -> u8 {
        match *input {
            Access::Write { register, .. } | Access::Read { register } => register,
        }
    }

    fn initial(&self, _: &u8) -> u8 {
        0
    }

    fn step(&self, state: &u8, input: &Access, output: Option<&Seen>) -> Option<u8> {
        match (*input, output) {
            (Access::Write { value, .. }, _) => Some(value),
            (Access::Read { .. }, None) => Some(*state),
            (Access::Read { .. }, Some(seen)) => (*seen == Some(*state)).then_some(*state),
        }
    }
}

pub(crate) fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Whether any order at all explains the history: every permutation of what was
/// answered and any of the rest.
fn explained_by_any_order(history: &[Step], order: &mut Vec<usize>) -> bool {
    let left = |number: &usize| !order.contains(number);
    let open = |number: usize| history[number].outcome == Outcome::Unknown;
    if (0..history.len()).filter(left).all(open) && is_explained_by(history, order) {
        return true;
    }
    for number in (0..history.len()).filter(left).collect::<Vec<_>>() {
        order.push(number);
        let found = explained_by_any_order(history, order);
        order.pop();
        if found {
            return true;
        }
    }
    false
}

fn is_explained_by(history: &[Step], order: &[usize]) -> bool {
    keeps_real_time(history, order)
        && [0, 1].iter().all(|register| replays(history, order, *register))
}

/// Whether nothing stands behind what was called only after it had returned.
fn keeps_real_time(history: &[Step], order: &[usize]) -> bool {
    order.iter().enumerate().all(|(position, first)| {
        order[position..].iter().all(|later| match history[*later].outcome {
            Outcome::Returned { at, .. } => at >= history[*first].invoked,
            Outcome::Unknown => true,
        })
    })
}

fn replays(history: &[Step], order: &[usize], register: u8) -> bool {
    let mut state = Registers.initial(&register);
    for step in order.iter().map(|number| &history[*number]) {
        if Registers.key(&step.input) != register {
            continue;
        }
        let output = match &step.outcome {
            Outcome::Returned { output, .. } => Some(output),
            Outcome::Unknown => None,
        };
        match Registers.step(&state, &step.input, output) {
            Some(after) => state = after,
            None => return false,
        }
    }
    true
}

fn any_step() -> impl Strategy<Value = Step> {
    let input = prop_oneof![
        (0..2u8, 0..3u8).prop_map(|(register, value)| Access::Write { register, value }),
        (0..2u8).prop_map(|register| Access::Read { register }),
    ];
    (input, 0..12u64, prop::option::weighted(0.75, 0..6u64), 0..3u8).prop_map(
        |(input, invoked, took, value)| {
            let output = matches!(input, Access::Read { .. }).then_some(value);
            let outcome = match took {
                Some(took) => Outcome::Returned { at: at(invoked + took), output },
                None => Outcome::Unknown,
            };
            Operation { process: 0, input, invoked: at(invoked), outcome }
        },
    )
}

/// What really happened, one after the other, each seen from a little before to a
/// little after.
fn true_history() -> impl Strategy<Value = Vec<Step>> {
    let step = (any_step(), 0..20u64, 0..20u64);
    vec(step, 0..300).prop_map(|steps| {
        let mut registers = [0; 2];
        let happened = steps.into_iter().enumerate();
        let recorded = happened.map(|(n, (mut step, early, late))| {
            let now = 50 + 5 * n as u64;
            let output = match step.input {
                Access::Write { register, value } => {
                    registers[usize::from(register)] = value;
                    None
                }
                Access::Read { register } => Some(registers[usize::from(register)]),
            };
            step.invoked = at(now - early);
            if step.outcome != Outcome::Unknown {
                step.outcome = Outcome::Returned { at: at(now + late), output };
            }
            step
        });
        recorded.collect()
    })
}

proptest! {
    #[test]
    fn finds_an_order_exactly_when_there_is_one(history in vec(any_step(), 0..=6)) {
        let found = check(&Registers, &history);
        prop_assert_eq!(found.is_ok(), explained_by_any_order(&history, &mut Vec::new()));
    }

    #[test]
    fn what_happened_is_linearizable(history in true_history()) {
        let found = check(&Registers, &history);
        prop_assert!(found.is_ok(), "{}", found.expect_err("it is one"));
    }

    #[test]
    fn the_prefix_is_explained_and_what_is_stuck_is_not(history in vec(any_step(), 0..=12)) {
        let Err(Failure::Violated(violation)) = check(&Registers, &history) else { return Ok(()) };
        prop_assert!(is_explained_by(&history, &violation.prefix));
        prop_assert!(!violation.stuck.is_empty());
        for stuck in violation.stuck {
            let longer = [violation.prefix.as_slice(), &[stuck]].concat();
            prop_assert!(!is_explained_by(&history, &longer));
        }
    }
}
