//! Appends that go together: those of one conversation, one behind the other,
//! make a unit. Pure.

use super::append::{Refused, Unit};
use super::lane::Waiting;
use crate::journal::{Append, AppendOutcome};
use crate::traced::GroupSpans;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use std::collections::HashMap;

/// What is appended with one statement, in the order of the calls.
#[derive(Default)]
pub(super) struct Group {
    units: Vec<Vec<Waiting>>,
    /// The unit of each conversation, and how far it gets.
    ends: HashMap<ConversationId, (usize, Seq, Epoch)>,
    appends: usize,
}

/// A group without the units that stood in its way.
pub(super) struct Split {
    pub(super) rest: Group,
    /// Units of one append, and what it came to.
    pub(super) single: Vec<(Waiting, AppendOutcome)>,
    /// Appends of larger units, each to be tried by itself, in order.
    pub(super) several: Vec<Waiting>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    pub(super) fn appends(&self) -> usize {
        self.appends
    }

    /// The commit of it, in the traces of what is in it.
    pub(super) fn spans(&self) -> GroupSpans {
        GroupSpans::begin(self.units.iter().flatten().map(|waiting| &waiting.append))
    }

    pub(super) fn records(&self) -> u64 {
        self.units.iter().flatten().map(|waiting| waiting.append.records.len() as u64).sum()
    }

    /// Whether the append is the first of its conversation, or follows on what is
    /// here. Any other has to wait for how this group ends.
    pub(super) fn fits(&self, append: &Append) -> bool {
        match self.ends.get(&append.conversation) {
            Some((_, end, epoch)) => *end == append.expected_head && *epoch == append.epoch,
            None => true,
        }
    }

    /// Adds one that fits.
    pub(super) fn add(&mut self, waiting: Waiting) {
        let append = &waiting.append;
        let end = append.records.last().map_or(append.expected_head, |record| record.seq);
        let fresh = (self.units.len(), end, append.epoch);
        let place = self.ends.entry(append.conversation).or_insert(fresh);
        place.1 = end;
        if place.0 == self.units.len() {
            self.units.push(Vec::new());
        }
        self.units[place.0].push(waiting);
        self.appends += 1;
    }

    pub(super) fn units(&self) -> Vec<Unit<'_>> {
        self.units.iter().map(|unit| Unit::of_all(unit)).collect()
    }

    pub(super) fn into_appends(self) -> impl Iterator<Item = Waiting> {
        self.units.into_iter().flatten()
    }

    /// Takes out the units that stood in the way.
    pub(super) fn split(self, refused: Vec<Refused>) -> Split {
        let outcomes: HashMap<usize, Option<AppendOutcome>> =
            refused.into_iter().map(|refused| (refused.unit, refused.outcome)).collect();
        let mut split = Split { rest: Self::default(), single: Vec::new(), several: Vec::new() };
        for (n, mut unit) in self.units.into_iter().enumerate() {
            match outcomes.get(&n) {
                None => unit.into_iter().for_each(|waiting| split.rest.add(waiting)),
                Some(Some(outcome)) if unit.len() == 1 => {
                    split.single.extend(unit.pop().map(|waiting| (waiting, outcome.clone())));
                }
                Some(_) => split.several.extend(unit),
            }
        }
        split
    }
}
