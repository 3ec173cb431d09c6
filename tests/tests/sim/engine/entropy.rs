//! Chance and the time of day for the simulating thread: both come from the seed,
//! so that a seed is a whole run. Everything that asks the system for either
//! (maps, ids, jitter, timestamps) gets these; other threads get the real ones.

use libc::{c_int, c_long, c_uint, c_void, clockid_t, size_t, ssize_t, timespec};
use std::cell::Cell;

thread_local! {
    /// State of the generator; without one the system is asked.
    static CHANCE: Cell<Option<u64>> = const { Cell::new(None) };
    /// Milliseconds since 1970; without them the system is asked.
    static NOW: Cell<Option<u64>> = const { Cell::new(None) };
}

/// When every simulation begins: 2023-11-14T22:13:20Z.
const EPOCH_MS: u64 = 1_700_000_000_000;

/// From now on this thread lives in the world of a seed.
pub(crate) fn take_over(seed: u64) {
    CHANCE.set(Some(seed));
    set_elapsed(0);
}

/// It is so many milliseconds after the beginning.
pub(crate) fn set_elapsed(ms: u64) {
    NOW.set(Some(EPOCH_MS + ms));
}

/// The time of day in this thread's world; milliseconds since 1970.
pub(crate) fn now() -> u64 {
    EPOCH_MS + elapsed()
}

/// Milliseconds since the beginning; 0 outside of simulations.
pub(crate) fn elapsed() -> u64 {
    NOW.get().map_or(0, |now| now - EPOCH_MS)
}

/// SplitMix64, from Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Stands in for the C library's function of this name.
///
/// # Safety
///
/// As for the original: `buffer` must be writable for `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    let Ok(Some(mut state)) = CHANCE.try_with(Cell::get) else {
        // SAFETY: the same arguments under the same conditions.
        let got: c_long = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
        return got as ssize_t;
    };
    if length == 0 {
        return 0;
    }
    // SAFETY: the caller promises that the buffer is writable for this length.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&next(&mut state).to_le_bytes()[..chunk.len()]);
    }
    CHANCE.set(Some(state));
    length as ssize_t
}

/// Stands in for the C library's function of this name. Only the time of day is
/// simulated here: the runtime simulates the rest.
///
/// # Safety
///
/// As for the original: `time` must be writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    let now = NOW.try_with(Cell::get).ok().flatten();
    match now.filter(|_| clock == libc::CLOCK_REALTIME) {
        Some(now) => {
            let nanos = (now % 1_000) * 1_000_000;
            let now = timespec { tv_sec: (now / 1_000) as i64, tv_nsec: nanos as i64 };
            // SAFETY: the caller promises that it is writable.
            unsafe { time.write(now) };
            0
        }
        // SAFETY: the same arguments under the same conditions.
        None => unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int },
    }
}
