//! Faults as steps of a scenario: made, marked and measured.

use crate::{Run, server};
use frontdesk_results::Verdict;

fn scenario(command: &str) -> String {
    format!(
        r#"
        name = "fault"
        purpose = "function"
        [agents]
        count = 1
        [conversation]
        messages_per_second = 20
        [[phases]]
        kind = "steady"
        seconds = 12
        conversations = 2
        [[faults]]
        name = "freeze"
        at_seconds = 5
        command = '{command}'
        "#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_recovers_and_loses_nothing() {
    let server = server().await;
    let pid = server.process().id().to_string();
    let text =
        scenario("kill -STOP $LOADTEST_SERVER_PID; sleep 2; kill -CONT $LOADTEST_SERVER_PID");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, text).expect("a file can be written");
    let more = ["--server-pid", &pid];
    let result = Run::start_file(&server, &server.gateway(), &path, folder, &more).finish();
    assert_eq!(result.verdict, Verdict::Passed, "{:?}", result.reasons);
    let [fault] = result.faults.as_slice() else { panic!("{:?}", result.faults) };
    assert_eq!((fault.name.as_str(), fault.exit_status), ("freeze", Some(0)));
    let recovery = fault.recovery_s.expect("it went on");
    assert!((1.0..6.0).contains(&recovery), "recovered after {recovery} s");
    // Messages that were due while it was frozen waited for it.
    assert!(result.latencies["ack"].max_us >= 1_000_000, "{:?}", result.latencies["ack"]);
    assert!(result.server.is_some_and(|server| server.cpu_s > 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_could_not_be_made_makes_the_run_invalid() {
    let server = server().await;
    let result = Run::start(&server, &server.gateway(), &scenario("exit 7")).finish();
    assert_eq!(result.exit_status, 5, "{:?}", result.reasons);
    assert_eq!(result.faults[0].exit_status, Some(7));
}
