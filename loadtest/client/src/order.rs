//! Whether the events of one conversation come once, in order and without a
//! gap. A pure state machine: it decides what is handed out, what was wrong, and
//! when to subscribe again; it never lets an event pass twice.

use std::fmt;

/// How a server broke the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// An event follows one that never came.
    Gap {
        /// The last event seen.
        had: u32,
        /// The event that came.
        seq: u32,
        /// The one it says it follows.
        prev: u32,
    },
    /// An event came again, unasked.
    Repeated {
        /// The last event seen.
        had: u32,
        /// The event that came.
        seq: u32,
    },
    /// An event came after a later one.
    Late {
        /// The event that came.
        seq: u32,
        /// The later one.
        after: u32,
    },
    /// An event denies one that was seen.
    Denied {
        /// The last event seen.
        had: u32,
        /// The event that came.
        seq: u32,
        /// The one it says it follows.
        prev: u32,
    },
    /// The server does not know what it had told: acknowledged events are gone.
    Forgotten {
        /// The last event seen.
        had: u32,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { had, seq, prev } => write!(f, "event {seq} follows {prev}, had {had}"),
            Self::Repeated { had, seq } => write!(f, "event {seq} again, had {had}"),
            Self::Late { seq, after } => write!(f, "event {seq} after {after}"),
            Self::Denied { had, seq, prev } => {
                write!(f, "event {seq} follows {prev} and denies {had}")
            }
            Self::Forgotten { had } => write!(f, "the server no longer knows event {had}"),
        }
    }
}

/// What to do with an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Hand it out.
    pub(super) take: bool,
    pub(super) breach: Option<Breach>,
    /// Subscribe again from the last event seen.
    pub(super) subscribe: bool,
}

/// One conversation as this client has read it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    seen: u32,
    /// Repeats up to here were asked for.
    forgiven: u32,
    /// A subscription is under way.
    renewal: Option<Renewal>,
}

#[derive(Debug, Clone, Copy)]
struct Renewal {
    /// The highest event that came too early and was dropped.
    highest: u32,
    /// The server has answered: what comes now follows the cursor.
    answered: bool,
}

impl Reading {
    pub(super) fn seen(&self) -> u32 {
        self.seen
    }

    /// A subscription from `cursor` is asked for.
    pub(super) fn subscribe_from(&mut self, cursor: u32) {
        let highest = self.renewal.map_or(self.seen, |r| r.highest.max(self.seen));
        self.seen = cursor;
        self.renewal = Some(Renewal { highest, answered: false });
    }

    /// The subscription was answered.
    pub(super) fn subscribed(&mut self) {
        self.forgive();
        if let Some(renewal) = &mut self.renewal {
            renewal.answered = true;
            self.forgiven = self.forgiven.max(renewal.highest);
        }
        self.finish_renewal();
    }

    /// What follows may bring all events up to the last one again.
    pub(super) fn forgive(&mut self) {
        self.forgiven = self.forgiven.max(self.seen);
    }

    /// The connection is new and was resumed from `seen`.
    pub(super) fn resumed(&mut self) {
        self.renewal = None;
    }

    pub(super) fn event(&mut self, seq: u32, prev: u32) -> Verdict {
        let had = self.seen;
        if seq <= had {
            let breach = (seq > self.forgiven).then_some(Breach::Repeated { had, seq });
            return Verdict { breach, ..Verdict::default() };
        }
        match self.renewal {
            Some(renewal) if !renewal.answered => self.before_the_answer(renewal, seq, prev),
            _ if prev > had => {
                self.renewal = Some(Renewal { highest: seq, answered: false });
                let breach = Some(Breach::Gap { had, seq, prev });
                Verdict { take: false, breach, subscribe: true }
            }
            _ => {
                self.seen = seq;
                self.finish_renewal();
                let breach = (prev < had).then_some(Breach::Denied { had, seq, prev });
                Verdict { take: true, breach, subscribe: false }
            }
        }
    }

    fn before_the_answer(&mut self, mut renewal: Renewal, seq: u32, prev: u32) -> Verdict {
        if prev == self.seen {
            self.seen = seq;
            let after = renewal.highest;
            let breach = (seq < after).then_some(Breach::Late { seq, after });
            return Verdict { take: true, breach, subscribe: false };
        }
        // It will come again behind the answer.
        renewal.highest = renewal.highest.max(seq);
        self.renewal = Some(renewal);
        Verdict::default()
    }

