//! Numbers as if drawn at random, the same for the same seed.

use crate::time::Millis;

/// Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators* (2014).
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// What follows is given by the seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Within 0 and 1, both left out.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Exponential.
    pub fn after(&mut self, mean_secs: f64) -> Millis {
        Millis::new((-self.unit().ln() * mean_secs * 1_000.0) as u64)
    }

    /// Below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }
}
