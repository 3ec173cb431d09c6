//! One side of one pair: what it has said, what was acknowledged, and what it
//! has heard of the other.

use crate::label::Label;
use frontdesk_loadtest::payload::Side;

/// What went wrong on the way of messages. All zero is what is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Faults {
    /// Sent and never received, though there was time.
    pub lost: u64,
    /// Received in another order than sent, or more than once.
    pub disordered: u64,
    /// Received by the wrong party, or with another text.
    pub damaged: u64,
    /// Sent and never acknowledged, though there was time.
    pub unacknowledged: u64,
}

impl Faults {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.lost + self.disordered + self.damaged + self.unacknowledged
    }

    pub(super) fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.disordered += other.disordered;
        self.damaged += other.damaged;
        self.unacknowledged += other.unacknowledged;
    }
}

pub(super) struct Lane {
    pub(super) pair: u32,
    pub(super) side: Side,
    pub(super) sent: u32,
    acknowledged: u32,
    received: u32,
    /// Messages that may be unacknowledged.
    window: u32,
    /// What it may still say before it hears something.
    turns: u32,
    /// The number that must come next.
    expected: u32,
    faults: Faults,
}

impl Lane {
    pub(super) fn new(pair: u32, side: Side, window: u32) -> Self {
        let (sent, acknowledged, received, expected) = (0, 0, 0, 1);
        let (turns, faults) = (window, Faults::default());
        Self { pair, side, sent, acknowledged, received, window, turns, expected, faults }
    }

    /// The next message, when it may be said.
    pub(super) fn speak(&mut self) -> Option<Label> {
        if self.turns == 0 || self.sent - self.acknowledged.min(self.sent) >= self.window {
            return None;
        }
        self.turns -= 1;
        self.sent += 1;
        Some(Label { pair: self.pair, side: self.side, number: self.sent })
    }

    /// One of its messages was acknowledged.
    pub(super) fn told(&mut self) {
        self.acknowledged += 1;
    }

    /// Something was received.
    pub(super) fn heard(&mut self, label: Option<Label>) {
        self.turns += 1;
        let ours = label.filter(|l| l.pair == self.pair && l.side == self.side.other());
        let Some(label) = ours else {
            self.faults.damaged += 1;
            return;
        };
        self.received += 1;
        if label.number != self.expected {
            self.faults.disordered += 1;
        }
        self.expected = self.expected.max(label.number.saturating_add(1));
    }

    /// The account after everything should have arrived; the other side has said
    /// so much.
    pub(super) fn close(&self, said_by_other: u32) -> Faults {
        let mut faults = self.faults;
        faults.lost += u64::from(said_by_other.saturating_sub(self.received));
        faults.unacknowledged += u64::from(self.sent.saturating_sub(self.acknowledged));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found when the visitor hears these of the agent's three messages.
    fn hearing(numbers: &[u32]) -> Faults {
        let mut lane = Lane::new(7, Side::Visitor, 2);
        for &number in numbers {
            lane.heard(Some(Label { pair: 7, side: Side::Agent, number }));
        }
        lane.close(3)
    }

    #[test]
    fn order_and_number_are_checked() {
        assert_eq!(hearing(&[1, 2, 3]), Faults::default());
        assert_eq!(hearing(&[1, 2]), Faults { lost: 1, ..Faults::default() });
        assert_eq!(hearing(&[1, 3]), Faults { lost: 1, disordered: 1, ..Faults::default() });
        assert_eq!(hearing(&[1, 2, 2, 3]), Faults { disordered: 1, ..Faults::default() });
        assert_eq!(hearing(&[2, 1, 3]).disordered, 2);
    }

    #[test]
    fn what_is_not_for_this_side_is_damage() {
        let mut lane = Lane::new(7, Side::Visitor, 2);
        lane.heard(Some(Label { pair: 8, side: Side::Agent, number: 1 }));
        lane.heard(Some(Label { pair: 7, side: Side::Visitor, number: 1 }));
        lane.heard(None);
        assert_eq!(lane.close(0), Faults { damaged: 3, ..Faults::default() });
    }

    #[test]
    fn every_message_must_be_acknowledged() {
        let mut lane = Lane::new(7, Side::Agent, 2);
        assert_eq!(lane.speak(), Some(Label { pair: 7, side: Side::Agent, number: 1 }));
        assert_eq!(lane.close(0), Faults { unacknowledged: 1, ..Faults::default() });
        lane.told();
        assert_eq!(lane.close(0).total(), 0);
    }
    #[test]
    fn it_waits_for_acknowledgements_and_for_the_other_side() {
        let mut lane = Lane::new(7, Side::Visitor, 2);
        let speaks = |lane: &mut Lane| lane.speak().map(|label| label.number);
        let first: Vec<_> = std::iter::from_fn(|| speaks(&mut lane)).collect();
        assert_eq!(first, [1, 2], "a window of two");
        lane.told();
        assert_eq!(speaks(&mut lane), None, "nothing was heard");
        lane.heard(Some(Label { pair: 7, side: Side::Agent, number: 1 }));
        lane.heard(Some(Label { pair: 7, side: Side::Agent, number: 2 }));
        assert_eq!(speaks(&mut lane), Some(3));
        assert_eq!(speaks(&mut lane), None, "two are unacknowledged");
        lane.told();
        assert_eq!(speaks(&mut lane), Some(4));
    }
}
