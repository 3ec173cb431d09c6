//! One queue: who is in it, in order, with what is asked of it all the time kept beside it,
//! so that no question walks through everyone.

use super::board::{Counts, Placed, Standing};
use super::entry::OrderKey;
use super::estimate::Handling;
use super::ranks::Ranks;
use crate::ids::ConversationId;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    order: BTreeMap<OrderKey, Placed>,
    /// The places of `order`.
    all: Ranks,
    /// Those of them that are free to be matched.
    waiting: Ranks,
    /// When each began to wait.
    since: BTreeSet<(Timestamp, ConversationId)>,
    /// Conversations of the queue that agents have.
    pub(super) assigned: u32,
    pub(super) handling: Handling,
}

impl Line {
    pub(super) fn insert(&mut self, key: OrderKey, placed: Placed) {
        self.take_out(&key);
        self.all.insert(key);
        if placed.standing == Standing::Waiting {
            self.waiting.insert(key);
        }
        self.since.insert((placed.entry.waiting_since, placed.entry.conversation));
        self.order.insert(key, placed);
    }

    pub(super) fn take_out(&mut self, key: &OrderKey) -> Option<Placed> {
        let placed = self.order.remove(key)?;
        self.all.remove(key);
        self.waiting.remove(key);
        self.since.remove(&(placed.entry.waiting_since, placed.entry.conversation));
        Some(placed)
    }

    /// Takes everyone out.
    pub(super) fn empty(&mut self) -> Vec<Placed> {
        (self.all, self.waiting) = (Ranks::default(), Ranks::default());
        self.since.clear();
        std::mem::take(&mut self.order).into_values().collect()
    }

    pub(super) fn get(&self, key: &OrderKey) -> Option<&Placed> {
        self.order.get(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Placed> {
        self.order.values()
    }

    /// How many are before a place, those on offer included.
    pub(super) fn before(&self, place: &OrderKey) -> usize {
        self.all.before(place)
    }

    /// How many are before a place and free to be matched.
    pub(super) fn waiting_before(&self, place: &OrderKey) -> usize {
        self.waiting.before(place)
    }

    pub(super) fn counts(&self) -> Counts {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Counts {
            waiting: number(self.waiting.len()),
            offered: number(self.all.len() - self.waiting.len()),
            oldest_since: self.since.first().map(|(since, _)| *since),
        }
    }
}
