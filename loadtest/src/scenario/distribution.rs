//! How a quantity is spread: fixed, uniform, log-normal, or as measured. Drawn
//! with the plan's own random numbers, so that a seed gives the same run.

use rand::{Rng, RngExt as _};
use serde::Serialize;

/// Lengths of 19,871 chat lines in 20 languages, in bytes of UTF-8: the
/// quantiles 0, 0.05 … 0.95, measured over the data of chatterbot-corpus 1.3.3.
const MEASURED: [f64; 20] = [
    1.0, 7.0, 11.0, 14.0, 17.0, 19.0, 21.0, 24.0, 26.0, 27.0, 31.0, 35.0, 39.0, 45.0, 51.0, 55.0,
    63.0, 70.0, 86.0, 119.0,
];
/// Its upper tail: quantile and length.
const TAIL: [(f64, f64); 7] = [
    (0.95, 119.0),
    (0.97, 144.0),
    (0.98, 168.0),
    (0.99, 215.0),
    (0.995, 279.0),
    (0.999, 356.0),
    (1.0, 692.0),
];

/// A spread of values, none below 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Distribution {
    /// Always the same.
    Fixed(f64),
    /// Evenly between two values.
    Uniform(f64, f64),
    /// Log-normal, as reading, thinking and talking times are: most near the
    /// median, a few much longer.
    LogNormal {
        /// Half of the values are below.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// No value is above.
        max: f64,
    },
    /// Lengths of real messages, in bytes.
    RealMessages,
}

impl Distribution {
    /// One value.
    pub fn draw(&self, random: &mut impl Rng) -> f64 {
        match *self {
            Self::Fixed(value) => value,
            Self::Uniform(least, most) => least + (most - least) * random.random::<f64>(),
            Self::LogNormal { median, sigma, max } => {
                (median * (sigma * normal(random)).exp()).min(max)
            }
            Self::RealMessages => measured(random.random()),
        }
    }

    /// The mean, as far as it has a simple formula: without the cut at `max`.
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Fixed(value) => value,
            Self::Uniform(least, most) => f64::midpoint(least, most),
            Self::LogNormal { median, sigma, max } => {
                (median * (sigma * sigma / 2.0).exp()).min(max)
            }
            Self::RealMessages => {
                (0..1_000).map(|n| measured(f64::from(n) / 1e3)).sum::<f64>() / 1e3
            }
        }
    }
}

/// A standard normal value (Box and Muller, 1958).
fn normal(random: &mut impl Rng) -> f64 {
    // In (0, 1]: the logarithm is finite.
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// The length at a quantile, in a straight line between the measured ones.
fn measured(quantile: f64) -> f64 {
    let between = |from: f64, to: f64, low: f64, high: f64| {
        low + (high - low) * ((quantile - from) / (to - from)).clamp(0.0, 1.0)
    };
    if quantile < TAIL[0].0 {
        let place = quantile * 20.0;
        let step = (place as usize).min(MEASURED.len() - 2);
        let from = step as f64 / 20.0;
        return between(from, from + 0.05, MEASURED[step], MEASURED[step + 1]);
    }
    let pair = TAIL.windows(2).find(|pair| quantile <= pair[1].0);
    pair.map_or(TAIL[6].1, |pair| between(pair[0].0, pair[1].0, pair[0].1, pair[1].1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn draws(of: Distribution) -> Vec<f64> {
        let mut random = StdRng::seed_from_u64(3);
        let mut all: Vec<f64> = (0..20_000).map(|_| of.draw(&mut random)).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn medians_and_means_are_as_said() {
        let thinking = Distribution::LogNormal { median: 8.0, sigma: 0.8, max: 1e9 };
        for (of, median) in [
            (Distribution::Fixed(3.0), 3.0),
            (Distribution::Uniform(2.0, 6.0), 4.0),
            (thinking, 8.0),
            (Distribution::RealMessages, 31.0),
        ] {
            let all = draws(of);
            assert!((all[10_000] / median - 1.0).abs() < 0.05, "{of:?}: {}", all[10_000]);
            let mean = all.iter().sum::<f64>() / 20_000.0;
            assert!((mean / of.mean() - 1.0).abs() < 0.05, "{of:?}: {mean}, {}", of.mean());
        }
    }

    #[test]
    fn values_stay_within_their_bounds() {
        let cut = draws(Distribution::LogNormal { median: 8.0, sigma: 2.0, max: 20.0 });
        assert!(cut[0] > 0.0 && cut[19_999] <= 20.0);
        let lengths = draws(Distribution::RealMessages);
        assert!(lengths[0] >= 1.0 && lengths[19_999] <= 692.0);
        assert!((measured(0.99) - 215.0).abs() < 1e-9 && (measured(1.0) - 692.0).abs() < 1e-9);
    }
}
