//! One conversation after its end: what was said against what was heard.

use super::{Account, Digest, Findings, Heard};
use crate::payload::{Side, Speaker};
use frontdesk_results::{Offence, Violation};
use std::collections::BTreeMap;

/// One person's end of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// The conversation's number within the run.
    pub number: u32,
    /// Its UUID.
    pub conversation: String,
    /// `visitor`, `agent` or `supervisor`.
    pub listener: String,
    /// Whether the person was there from the begin to the end.
    pub complete: bool,
    /// What the person said.
    pub spoken: BTreeMap<Speaker, Account>,
    /// What the person heard.
    pub heard: BTreeMap<Speaker, Heard>,
}

/// Everything known of one conversation.
#[derive(Debug, Default)]
pub struct Case {
    conversation: String,
    spoken: BTreeMap<Speaker, Account>,
    ends: Vec<(String, bool, BTreeMap<Speaker, Heard>)>,
}

impl Case {
    /// Adds one person's end.
    pub fn add(&mut self, dossier: Dossier) {
        self.conversation = dossier.conversation;
        self.spoken.extend(dossier.spoken.into_iter().filter(|(_, account)| !account.is_empty()));
        self.ends.push((dossier.listener, dossier.complete, dossier.heard));
    }

    /// The conversation's UUID.
    pub fn conversation(&self) -> &str {
        &self.conversation
    }

    /// Messages that were called durable.
    pub fn acknowledged(&self) -> u64 {
        self.spoken.values().map(|account| u64::from(account.acknowledged.count())).sum()
    }

    /// What a speaker was told is durable, with seq; for the transcript.
    pub(super) fn told(&self, speaker: Speaker, number: u32) -> bool {
        self.spoken.get(&speaker).is_some_and(|account| account.acknowledged.contains(number))
    }

    /// What people heard live against what was said.
    pub fn reconcile(&self, findings: &mut Findings) {
        for (listener, complete, heard) in &self.ends {
            let own = match listener.as_str() {
                "visitor" => Some(Side::Visitor),
                "agent" => Some(Side::Agent),
                _ => None,
            };
            for (speaker, account) in &self.spoken {
                if own == Some(speaker.side) {
                    continue;
                }
                let nothing = Heard::default();
                let heard = heard.get(speaker).unwrap_or(&nothing);
                let missing_counts = *complete;
                self.compare(*speaker, account, heard, missing_counts, listener, findings);
            }
            for (speaker, heard) in heard.iter().filter(|(s, _)| !self.spoken.contains_key(s)) {
                let number = heard.numbers.largest();
                let detail = format!("never sent, heard by {listener}");
                findings.note(self.offence(Violation::Phantom, *speaker, number, detail));
            }
        }
    }

    /// What is read back against what was said.
    pub fn reconcile_stored(
        &self,
        stored: &BTreeMap<Speaker, (Heard, Digest)>,
        findings: &mut Findings,
    ) {
        for (speaker, account) in &self.spoken {
            let nothing = <(Heard, Digest)>::default();
            let (heard, digest) = stored.get(speaker).unwrap_or(&nothing);
            self.compare(*speaker, account, heard, true, "read back", findings);
            let (mut missing, unnamed) = account.acknowledged.missing_in(&heard.numbers);
            if missing.next().is_none() && unnamed == 0 && *digest != account.digest {
                let detail = "stored under another seq than acknowledged".to_owned();
                findings.note(Offence {
                    number: None,
                    ..self.offence(Violation::Contradicted, *speaker, 0, detail)
                });
            }
        }
        for (speaker, (heard, _)) in stored.iter().filter(|(s, _)| !self.spoken.contains_key(s)) {
            let detail = "never sent, read back".to_owned();
            let number = heard.numbers.largest();
            findings.note(self.offence(Violation::Phantom, *speaker, number, detail));
        }
    }

