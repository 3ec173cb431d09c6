//! Many seeds of one kind of plan, each in a process of its own: what one leaves
//! behind in the process cannot reach another, and a seed is its whole run.
//!
//! `SIM_SEED=n` runs that seed alone, in this process; `SIM_SEEDS=n` as many of
//! each kind; `SIM_FIRST=n` begins there; `SIM_LOG=debug` shows what the processes
//! log.

use super::check;
use super::plan::Plan;
use super::run::{Outcome, SUMMARY, simulate};
use std::env;
use std::ops::Range;
use std::process::{Command, Stdio};

/// Seeds of one kind, unless `SIM_SEEDS` says otherwise.
pub(crate) const SEEDS: u64 = 11;

/// What a kind of plan must show beyond the promises.
pub(crate) type Check = fn(&Outcome) -> Vec<String>;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

fn seeds(count: u64) -> Range<u64> {
    let first = number("SIM_FIRST").unwrap_or(1);
    first..first + number("SIM_SEEDS").unwrap_or(count)
}

/// Runs `test` (its path within this crate) once for each seed; panics with the
/// first seed that breaks a promise.
#[track_caller]
pub(crate) fn explore(test: &str, plan: impl Fn(u64) -> Plan, more: Check) {
    if let Some(seed) = number("SIM_SEED") {
        let found = run(plan(seed), more);
        assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
        return;
    }
    for seed in seeds(SEEDS) {
        let (passed, printed) = alone(test, seed);
        let again = format!("SIM_SEED={seed} cargo test -p frontdesk-tests --test sim {test}");
        assert!(passed, "seed {seed} breaks a promise; again: {again}\n{printed}");
    }
}

/// As `explore`, for a bug: a seed must be found that breaks this promise.
#[track_caller]
pub(crate) fn catches(test: &str, promise: &str, plan: impl Fn(u64) -> Plan) {
    if let Some(seed) = number("SIM_SEED") {
        let found = run(plan(seed), |_| Vec::new());
        assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
        return;
    }
    let found = seeds(SEEDS).find(|seed| {
        let (passed, printed) = alone(test, *seed);
        !passed && printed.contains(promise)
    });
    assert!(found.is_some(), "no seed shows that the bug breaks {promise}");
}

fn run(plan: Plan, more: Check) -> Vec<String> {
    if let Ok(filter) = env::var("SIM_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).init();
    }
    for trouble in &plan.troubles {
        println!("{} to {} ms: {:?}", trouble.from_ms, trouble.until_ms, trouble.fault);
    }
    // A fresh thread: nothing in it has drawn a number yet.
    let simulating = std::thread::spawn(move || {
        let outcome = simulate(plan);
        println!("{}", outcome.summary());
        let mut wrongs = check::wrongs(&outcome);
        wrongs.extend(more(&outcome));
        wrongs
    });
    simulating.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a run of one seed comes to, in one line.
pub(crate) fn summary_of(test: &str, seed: u64) -> String {
    let (_, printed) = alone(test, seed);
    let line = printed.lines().find(|line| line.contains(SUMMARY));
    line.unwrap_or_else(|| panic!("no summary in:\n{printed}")).to_owned()
}

fn alone(test: &str, seed: u64) -> (bool, String) {
    let mut command = Command::new(env::current_exe().expect("a test has a program"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env("SIM_SEED", seed.to_string()).stdin(Stdio::null());
    let output = command.output().expect("it can be run again");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}
