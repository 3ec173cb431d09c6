//! Dossiers as they travel from workers to the coordinator.

use super::{Account, Digest, Dossier, Heard, Numbers};
use crate::payload::{Side, Speaker};
use crate::protocol as wire;

fn to_code(speaker: Speaker) -> u32 {
    u32::from(speaker.segment) << 1 | u32::from(speaker.side == Side::Agent)
}

fn from_code(code: u32) -> Speaker {
    let side = if code & 1 == 1 { Side::Agent } else { Side::Visitor };
    // Sixteen bits were put in.
    Speaker { side, segment: (code >> 1) as u16 }
}

impl From<&Numbers> for wire::Ranges {
    fn from(numbers: &Numbers) -> Self {
        let bounds = numbers.ranges.iter().flat_map(|(first, last)| [*first, *last]).collect();
        Self { bounds, given_up: numbers.given_up }
    }
}

impl From<wire::Ranges> for Numbers {
    fn from(ranges: wire::Ranges) -> Self {
        let pairs = ranges.bounds.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        // What is no range, or more than all numbers, is not of our workers.
        let pairs = pairs.filter(|(first, last)| first <= last);
        let lengths = pairs.clone().map(|(first, last)| (last - first).saturating_add(1));
        let count = lengths.fold(0, u32::saturating_add);
        Self { ranges: pairs.collect(), count, given_up: ranges.given_up }
    }
}

impl From<Dossier> for wire::Dossier {
    fn from(dossier: Dossier) -> Self {
        let spoken = dossier.spoken.iter().map(|(speaker, account)| wire::Spoken {
            speaker: to_code(*speaker),
            sent: account.sent,
            acknowledged: Some((&account.acknowledged).into()),
            digest: account.digest.0,
            repeated_numbers: account.repeated.iter().copied().collect(),
        });
        let heard = dossier.heard.iter().map(|(speaker, heard)| wire::Heard {
            speaker: to_code(*speaker),
            numbers: Some((&heard.numbers).into()),
            late: heard.late.clone(),
            late_beyond: heard.late_beyond,
        });
        Self {
            number: dossier.number,
            spoken: spoken.collect(),
            heard: heard.collect(),
            conversation: dossier.conversation,
            complete: dossier.complete,
            listener: dossier.listener,
        }
    }
}

impl From<wire::Dossier> for Dossier {
    fn from(dossier: wire::Dossier) -> Self {
        let spoken = dossier.spoken.into_iter().map(|spoken| {
            let account = Account {
                sent: spoken.sent,
                acknowledged: spoken.acknowledged.unwrap_or_default().into(),
                digest: Digest(spoken.digest),
                repeated: spoken.repeated_numbers.into_iter().collect(),
            };
            (from_code(spoken.speaker), account)
        });
        let heard = dossier.heard.into_iter().map(|heard| {
            let numbers = heard.numbers.unwrap_or_default().into();
            let late_beyond = heard.late_beyond;
            (from_code(heard.speaker), Heard { numbers, late: heard.late, late_beyond })
        });
        Self {
            number: dossier.number,
            spoken: spoken.collect(),
            heard: heard.collect(),
            conversation: dossier.conversation,
            complete: dossier.complete,
            listener: dossier.listener,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_cannot_be_do_no_harm() {
        let count = |bounds: &[u32]| {
            Numbers::from(wire::Ranges { bounds: bounds.to_vec(), given_up: 0 }).count
        };
        assert_eq!(count(&[1, 3, 5, 5, 9]), 4);
        assert_eq!(count(&[5, 1]), 0);
        assert_eq!(count(&[0, u32::MAX, 1, u32::MAX]), u32::MAX);
    }

    #[test]
    fn dossiers_survive_the_way() {
        let mut account = Account { sent: 9, ..Account::default() };
        [1, 2, 3, 7, 8].into_iter().for_each(|n| account.acknowledge(n, Some(n + 1)));
        account.repeated.insert(7);
        let mut heard = Heard { late: vec![2], late_beyond: 4, ..Heard::default() };
        [1, 3, 2, 9].into_iter().for_each(|n| _ = heard.numbers.insert(n));
        let dossier = Dossier {
            number: 5,
            conversation: "id".into(),
            listener: "agent".into(),
            complete: true,
            spoken: [(Speaker::agent(2), account)].into(),
            heard: [(Speaker::VISITOR, heard)].into(),
        };
        assert_eq!(Dossier::from(wire::Dossier::from(dossier.clone())), dossier);
    }
}
