//! A change of shift on a cluster of this machine, in full size:
//! `shift [AGENTS [WAITING [SECONDS [HANDLING_SECONDS]]]]` (2000, 20000, 60, 20). Prints
//! what was seen; ends with 1 when anything was broken.

use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::shift::{self, Shift};
use std::process::ExitCode;
use std::time::Duration;

#[tokio::main]
async fn main() -> ExitCode {
    let given: Vec<u64> = std::env::args().skip(1).map_while(|a| a.parse().ok()).collect();
    let of = |n: usize, or: u64| given.get(n).copied().unwrap_or(or);
    let shift = Shift {
        agents: usize::try_from(of(0, 2_000)).expect("64 bits"),
        waiting: usize::try_from(of(1, 20_000)).expect("64 bits"),
        within: Duration::from_secs(of(2, 60)),
        handling: Duration::from_secs(of(3, 20)),
    };
    let arguments = shift::cluster_arguments(&shift);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let cluster = Cluster::start(&arguments).await;
    let report = shift::run(&cluster, shift).await;
    println!("{report}");
    report.violations.iter().for_each(|violation| println!("  {violation}"));
    cluster.stop();
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
