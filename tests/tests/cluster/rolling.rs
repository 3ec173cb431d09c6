//! A deploy: every process is replaced in turn, under load.

use crate::{BESIDE, cluster, passed, steady};
use frontdesk_tests::load::Load;
use std::time::Duration;

const SECONDS: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn every_process_may_be_replaced_under_load() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.parts_may_fail();
    let load =
        Load::start(cluster.announced(), &cluster.gateways(), &steady("rolling-restart", SECONDS));
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
