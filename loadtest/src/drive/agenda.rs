//! What one person will do, in order of time.

use super::common::Common;
use super::metronome::Alarm;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// Say the next line of a lane.
    Speak(u32),
    /// Announce it.
    Type(u32),
    /// Hand the conversation back to its queue.
    Transfer(u32),
    /// End the conversation.
    Close(u32),
    /// Take an offer: conversation and offer.
    Accept(String, String),
    /// Lose the connection.
    Cut,
    /// Go.
    Leave,
}

/// Acts by time since the run's begin.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BinaryHeap<Reverse<(Duration, Act)>>,
    alarm: Alarm,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Duration, act: Act) {
        self.due.push(Reverse((at, act)));
    }

    /// What is due, late or not: a schedule knows no mercy.
    pub(super) fn take(&mut self, now: Duration) -> Option<(Duration, Act)> {
        if self.due.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            return self.due.pop().map(|Reverse(entry)| entry);
        }
        None
    }

    /// Waits for the next act. Safe to cancel.
    pub(super) async fn rings(&mut self, common: &Common) {
        match self.due.peek() {
            Some(Reverse((at, _))) => {
                self.alarm.set(&common.metronome, common.at(*at).into_std());
                self.alarm.rings().await;
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_come_in_order_of_time_and_only_when_due() {
        let mut agenda = Agenda::default();
        agenda.add(Duration::from_secs(2), Act::Speak(1));
        agenda.add(Duration::from_secs(1), Act::Leave);
        assert_eq!(agenda.take(Duration::from_millis(900)), None);
        let now = Duration::from_secs(5);
        assert_eq!(agenda.take(now), Some((Duration::from_secs(1), Act::Leave)));
        assert_eq!(agenda.take(now), Some((Duration::from_secs(2), Act::Speak(1))));
        assert_eq!(agenda.take(now), None);
    }
}
