//! When one side of a conversation speaks that talks at a rate.

use super::{Dice, gap};
use crate::scenario::Arrivals;
use std::time::Duration;

/// Times since the talk began. Endless; the same for the same dice.
#[derive(Debug)]
pub struct Schedule {
    dice: Dice,
    arrivals: Arrivals,
    mean: Duration,
    next: Duration,
}

impl Schedule {
    /// One message every `mean`; in equal intervals the first one comes after
    /// a random part of it, `shift` parts later.
    pub(super) fn new(arrivals: Arrivals, mean: Duration, shift: f64, mut dice: Dice) -> Self {
        let next = match arrivals {
            Arrivals::Even => mean.mul_f64((dice.even() / 2.0 + shift).fract()),
            Arrivals::Poisson => mean.mul_f64(dice.exponential()),
        };
        Self { dice, arrivals, mean, next }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next;
        self.next += gap(self.arrivals, self.mean, &mut self.dice);
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(arrivals: Arrivals, seed: u64, n: u32) -> Schedule {
        Schedule::new(arrivals, Duration::from_millis(200), 0.0, Dice::of(seed, "visitor", n))
    }

    #[test]
    fn the_rate_is_kept() {
        for arrivals in [Arrivals::Poisson, Arrivals::Even] {
            let within =
                |n| schedule(arrivals, 7, n).take_while(|t| *t < Duration::from_secs(100)).count();
            let count = (0..40).map(within).sum::<usize>() as f64;
            // 20,000 expected; five standard deviations are about 700.
            assert!((count - 20_000.0).abs() < 700.0, "{arrivals:?}: {count}");
        }
    }

    proptest! {
        #[test]
        fn times_rise_and_depend_on_nothing_but_the_seed(seed: u64, n in 0u32..100) {
            let times = |n| schedule(Arrivals::Poisson, seed, n).take(200).collect::<Vec<_>>();
            prop_assert!(times(n).is_sorted());
            prop_assert_eq!(times(n), times(n));
            prop_assert_ne!(times(n), times(n + 1));
        }
    }
}
