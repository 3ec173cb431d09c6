//! Numbers of traces and spans, and the draw of what is recorded: no secrets, only
//! unlikely to come twice, and drawn in a few instructions.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::num::{NonZeroU64, NonZeroU128};

thread_local! {
    /// Each thread's own, from the system's randomness.
    static STATE: Cell<u64> = Cell::new(seed());
}

fn seed() -> u64 {
    // The standard library seeds each of these from the system.
    RandomState::new().build_hasher().finish()
}

/// The next number (SplitMix64).
pub(super) fn draw() -> u64 {
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

pub(super) fn span() -> NonZeroU64 {
    NonZeroU64::new(draw()).unwrap_or(NonZeroU64::MIN)
}

pub(super) fn trace() -> NonZeroU128 {
    let number = u128::from(seed()) << 64 | u128::from(draw());
    NonZeroU128::new(number).unwrap_or(NonZeroU128::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_come_twice() {
        let drawn: HashSet<u64> = (0..10_000).map(|_| draw()).collect();
        assert_eq!(drawn.len(), 10_000);
        assert_ne!(trace(), trace());
    }
}
