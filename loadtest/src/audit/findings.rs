//! Broken promises, counted, with the first ones in full.

use frontdesk_client::Breach;
use frontdesk_results::{Offence, Violation};
use std::collections::BTreeMap;

/// Offences that are kept with their ids.
const KEPT: usize = 100;

/// What has been found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How often each.
    pub counts: BTreeMap<Violation, u64>,
    /// The first ones.
    pub offences: Vec<Offence>,
}

impl Findings {
    /// Notes one.
    pub fn note(&mut self, offence: Offence) {
        *self.counts.entry(offence.violation).or_default() += 1;
        if self.offences.len() < KEPT {
            self.offences.push(offence);
        }
    }

    /// Notes some that cannot be named.
    pub fn add(&mut self, violation: Violation, count: u64) {
        if count > 0 {
            *self.counts.entry(violation).or_default() += count;
        }
    }

    /// Remembers one that was counted elsewhere.
    pub fn remember(&mut self, offence: Offence) {
        if self.offences.len() < KEPT {
            self.offences.push(offence);
        }
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many of one kind.
    pub fn count(&self, violation: Violation) -> u64 {
        self.counts.get(&violation).copied().unwrap_or(0)
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: Self) {
        for (violation, count) in other.counts {
            self.add(violation, count);
        }
        let room = KEPT.saturating_sub(self.offences.len());
        self.offences.extend(other.offences.into_iter().take(room));
    }

    /// The client noticed that the order of events was broken.
    pub fn breach(&mut self, conversation: &str, breach: Breach, listener: &str) {
        let (violation, seq) = match breach {
            Breach::Repeated { seq, .. } => (Violation::Duplicated, seq),
            Breach::Late { seq, .. } => (Violation::Reordered, seq),
            Breach::Forgotten { had } => (Violation::Lost, had),
            Breach::Gap { seq, .. } | Breach::Denied { seq, .. } => (Violation::Gap, seq),
        };
        self.note(Offence {
            violation,
            conversation: conversation.to_owned(),
            sender: None,
            number: None,
            seq: Some(seq),
            detail: format!("{breach}, heard by {listener}"),
        });
    }
}
