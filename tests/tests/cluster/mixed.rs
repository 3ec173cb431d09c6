//! An upgrade: the commit before this one and this one in one cluster, under load.

use crate::{BESIDE, EXTRA_AGENTS, ONE_AT_A_TIME, passed, steady};
use frontdesk_tests::binary;
use frontdesk_tests::cluster::{Cluster, Member};
use frontdesk_tests::load::Load;
use std::fs;
use std::time::Duration;

const SECONDS: u64 = 110;
/// How long both versions work together, half of each role.
const TOGETHER: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_and_this_one_work_together() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let program = folder.path().join("frontdesk");
    fs::copy(binary::previous(), &program).expect("a program can be copied");
    let cluster = Cluster::start_with(&program, &["--extra-agents", EXTRA_AGENTS]).await;
    let cluster = cluster.parts_may_fail();
    let load =
        Load::start(cluster.announced(), &cluster.gateways(), &steady("rolling-upgrade", SECONDS));
    // The conversations have begun.
    tokio::time::sleep(Duration::from_secs(8)).await;

    // Under another name first: what runs is not to be written to.
    let newer = folder.path().join("newer");
    fs::copy(binary::frontdesk(), &newer).expect("a program can be copied");
    fs::rename(&newer, &program).expect("a name can be given anew");
    let engines = ["postgres", "redis"];
    let (some, others): (Vec<Member>, Vec<Member>) = cluster
        .members()
        .into_iter()
        .filter(|member| !engines.contains(&member.kind.as_str()))
        .partition(|member| member.name.ends_with("-1"));
    upgrade(&cluster, &some).await;
    tokio::time::sleep(TOGETHER).await;
    upgrade(&cluster, &others).await;
    passed(&load.finish(Duration::from_secs(SECONDS) + BESIDE));
    cluster.stop();
}

async fn upgrade(cluster: &Cluster, members: &[Member]) {
    for member in members {
        cluster.signal("term", &[&member.name]);
        cluster.restarted(member).await;
    }
}
