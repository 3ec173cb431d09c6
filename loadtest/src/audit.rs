//! What each party of each conversation must hear: everything the other side
//! was acknowledged, once, in order, and nothing else. Bounded memory: two
//! counters per conversation and side, and the first few offences.

use crate::payload::{Payload, Side};
use serde::Serialize;

/// Offences that are kept with their ids.
const KEPT: usize = 20;

/// Counts of what went wrong, with the first few of them in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Acknowledged but never received.
    pub lost: u64,
    /// Received more than once.
    pub duplicated: u64,
    /// Received after a later one.
    pub reordered: u64,
    /// Received but never sent in this run, or damaged.
    pub phantom: u64,
    /// Received in another conversation than it was sent to.
    pub misrouted: u64,
    /// Events that do not follow the one before (`prev` is not the last seq).
    pub gaps: u64,
    /// The first few, with their ids.
    pub examples: Vec<String>,
}

impl Violations {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.lost + self.duplicated + self.reordered + self.phantom + self.misrouted + self.gaps
    }

    /// Adds those of another party.
    pub fn merge(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.phantom += other.phantom;
        self.misrouted += other.misrouted;
        self.gaps += other.gaps;
        let room = KEPT.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < KEPT {
            self.examples.push(text());
        }
    }
}

/// What one party of one conversation has heard.
#[derive(Debug)]
pub struct Ear {
    run: u64,
    conversation: u32,
    /// Whose messages it hears.
    speaker: Side,
    last_number: u32,
    last_seq: u32,
}

impl Ear {
    /// Has heard nothing yet.
    pub fn new(run: u64, conversation: u32, speaker: Side) -> Self {
        Self { run, conversation, speaker, last_number: 0, last_seq: 0 }
    }

    /// The last number heard in order.
    pub fn heard(&self) -> u32 {
        self.last_number
    }

    /// Any event of the conversation.
    pub fn event(&mut self, seq: u32, prev: u32, violations: &mut Violations) {
        if prev != self.last_seq {
            violations.gaps += 1;
            let (conversation, last) = (self.conversation, self.last_seq);
            violations.note(|| {
                format!("conversation {conversation}: event {seq} follows {prev}, had {last}")
            });
        }
        self.last_seq = seq;
    }

    /// A message of somebody; gives it when it is the speaker's next one.
    pub fn message(&mut self, text: &str, violations: &mut Violations) -> Option<Payload> {
        let conversation = self.conversation;
        let Some(payload) = Payload::decode(text).filter(|p| p.run == self.run) else {
            violations.phantom += 1;
            violations.note(|| format!("conversation {conversation}: a message nobody sent"));
            return None;
        };
        let number = payload.number;
        if payload.conversation != conversation {
            violations.misrouted += 1;
            let from = payload.conversation;
            violations
                .note(|| format!("conversation {conversation}: {number} of conversation {from}"));
            return None;
        }
        if payload.side != self.speaker {
            return None;
        }
        if number <= self.last_number {
            violations.duplicated += 1;
            violations.note(|| format!("conversation {conversation}: {number} again"));
            return None;
        }
        if number > self.last_number + 1 {
            violations.reordered += 1;
            let last = self.last_number;
            violations.note(|| format!("conversation {conversation}: {number} after {last}"));
        }
        self.last_number = number;
        Some(payload)
    }

    /// At the end: `acknowledged` is the last number the speaker was told of.
    pub fn finish(&self, acknowledged: u32, violations: &mut Violations) {
        if acknowledged > self.last_number {
            violations.lost += u64::from(acknowledged - self.last_number);
            let (conversation, last) = (self.conversation, self.last_number);
            violations.note(|| {
                format!("conversation {conversation}: {acknowledged} acknowledged, {last} heard")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(conversation: u32, number: u32) -> String {
        Payload { run: 1, conversation, side: Side::Visitor, number, intended: 0 }.encode(80)
    }

    fn hear(numbers: &[u32]) -> Violations {
        let mut violations = Violations::default();
        let mut ear = Ear::new(1, 4, Side::Visitor);
        for n in numbers {
            ear.message(&text(4, *n), &mut violations);
        }
        ear.finish(3, &mut violations);
        violations
    }

    #[test]
    fn what_is_right_is_no_offence() {
        assert_eq!(hear(&[1, 2, 3]).total(), 0);
    }

    #[test]
    fn each_offence_is_named() {
        assert_eq!(hear(&[1, 2]).lost, 1);
        assert_eq!(hear(&[1, 2, 2, 3]).duplicated, 1);
        let swapped = hear(&[1, 3, 2]);
        assert_eq!((swapped.reordered, swapped.duplicated), (1, 1));
        let mut violations = Violations::default();
        let mut ear = Ear::new(1, 4, Side::Visitor);
        ear.message(&text(5, 1), &mut violations);
        ear.message("noise", &mut violations);
        ear.event(1, 0, &mut violations);
        ear.event(3, 2, &mut violations);
        assert_eq!((violations.misrouted, violations.phantom, violations.gaps), (1, 1, 1));
        assert!(violations.examples[0].contains("conversation 4"), "{violations:?}");
    }
}
