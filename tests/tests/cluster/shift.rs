//! A change of shift while the leader dies; in full size with `--example shift`.

use crate::ONE_AT_A_TIME;
use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::shift::{self, Shift};
use std::time::Duration;

const SHIFT: Shift = Shift {
    agents: 40,
    waiting: 600,
    within: Duration::from_secs(10),
    handling: Duration::from_secs(2),
};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_served_once_when_a_shift_begins() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let arguments = shift::cluster_arguments(&SHIFT);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let cluster = Cluster::start(&arguments).await.parts_may_fail();
    let report = shift::run(&cluster, SHIFT).await;
    println!("{report}");
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    cluster.stop();
}