    fn finish_renewal(&mut self) {
        if self.renewal.is_some_and(|r| r.answered && self.seen >= r.highest) {
            self.renewal = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken() -> Verdict {
        Verdict { take: true, ..Verdict::default() }
    }

    #[test]
    fn what_is_hidden_from_a_reader_is_no_gap() {
        let mut reading = Reading::default();
        assert_eq!(reading.event(1, 0), taken());
        assert_eq!(reading.event(5, 1), taken());
        assert_eq!(reading.seen(), 5);
    }

    #[test]
    fn a_gap_is_reported_once_and_healed() {
        let mut reading = Reading::default();
        reading.event(1, 0);
        let breach = Some(Breach::Gap { had: 1, seq: 3, prev: 2 });
        assert_eq!(reading.event(3, 2), Verdict { take: false, breach, subscribe: true });
        assert_eq!(reading.event(4, 3), Verdict::default());
        reading.subscribed();
        assert_eq!([2, 3, 4, 5].map(|n| reading.event(n, n - 1)), [0; 4].map(|_| taken()));
    }

    #[test]
    fn swapped_events_are_named_late() {
        let mut reading = Reading::default();
        assert!(reading.event(2, 1).subscribe);
        let late = reading.event(1, 0);
        assert_eq!(late.breach, Some(Breach::Late { seq: 1, after: 2 }));
        assert!(late.take);
        reading.subscribed();
        // The answer brings both; only the second is new.
        assert_eq!(reading.event(1, 0), Verdict::default());
        assert_eq!(reading.event(2, 1), taken());
    }

    #[test]
    fn repeats_and_denials_are_reported() {
        let mut reading = Reading::default();
        reading.event(1, 0);
        reading.event(2, 1);
        assert_eq!(reading.event(2, 1).breach, Some(Breach::Repeated { had: 2, seq: 2 }));
        let denied = reading.event(3, 1);
        assert_eq!(denied.breach, Some(Breach::Denied { had: 2, seq: 3, prev: 1 }));
        reading.forgive();
        assert_eq!(reading.event(1, 0), Verdict::default());
    }

    #[test]
    fn an_own_subscription_from_the_beginning_repeats_without_a_breach() {
        let mut reading = Reading::default();
        for seq in 1..=3 {
            reading.event(seq, seq - 1);
        }
        reading.subscribe_from(0);
        assert_eq!(reading.event(4, 3), Verdict::default());
        reading.subscribed();
        assert_eq!([1, 2, 3, 4, 5].map(|n| reading.event(n, n - 1)), [0; 5].map(|_| taken()));
    }

    proptest! {
        /// Whatever comes, nothing is handed out twice or out of order.
        #[test]
        fn events_pass_in_rising_order(
            steps in prop::collection::vec((1u32..12, 0u32..12, 0u8..4), 0..60),
        ) {
            let mut reading = Reading::default();
            let mut last = 0;
            for (seq, prev, what) in steps {
                match what {
                    0 => reading.subscribed(),
                    1 => reading.resumed(),
                    _ => {
                        let before = reading.seen();
                        let verdict = reading.event(seq, prev.min(seq - 1));
                        prop_assert_eq!(verdict.take, reading.seen() > before);
                        if verdict.take {
                            prop_assert!(seq > last);
                            last = seq;
                        }
                        if verdict.subscribe {
                            prop_assert!(verdict.breach.is_some());
                        }
                    }
                }
            }
        }

        /// A faithful server that is cut, gapped and healed loses nothing.
        #[test]
        fn drops_are_healed(dropped in prop::collection::btree_set(1u32..40, 0..10)) {
            let mut reading = Reading::default();
            let mut got = Vec::new();
            let mut next = 1;
            let mut lossy = true;
            while next <= 41 {
                if lossy && dropped.contains(&next) {
                    next += 1;
                    continue;
                }
                let verdict = reading.event(next, next - 1);
                if verdict.take {
                    got.push(next);
                }
                next += 1;
                if verdict.subscribe {
                    reading.subscribed();
                    next = reading.seen() + 1;
                    lossy = false;
                }
            }
            prop_assert_eq!(got, (1..=41).collect::<Vec<_>>());
        }
    }
}
