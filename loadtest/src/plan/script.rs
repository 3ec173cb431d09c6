//! What two people say to each other in one conversation, and when.

use super::Dice;
use crate::payload::Side;
use crate::scenario::{Pace, Talk};
use std::time::Duration;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Who says it.
    pub side: Side,
    /// When, since the talk began.
    pub at: Duration,
    /// Bytes of text.
    pub bytes: u32,
    /// With a file.
    pub attachment: bool,
    /// Announced by "typing".
    pub typing: bool,
}

/// How a conversation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Who closes it.
    pub by: Side,
    /// When, since the talk began.
    pub at: Duration,
    /// The visitor's rating, 1–5.
    pub rating: Option<u32>,
}

/// One conversation. The visitor's first message goes with its start and is
/// not among the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Bytes of the visitor's first message.
    pub first_bytes: u32,
    /// Everything else that is said, in order of time.
    pub lines: Vec<Line>,
    /// Hand it back to the queue behind as many lines.
    pub transfer_after: Option<usize>,
    /// `None`: it goes on until the run ends.
    pub ending: Option<Ending>,
}

impl Script {
    pub(super) fn of(talk: &Talk, mut dice: Dice) -> Self {
        let first_bytes = bytes(talk, &mut dice);
        let Pace::Script { messages, think_seconds } = talk.pace else {
            return Self { first_bytes, lines: Vec::new(), transfer_after: None, ending: None };
        };
        let count = (messages.draw(&mut dice).round() as usize).max(1) - 1;
        let mut at = Duration::ZERO;
        let mut pause = |dice: &mut Dice| {
            at += Duration::from_secs_f64(think_seconds.draw(dice));
            at
        };
        let mut side = Side::Agent;
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            lines.push(Line {
                side,
                at: pause(&mut dice),
                bytes: bytes(talk, &mut dice),
                attachment: dice.happens(talk.attachments),
                typing: dice.happens(talk.typing),
            });
            // Mostly in turn, now and then twice in a row.
            if !dice.happens(0.15) {
                side = side.other();
            }
        }
        let transfer = dice.happens(talk.transfers) && count >= 2;
        let by = if dice.happens(talk.visitor_closes) { Side::Visitor } else { Side::Agent };
        let rated = dice.happens(talk.ratings);
        let rating = rated.then(|| 5 - (dice.exponential() as u32).min(4));
        let ending = Some(Ending { by, at: pause(&mut dice), rating });
        Self { first_bytes, lines, transfer_after: transfer.then_some(count / 2), ending }
    }
}

fn bytes(talk: &Talk, dice: &mut Dice) -> u32 {
    talk.length_bytes.draw(dice).round() as u32
}

impl Talk {
    /// What a scripted conversation takes on average, in seconds.
    pub fn expected_seconds(&self) -> f64 {
        match self.pace {
            Pace::Script { messages, think_seconds } => {
                self.lead.as_secs_f64() + messages.mean() * think_seconds.mean()
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Distribution;
    use proptest::prelude::*;

    fn talk() -> Talk {
        Talk {
            pace: Pace::Script {
                messages: Distribution::LogNormal { median: 6.0, sigma: 0.6, max: 40.0 },
                think_seconds: Distribution::LogNormal { median: 5.0, sigma: 0.8, max: 60.0 },
            },
            length_bytes: Distribution::RealMessages,
            lead: Duration::from_secs(1),
            typing: 0.5,
            read: 0.5,
            attachments: 0.1,
            transfers: 0.2,
            visitor_closes: 0.4,
            ratings: 0.5,
        }
    }

    proptest! {
        #[test]
        fn scripts_are_in_order_and_depend_on_the_seed_alone(seed: u64, n: u32) {
            let script = Script::of(&talk(), Dice::of(seed, "script", n));
            prop_assert_eq!(&script, &Script::of(&talk(), Dice::of(seed, "script", n)));
            prop_assert!(script.lines.is_sorted_by_key(|line| line.at));
            prop_assert!(script.lines.len() < 40);
            let ending = script.ending.unwrap();
            prop_assert!(script.lines.iter().all(|line| line.at <= ending.at));
            prop_assert!(ending.rating.is_none_or(|r| (1..=5).contains(&r)));
            prop_assert!(script.transfer_after.is_none_or(|after| after < script.lines.len()));
        }
    }

    #[test]
    fn shares_are_kept_over_many() {
        let scripts: Vec<_> =
            (0..4_000).map(|n| Script::of(&talk(), Dice::of(1, "script", n))).collect();
        let share = |of: &dyn Fn(&Script) -> bool| {
            scripts.iter().filter(|s| of(s)).count() as f64 / scripts.len() as f64
        };
        let close = |value: f64, wanted: f64| (value - wanted).abs() < 0.04;
        assert!(close(share(&|s| s.ending.unwrap().by == Side::Visitor), 0.4));
        assert!(close(share(&|s| s.ending.unwrap().rating.is_some()), 0.5));
        assert!(close(share(&|s| s.transfer_after.is_some()), 0.2));
        let lines = || scripts.iter().flat_map(|s| &s.lines);
        let typed = lines().filter(|l| l.typing).count() as f64 / lines().count() as f64;
        assert!(close(typed, 0.5), "{typed}");
    }
}