    fn compare(
        &self,
        speaker: Speaker,
        account: &Account,
        heard: &Heard,
        missing_counts: bool,
        by: &str,
        findings: &mut Findings,
    ) {
        if missing_counts {
            let (missing, unnamed) = account.acknowledged.missing_in(&heard.numbers);
            for number in missing {
                let detail = format!("acknowledged, but lost for {by}");
                findings.note(self.offence(Violation::Lost, speaker, number, detail));
            }
            // Given up as holes: each was lost unless nobody was told of it.
            findings.add(Violation::Lost, unnamed.into());
        }
        for number in heard.late.iter().filter(|number| !account.repeated.contains(number)) {
            let detail = format!("behind a later one for {by}");
            findings.note(self.offence(Violation::Reordered, speaker, *number, detail));
        }
        findings.add(Violation::Reordered, heard.late_beyond);
        if heard.numbers.largest() > account.sent {
            let number = heard.numbers.largest();
            let detail = format!("never sent, heard by {by}");
            findings.note(self.offence(Violation::Phantom, speaker, number, detail));
        }
    }

    fn offence(
        &self,
        violation: Violation,
        speaker: Speaker,
        number: u32,
        detail: String,
    ) -> Offence {
        Offence {
            violation,
            conversation: self.conversation.clone(),
            sender: Some(speaker.side.name().to_owned()),
            number: Some(number),
            seq: None,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(numbers: &[u32]) -> Heard {
        let mut heard = Heard::default();
        for number in numbers {
            if *number < heard.numbers.largest() {
                heard.late.push(*number);
            }
            heard.numbers.insert(*number);
        }
        heard
    }

    fn case(account: Account, numbers: &[u32], complete: bool) -> Case {
        let mut case = Case::default();
        let visitor = Dossier {
            number: 4,
            conversation: "id".into(),
            listener: "visitor".into(),
            complete: true,
            spoken: [(Speaker::VISITOR, account)].into(),
            heard: BTreeMap::new(),
        };
        let agent = Dossier {
            listener: "agent".into(),
            complete,
            spoken: BTreeMap::new(),
            heard: [(Speaker::VISITOR, heard(numbers))].into(),
            ..visitor.clone()
        };
        case.add(agent);
        case.add(visitor);
        case
    }

    fn account() -> Account {
        let mut account = Account { sent: 3, ..Account::default() };
        (1..=3).for_each(|number| account.acknowledge(number, Some(number + 10)));
        account
    }

    fn found(case: &Case) -> Findings {
        let mut findings = Findings::default();
        case.reconcile(&mut findings);
        findings
    }

    #[test]
    fn what_is_right_is_no_offence() {
        assert_eq!(found(&case(account(), &[1, 2, 3], true)).total(), 0);
    }

    #[test]
    fn lost_messages_are_named_wherever_they_are() {
        for lost in 1..=3 {
            let numbers: Vec<u32> = (1..=3).filter(|n| *n != lost).collect();
            let findings = found(&case(account(), &numbers, true));
            assert_eq!((findings.count(Violation::Lost), findings.total()), (1, 1));
            assert_eq!(findings.offences[0].number, Some(lost));
            let guest = found(&case(account(), &numbers, false));
            assert_eq!(guest.total(), 0, "a guest need not hear everything");
        }
    }

    #[test]
    fn swaps_and_strangers_are_named_unless_repeated() {
        let swapped = found(&case(account(), &[1, 3, 2], true));
        assert_eq!((swapped.count(Violation::Reordered), swapped.total()), (1, 1));
        assert_eq!(swapped.offences[0].number, Some(2));
        let again = Account { repeated: [2].into(), ..account() };
        assert_eq!(found(&case(again, &[1, 3, 2], true)).total(), 0);
        let beyond = found(&case(account(), &[1, 2, 3, 4], true));
        assert_eq!((beyond.count(Violation::Phantom), beyond.total()), (1, 1));
    }

    #[test]
    fn other_seqs_than_acknowledged_contradict() {
        let case = case(account(), &[1, 2, 3], true);
        let stored = |pairs: &[(u32, u32)]| {
            let mut digest = Digest::default();
            pairs.iter().for_each(|(number, seq)| digest.add(*number, *seq));
            let mut findings = Findings::default();
            let stored = [(Speaker::VISITOR, (heard(&[1, 2, 3]), digest))].into();
            case.reconcile_stored(&stored, &mut findings);
            findings
        };
        assert_eq!(stored(&[(3, 13), (2, 12), (1, 11)]).total(), 0);
        assert_eq!(stored(&[(1, 12), (2, 11), (3, 13)]).count(Violation::Contradicted), 1);
    }
}
