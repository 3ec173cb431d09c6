//! Random numbers that depend on nothing but the seed and what they are for.

use rand::rngs::StdRng;
use rand::{Rng, RngExt as _, SeedableRng as _};
use std::convert::Infallible;

/// One stream of random numbers.
#[derive(Debug)]
pub struct Dice(StdRng);

impl Dice {
    /// The stream of the n-th thing of a kind.
    pub fn of(seed: u64, kind: &str, n: u32) -> Self {
        // FNV-1a over all three, so that neighbours have nothing in common.
        let bytes = seed.to_le_bytes().into_iter().chain(n.to_le_bytes()).chain(kind.bytes());
        let mixed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(StdRng::seed_from_u64(mixed))
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, share: f64) -> bool {
        self.0.random::<f64>() < share
    }

    /// Exponentially distributed with mean 1.
    pub fn exponential(&mut self) -> f64 {
        // In (0, 1]: the logarithm is finite.
        -(1.0 - self.0.random::<f64>()).ln()
    }

    /// Evenly in 0–1.
    pub fn even(&mut self) -> f64 {
        self.0.random()
    }
}

impl rand::TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(to);
        Ok(())
    }
}
