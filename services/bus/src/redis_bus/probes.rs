//! Whether a subscription hears, judged by what it sent itself.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Probes on their way that are remembered; older ones are too late in any case.
const MAX_UNDERWAY: usize = 64;

/// The probes of one subscription. Pure: the time is handed in.
#[derive(Debug)]
pub(super) struct Probes {
    deadline: Duration,
    next: u64,
    underway: VecDeque<(u64, Instant)>,
    /// When the latest probe that came back in time had been sent.
    proven: Option<Instant>,
}

impl Probes {
    /// None sent yet. Numbers begin at random, so that none of another process is
    /// taken for one of these.
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, next: rand::random(), underway: VecDeque::new(), proven: None }
    }

    /// The number of a probe that is sent now.
    pub(super) fn send(&mut self, now: Instant) -> u64 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        if self.underway.len() == MAX_UNDERWAY {
            self.underway.pop_front();
        }
        self.underway.push_back((number, now));
        number
    }

    /// One came back: how long it took, unless it is not known here or too late.
    pub(super) fn heard(&mut self, number: u64, now: Instant) -> Option<Duration> {
        let place = self.underway.iter().position(|(sent, _)| *sent == number)?;
        let (_, sent) = self.underway.remove(place)?;
        let took = now.saturating_duration_since(sent);
        if took >= self.deadline {
            return None;
        }
        self.proven = self.proven.max(Some(sent));
        Some(took)
    }

    /// Forgets what was proven: it was by a connection that is gone.
    pub(super) fn clear(&mut self) {
        self.underway.clear();
        self.proven = None;
    }

    /// How long ago the latest probe that came back had been sent.
    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        self.proven.map(|sent| now.saturating_duration_since(sent))
    }

    /// Until when what was proven counts; `None` when nothing was.
    pub(super) fn live_until(&self) -> Option<Instant> {
        self.proven.map(|sent| sent + self.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(3);

    #[test]
    fn lives_as_long_as_probes_come_back() {
        let (mut probes, start) = (Probes::new(DEADLINE), Instant::now());
        assert_eq!((probes.live_until(), probes.age(start)), (None, None));
        let first = probes.send(start);
        let second = probes.send(start + Duration::from_secs(1));
        let came = start + Duration::from_secs(2);
        assert_eq!(probes.heard(second, came), Some(Duration::from_secs(1)));
        assert_eq!(probes.live_until(), Some(start + Duration::from_secs(4)));
        assert_eq!(probes.age(came), Some(Duration::from_secs(1)));
        // An older one that comes later takes nothing back.
        assert_eq!(probes.heard(first, came), Some(Duration::from_secs(2)));
        assert_eq!(probes.live_until(), Some(start + Duration::from_secs(4)));
        probes.clear();
        assert_eq!(probes.live_until(), None);
    }

    #[test]
    fn strangers_repeats_and_late_ones_prove_nothing() {
        let (mut probes, start) = (Probes::new(DEADLINE), Instant::now());
        let number = probes.send(start);
        assert_eq!(probes.heard(number.wrapping_add(1), start), None);
        assert_eq!(probes.heard(number, start + DEADLINE), None);
        assert_eq!(probes.heard(number, start), None);
        assert_eq!(probes.live_until(), None);
    }

    #[test]
    fn remembers_a_bounded_number() {
        let (mut probes, now) = (Probes::new(DEADLINE), Instant::now());
        let first = probes.send(now);
        for _ in 0..MAX_UNDERWAY {
            probes.send(now);
        }
        assert_eq!(probes.underway.len(), MAX_UNDERWAY);
        assert_eq!(probes.heard(first, now), None);
    }
}
