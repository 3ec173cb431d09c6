//! The network between processes breaks: real namespaces, real packets lost.

use crate::{EXTRA_AGENTS, ONE_AT_A_TIME, passed, run_with, shipped};
use frontdesk_tests::binary;
use frontdesk_tests::cluster::Cluster;
use std::process::Command;

/// Whether this test may make networks: as root, where the kernel and its keeper
/// allow it.
fn may_make_networks() -> bool {
    let probe = format!("fdprobe{}", std::process::id());
    let ip = |words: &[&str]| Command::new("ip").args(words).output();
    let made = ip(&["link", "add", &probe, "type", "bridge"]);
    let may = made.is_ok_and(|output| output.status.success());
    if may {
        let removed = ip(&["link", "delete", &probe]);
        assert!(removed.is_ok_and(|output| output.status.success()), "{probe} is removed");
    }
    may
}

/// The shipped scenario: owners, the leader and a gateway are cut off in turn;
/// nothing is lost, nothing is written twice, and no client is told of an error.
#[tokio::test(flavor = "multi_thread")]
async fn every_link_may_break() {
    let _turn = ONE_AT_A_TIME.lock().await;
    if !may_make_networks() {
        eprintln!("not run: networks can be made by root only");
        return;
    }
    let cluster = Cluster::start(&["--namespaces", "--extra-agents", EXTRA_AGENTS]).await;
    let cluster = cluster.parts_may_fail();
    let program = format!("{} cluster", binary::frontdesk().display());
    let folder = cluster.folder().display().to_string();
    let variables = [("LOADTEST_CLUSTER", program.as_str()), ("LOADTEST_DATA", folder.as_str())];
    let scenario = shipped("cluster-partitions.toml");
    let result = run_with(&cluster, &scenario, 110, &["--allow-remote"], &variables);
    passed(&result);
    assert_eq!(result.faults.len(), 5, "all faults were made");
    cluster.stop();
}
