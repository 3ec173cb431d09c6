//! Every decoder that strangers, peers or files reach, fed with damaged input. The same
//! inputs each time: `FUZZ_SEED` begins elsewhere, `FUZZ_ROUNDS` takes longer. What fails
//! is printed with the seed and the input that repeats it. `make fuzz` feeds the same
//! decoders under guidance; what it found is fed here, too.

mod mutate;

use frontdesk_fuzz::{Target, from_text, kept, targets, to_text};
use frontdesk_tests::corpus::repository;
use mutate::Mutations;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

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
        for (n, input) in target.samples.iter().enumerate() {
            assert!((target.decode)(input), "{}: its sample {n} is not decoded", target.name);
        }
        let mut mutations = Mutations::new(seed, &target.samples);
        for round in 0..rounds {
            let what = format!("FUZZ_SEED={seed}, round {round}");
            feed(&target, &what, &mutations.next_input());
        }
    }
}

#[test]
fn what_once_broke_a_decoder_or_was_worth_keeping_does_no_harm() {
    let targets = targets();
    for target in &targets {
        for (n, input) in kept(target.name).expect("lines of inputs").iter().enumerate() {
            feed(target, &format!("kept input {n}"), input);
        }
    }
    let folder = repository().join("tests/fuzz/corpus");
    for entry in std::fs::read_dir(folder).expect("there are inputs").flatten() {
        let name = entry.file_name().into_string().expect("a name");
        let known = targets.iter().any(|target| name == format!("{}.txt", target.name));
        assert!(known, "{name} is of no target");
    }
}

#[test]
fn inputs_are_kept_as_text() {
    let all: Vec<u8> = (0..=255).collect();
    for input in [&all[..], b"# no remark", b"", b"\\x41 \\"] {
        let text = to_text(input);
        assert!(text.is_ascii() && !text.starts_with('#') && !text.contains('\n'), "{text}");
        assert_eq!(from_text(&text).as_deref(), Some(input), "{text}");
    }
    for wrong in ["\\", "\\x4", "\\xzz", "\\q"] {
        assert_eq!(from_text(wrong), None, "{wrong}");
    }
}

fn feed(target: &Target, how: &str, input: &[u8]) {
    let began = Instant::now();
    let fed = catch_unwind(AssertUnwindSafe(|| (target.decode)(input)));
    let took = began.elapsed();
    let what = format!("{} with {how}", target.name);
    assert!(fed.is_ok(), "{what}: a panic over {}", to_text(input));
    assert!(took < PATIENCE, "{what}: {took:?} over {}", to_text(input));
}
