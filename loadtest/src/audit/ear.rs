//! One listener to one conversation.

use super::{Findings, Numbers};
use crate::payload::{Payload, Side, Speaker};
use frontdesk_results::{Offence, Violation};
use std::collections::BTreeMap;

/// Late messages that are remembered until it is known whether they were
/// repeated; more count as reordered.
const MAX_LATE: usize = 1_024;

/// What was heard of one speaker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The numbers.
    pub numbers: Numbers,
    /// Those that came behind a later one.
    pub late: Vec<u32>,
    /// More of them, beyond what is remembered.
    pub late_beyond: u64,
}

/// What one person hears of one conversation.
#[derive(Debug)]
pub struct Ear {
    run: u32,
    number: u32,
    conversation: String,
    /// Whose ear it is, for offences.
    listener: &'static str,
    /// The side whose messages are the listener's own.
    own: Option<Side>,
    heard: BTreeMap<Speaker, Heard>,
}

impl Ear {
    /// Has heard nothing yet. `own`: messages of that side are not audited.
    pub fn new(
        run: u32,
        number: u32,
        conversation: String,
        listener: &'static str,
        own: Option<Side>,
    ) -> Self {
        Self { run, number, conversation, listener, own, heard: BTreeMap::new() }
    }

    /// A message with its seq; gives it when it is another's and new.
    pub fn message(&mut self, text: &str, seq: u32, findings: &mut Findings) -> Option<Payload> {
        let decoded = Payload::decode(text).filter(|payload| payload.run == self.run);
        let Some(payload) = decoded else {
            findings.note(self.offence(Violation::Phantom, None, seq, "nobody sent it"));
            return None;
        };
        if payload.conversation != self.number {
            let detail = format!("belongs to conversation number {}", payload.conversation);
            findings.note(self.offence(Violation::Misrouted, Some(payload), seq, &detail));
            return None;
        }
        if self.own == Some(payload.speaker.side) {
            return None;
        }
        let heard = self.heard.entry(payload.speaker).or_default();
        let late = payload.number < heard.numbers.largest();
        if !heard.numbers.insert(payload.number) {
            findings.note(self.offence(Violation::Duplicated, Some(payload), seq, "came again"));
            return None;
        }
        if late && heard.late.len() < MAX_LATE {
            heard.late.push(payload.number);
        } else if late {
            heard.late_beyond += 1;
        }
        Some(payload)
    }

    fn offence(
        &self,
        violation: Violation,
        payload: Option<Payload>,
        seq: u32,
        detail: &str,
    ) -> Offence {
        Offence {
            violation,
            conversation: self.conversation.clone(),
            sender: payload.map(|payload| payload.speaker.side.name().to_owned()),
            number: payload.map(|payload| payload.number),
            seq: Some(seq),
            detail: format!("{detail}, heard by {}", self.listener),
        }
    }

    /// Messages of one side that were heard, all its speakers together.
    pub fn count(&self, side: Side) -> u32 {
        let of = self.heard.iter().filter(|(speaker, _)| speaker.side == side);
        of.map(|(_, heard)| heard.numbers.count()).sum()
    }

    /// What was heard of each speaker.
    pub fn into_heard(self) -> BTreeMap<Speaker, Heard> {
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(conversation: u32, number: u32) -> String {
        let speaker = Speaker::VISITOR;
        Payload { run: 1, conversation, speaker, number, intended: Duration::ZERO }.encode(80)
    }

    fn ear() -> Ear {
        Ear::new(1, 4, "id".into(), "agent", Some(Side::Agent))
    }

    #[test]
    fn messages_are_told_once() {
        let (mut ear, mut findings) = (ear(), Findings::default());
        assert!(ear.message(&text(4, 1), 2, &mut findings).is_some());
        assert!(ear.message(&text(4, 1), 3, &mut findings).is_none());
        let offence = &findings.offences[0];
        assert_eq!(offence.violation, Violation::Duplicated);
        assert_eq!((offence.number, offence.seq), (Some(1), Some(3)));
        assert_eq!(offence.sender.as_deref(), Some("visitor"));
        assert_eq!(ear.count(Side::Visitor), 1);
    }

    #[test]
    fn strangers_are_named() {
        let (mut ear, mut findings) = (ear(), Findings::default());
        ear.message(&text(5, 1), 2, &mut findings);
        ear.message("noise", 3, &mut findings);
        assert_eq!(findings.count(Violation::Misrouted), 1);
        assert_eq!(findings.count(Violation::Phantom), 1);
    }

    #[test]
    fn late_ones_are_remembered_within_bounds() {
        let (mut ear, mut findings) = (ear(), Findings::default());
        let many = MAX_LATE as u32 + 10;
        ear.message(&text(4, many + 1), 1, &mut findings);
        for number in 1..=many {
            ear.message(&text(4, number), number + 1, &mut findings);
        }
        assert_eq!(findings.total(), 0);
        let heard = ear.into_heard().remove(&Speaker::VISITOR).unwrap();
        assert_eq!((heard.late.len(), heard.late_beyond), (MAX_LATE, 10));
    }
}
