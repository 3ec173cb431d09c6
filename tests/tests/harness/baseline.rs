//! Baselines: learned from three runs, compared with, refused where they do not
//! fit.

use crate::verdicts::small;
use crate::{Run, loadtest, server};
use frontdesk_results::{Latency, RunResult};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that a comparison may take.
const SOON: Duration = Duration::from_secs(20);

fn put(folder: &Path, name: &str, result: &RunResult) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, result.to_json()).expect("a file can be written");
    path
}

/// Runs the program with a command and files; gives its exit status and words.
fn ask(command: &str, files: &[&Path]) -> (i32, String) {
    let files = files.iter().map(|path| path.to_str().expect("paths here are text"));
    let arguments: Vec<&str> = [command].into_iter().chain(files).collect();
    let mut process = loadtest(&arguments);
    let status = process.wait_exit(SOON).code().expect("no signal ended it");
    (status, process.printed())
}

/// The same run, were each latency three times as long.
fn slower(result: &RunResult) -> RunResult {
    let mut slower = result.clone();
    slower.run = "slower".to_owned();
    for latency in slower.latencies.values_mut() {
        let mut histogram = Latency::recorder();
        for value in latency.histogram().expect("a histogram").iter_recorded() {
            let count = value.count_at_value();
            histogram.record_n(value.value_iterated_to() * 3, count).expect("it grows");
        }
        *latency = Latency::of(&histogram);
    }
    slower
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regression_is_told_from_noise_and_other_scenarios_are_refused() {
    let server = server().await;
    let result = Run::start(&server, &server.gateway(), &small()).finish();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let runs: Vec<PathBuf> = (1..=3)
        .map(|n| {
            let run = RunResult { run: format!("{n:08x}"), ..result.clone() };
            put(folder.path(), &format!("{n}.json"), &run)
        })
        .collect();
    let base = folder.path().join("base.json");
    let out = PathBuf::from(format!("--out={}", base.display()));

    let (status, words) = ask("baseline", &[&runs[0], &runs[1], &out]);
    assert_eq!(status, 1, "two runs show no noise: {words}");
    let (status, words) = ask("baseline", &[&runs[0], &runs[1], &runs[2], &out]);
    assert_eq!(status, 0, "{words}");
    let (status, words) = ask("compare", &[&base, &runs[0]]);
    assert_eq!(status, 0, "{words}");
    let worse = put(folder.path(), "worse.json", &slower(&result));
    let (status, words) = ask("compare", &[&base, &worse]);
    assert_eq!(status, 3, "{words}");
    let mut other = result.clone();
    other.scenario.digest = "0".repeat(16);
    let other = put(folder.path(), "other.json", &other);
    let (status, words) = ask("compare", &[&base, &other]);
    assert_eq!(status, 1, "{words}");
    assert!(words.contains("scenario"), "{words}");
    let (status, words) = ask("compare", &[&runs[0], &runs[1]]);
    assert_eq!(status, 1, "one run is no baseline: {words}");
}
