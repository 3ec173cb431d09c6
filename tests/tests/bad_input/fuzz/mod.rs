//! Every decoder that strangers, peers or files reach, fed with damaged input. The same
//! inputs each time: `FUZZ_SEED` begins elsewhere, `FUZZ_ROUNDS` takes longer. What fails
//! is printed with the seed and the input that repeats it.

mod mutate;
mod targets;

use mutate::Mutations;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use targets::{Target, targets};

/// Inputs of each target: all of them take a few seconds in a debug build.
const ROUNDS: u64 = 1_500;
/// No input of a few kilobytes may keep a decoder busy for longer.
const PATIENCE: Duration = Duration::from_secs(1);

fn number(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|e| panic!("{variable}: {e}")))
}

#[test]
fn damaged_input_is_refused_without_a_panic_or_a_hang() {
    let (seed, rounds) = (number("FUZZ_SEED", 1), number("FUZZ_ROUNDS", ROUNDS));
    for target in targets() {
        for (n, input) in target.corpus.iter().enumerate() {
            assert!((target.decode)(input), "{}: its sample {n} is not decoded", target.name);
        }
        let mut mutations = Mutations::new(seed, &target.corpus);
        for round in 0..rounds {
            feed(&target, seed, round, &mutations.next_input());
        }
    }
}

fn feed(target: &Target, seed: u64, round: u64, input: &[u8]) {
    let began = Instant::now();
    let fed = catch_unwind(AssertUnwindSafe(|| (target.decode)(input)));
    let took = began.elapsed();
    let shown = || String::from_utf8_lossy(input).escape_debug().to_string();
    let what = format!("{} with FUZZ_SEED={seed}, round {round}", target.name);
    assert!(fed.is_ok(), "{what}: a panic over {}", shown());
    assert!(took < PATIENCE, "{what}: {took:?} over {}", shown());
}
