//! What must happen when a part fails.

use crate::{cluster, passed, run, shipped};

/// The shipped scenario: owners, gateways, the leader, the broker and the database
/// fail in turn; nothing is lost and no client is told of an error.
#[tokio::test(flavor = "multi_thread")]
async fn every_part_may_fail() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.parts_may_fail();
    let result = run(&cluster, &shipped("cluster-faults.toml"), 120);
    passed(&result);
    assert_eq!(result.faults.len(), 8, "all faults were made");
    cluster.stop();
}

/// Without a quorum nothing new is assigned, and what is open goes on; afterwards
/// everything that waited is served.
#[tokio::test(flavor = "multi_thread")]
async fn open_chats_go_on_without_a_quorum() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.parts_may_fail();
    let result = run(&cluster, QUORUM_LOST, 45);
    passed(&result);
    let (started, assigned) = (result.counters["started"], result.counters["assigned"]);
    assert!(assigned >= started, "{assigned} of {started} were served in the end");
    cluster.stop();
}

const QUORUM_LOST: &str = r#"
name = "quorum-lost"
description = "Two of three voters freeze while conversations go on."
purpose = "function"
seed = 1
joins_per_second = 50
thresholds = ["refused.count == 0"]

[[phases]]
kind = "steady"
seconds = 45
conversations = 20

[agents]
count = 4

[conversation]
messages_per_second = 2.0
length_bytes = 100

[[faults]]
name = "no-quorum"
at_seconds = 12
command = "$LOADTEST_SIGNAL stop presence-1 presence-2; sleep 12; $LOADTEST_SIGNAL cont presence-1 presence-2"
"#;
