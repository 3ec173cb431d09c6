//! A deploy: every process is replaced in turn, under load.

use crate::{BESIDE, EXTRA_AGENTS, cluster, passed};
use frontdesk_tests::load::Load;
use std::time::Duration;

const SECONDS: u64 = 100;

const STEADY: &str = r#"
name = "rolling-restart"
description = "Every process is replaced in turn while conversations go on."
purpose = "function"
seed = 1
joins_per_second = 50
thresholds = ["refused.count == 0"]

[[phases]]
kind = "steady"
seconds = 100
conversations = 20

[agents]
count = 4

[conversation]
messages_per_second = 2.0
length_bytes = "real-messages"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_process_may_be_replaced_under_load() {
    assert_eq!(EXTRA_AGENTS, "4", "as the scenario has it");
    let (cluster, _turn) = cluster().await;
    let load = Load::start(cluster.announced(), &cluster.gateways(), STEADY);
    // The conversations have begun.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let engines = ["postgres", "redis"];
    for member in cluster.members().iter().filter(|m| !engines.contains(&m.kind.as_str())) {
        cluster.signal("term", &[&member.name]);
        cluster.restarted(member).await;
    }
    passed(&load.finish(Duration::from_secs(SECONDS) + BESIDE));
    cluster.stop();
}
