//! From levels over phases to single times.

use super::{Dice, Stay};
use crate::scenario::{Arrivals, Level, Phase};
use frontdesk_results::PhaseKind;
use std::time::Duration;

/// Times per second at which a population's level is looked at.
const STEPS: u32 = 20;

/// The level at a part (0–1) of its phase.
fn at(kind: PhaseKind, level: Level, part: f64) -> f64 {
    let part = match kind {
        // Up and down again.
        PhaseKind::Spike => 1.0 - (2.0 * part - 1.0).abs(),
        _ => part,
    };
    level.from + (level.to - level.from) * part
}

/// When things happen at a rate that varies: a process with the wanted rate at
/// every moment, by thinning one of the highest rate (Lewis and Shedler, 1979);
/// in equal steps, one whenever the integral of the rate passes a whole number.
pub(super) fn arrivals(phases: &[(Phase, Level)], how: Arrivals, seed: u64) -> Vec<Duration> {
    let mut dice = Dice::of(seed, "arrivals", 0);
    let mut times = Vec::new();
    let mut begin = 0.0;
    let mut due = 0.5;
    for (phase, level) in phases {
        let seconds = f64::from(phase.seconds);
        let rate = |t: f64| at(phase.kind, *level, t / seconds);
        let most = level.most();
        match how {
            Arrivals::Poisson if most > 0.0 => {
                let mut t = dice.exponential() / most;
                while t < seconds {
                    if dice.happens(rate(t) / most) {
                        times.push(begin + t);
                    }
                    t += dice.exponential() / most;
                }
            }
            Arrivals::Poisson => {}
            Arrivals::Even => {
                // Milliseconds are fine enough a step for the integral.
                for ms in 0..phase.seconds * 1_000 {
                    let t = (f64::from(ms) + 0.5) / 1e3;
                    due -= rate(t) / 1e3;
                    while due <= 0.0 {
                        times.push(begin + t);
                        due += 1.0;
                    }
                }
            }
        }
        begin += seconds;
    }
    times.into_iter().map(Duration::from_secs_f64).collect()
}

/// Who comes and goes so that there are as many as the level says; nobody comes
/// sooner than `per_second` allows, and who came last goes first.
pub(super) fn joins(phases: &[(Phase, Level)], per_second: f64) -> Vec<Stay> {
    let end = Duration::from_secs(phases.iter().map(|(p, _)| u64::from(p.seconds)).sum());
    let (mut gone, mut here) = (Vec::new(), Vec::<Duration>::new());
    let mut begin = Duration::ZERO;
    let mut free = Duration::ZERO;
    let pause = Duration::from_secs_f64(1.0 / per_second);
    for (phase, level) in phases {
        let steps = phase.seconds * STEPS;
        for step in 0..steps {
            let now = begin + Duration::from_secs(1) * step / STEPS;
            let wanted =
                at(phase.kind, *level, f64::from(step) / f64::from(steps)).round() as usize;
            while here.len() < wanted {
                free = free.max(now);
                here.push(free);
                free += pause;
            }
            // Whoever was not here yet never comes.
            for from in here.drain(wanted.min(here.len())..) {
                if from < now {
                    gone.push(Stay { from, to: now });
                } else {
                    free = free.min(from);
                }
            }
        }
        begin += Duration::from_secs(phase.seconds.into());
    }
    gone.extend(here.into_iter().filter(|from| *from < end).map(|from| Stay { from, to: end }));
    gone.sort_by_key(|stay| stay.from);
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(list: &[(PhaseKind, u32, f64, f64)]) -> Vec<(Phase, Level)> {
        let phase = |(kind, seconds, from, to): &(PhaseKind, u32, f64, f64)| {
            let phase = Phase {
                name: String::new(),
                kind: *kind,
                seconds: *seconds,
                warm_up: false,
                arrivals: Level::default(),
                population: Level::default(),
                idle: Level::default(),
                cut: 0.0,
                connection_seconds: None,
            };
            (phase, Level { from: *from, to: *to })
        };
        list.iter().map(phase).collect()
    }

    fn between(times: &[Duration], from: u64, to: u64) -> usize {
        let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
        times.iter().filter(|t| (from..to).contains(*t)).count()
    }

    #[test]
    fn arrivals_follow_the_rate() {
        let day = phases(&[
            (PhaseKind::Ramp, 100, 0.0, 20.0),
            (PhaseKind::Steady, 100, 20.0, 20.0),
            (PhaseKind::Spike, 100, 20.0, 60.0),
            (PhaseKind::Steady, 100, 0.0, 0.0),
        ]);
        for how in [Arrivals::Poisson, Arrivals::Even] {
            let times = arrivals(&day, how, 5);
            assert!(times.is_sorted());
            for (from, to, wanted) in
                [(0, 100, 1_000), (100, 200, 2_000), (200, 300, 4_000), (300, 400, 0)]
            {
                let count = between(&times, from, to) as f64;
                // Five standard deviations of a Poisson process.
                let room = 5.0 * f64::from(wanted).sqrt() + 1.0;
                assert!((count - f64::from(wanted)).abs() <= room, "{how:?} {from}: {count}");
            }
            assert_eq!(times, arrivals(&day, how, 5));
        }
    }

    #[test]
    fn populations_are_kept_at_their_level() {
        let stays = joins(
            &phases(&[
                (PhaseKind::Ramp, 10, 0.0, 100.0),
                (PhaseKind::Steady, 10, 100.0, 100.0),
                (PhaseKind::Ramp, 10, 100.0, 40.0),
            ]),
            1e5,
        );
        let there = |second: f64| {
            let now = Duration::from_secs_f64(second);
            stays.iter().filter(|stay| stay.from <= now && now < stay.to).count()
        };
        for (second, wanted) in [(5.0, 50), (15.0, 100), (25.0, 70), (29.99, 40)] {
            assert!(there(second).abs_diff(wanted) <= 1, "{second}: {}", there(second));
        }
        assert_eq!(stays.len(), 100);
    }

    #[test]
    fn nobody_comes_sooner_than_allowed() {
        let stays = joins(&phases(&[(PhaseKind::Steady, 10, 500.0, 500.0)]), 20.0);
        assert_eq!(stays.len(), 200, "the others would come behind the end");
        let gap = |pair: &[Stay]| pair[1].from - pair[0].from;
        assert!(stays.windows(2).all(|pair| gap(pair) >= Duration::from_millis(49)));
    }
}
