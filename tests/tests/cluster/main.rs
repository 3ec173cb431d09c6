//! A whole cluster of real processes with real Redis and PostgreSQL, under load and
//! audit, while its parts fail: each line of the table of faults, and a deploy.
//!
//! One cluster at a time: a dozen processes are enough for two cores.

mod backup;
mod faults;
mod files;
mod founding;
mod mixed;
mod operate;
mod partition;
mod peers;
mod rolling;
mod shift;
mod traces;

use frontdesk_results::{RunResult, Verdict};
use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::load::Load;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// Agents that the scenarios here sign in.
const EXTRA_AGENTS: &str = "4";
/// What a run takes beside its phases: joining, reading back, a busy machine.
const BESIDE: Duration = Duration::from_secs(120);

/// Held by whoever has a cluster.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A cluster as it comes, and the turn to have one.
async fn cluster() -> (Cluster, MutexGuard<'static, ()>) {
    let turn = ONE_AT_A_TIME.lock().await;
    (Cluster::start(&["--extra-agents", EXTRA_AGENTS]).await, turn)
}

/// Twenty chats at two messages a second, for so long; with the agents there are.
fn steady(name: &str, seconds: u64) -> String {
    format!(
        r#"
name = "{name}"
description = "Conversations go on while something else happens."
purpose = "function"
seed = 1
joins_per_second = 50
thresholds = ["refused.count == 0"]

[[phases]]
kind = "steady"
seconds = {seconds}
conversations = 20

[agents]
count = {EXTRA_AGENTS}

[conversation]
messages_per_second = 2.0
length_bytes = "real-messages"
"#
    )
}

/// Runs a scenario to its end.
fn run(cluster: &Cluster, scenario: &str, seconds: u64) -> RunResult {
    let signal = cluster.signal_command();
    run_with(cluster, scenario, seconds, &[], &[("LOADTEST_SIGNAL", &signal)])
}

/// A shipped scenario that asks whether things work. As shipped it doubts its own figures
/// when messages left late by milliseconds, as they do on a machine that others share; what
/// is lost, refused or back after seconds is judged all the same.
fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadtest/scenarios");
    let text = std::fs::read_to_string(folder.join(name)).expect("the scenario is shipped");
    assert!(!text.contains("purpose"), "{name} says itself what it is for");
    text.replacen("seed = ", "purpose = \"function\"\nseed = ", 1)
}

/// The same, with more arguments and variables.
fn run_with(
    cluster: &Cluster,
    scenario: &str,
    seconds: u64,
    more: &[&str],
    variables: &[(&str, &str)],
) -> RunResult {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, scenario).expect("a file can be written");
    let (announced, gateways) = (cluster.announced(), cluster.gateways());
    let load = Load::start_file(announced, &gateways, &path, folder, more, variables);
    load.finish(Duration::from_secs(seconds) + BESIDE)
}

/// Panics unless everything held: no violation, no threshold broken.
#[track_caller]
fn passed(result: &RunResult) {
    assert_eq!(result.verdict, Verdict::Passed, "{:?}", result.reasons);
}
