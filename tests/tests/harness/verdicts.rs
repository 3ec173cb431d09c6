//! Verdicts that are not about the audit: passed, too slow, and not to be
//! trusted.

use crate::{Run, ended, server};
use frontdesk_proto::v1::Party;
use frontdesk_results::Verdict;
use frontdesk_tests::corpus::repository;
use frontdesk_tests::proxy::{Fault, Plot, Proxy};
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

/// The machine has other tests to run: whether things work is asked, not how fast.
const FUNCTION: &str = r#"purpose = "function""#;

/// A few conversations, carried like this.
fn scenario(carrier: &str, more: &str) -> String {
    format!(
        r#"
        name = "small"
        seed = 7
        {more}
        [agents]
        count = 2
        [conversation]
        messages_per_second = 4
        length_bytes = 96
        [carriers]
        visitors = {{ {carrier} = 1 }}
        agents = {{ {carrier} = 1 }}
        [[phases]]
        kind = "steady"
        seconds = 5
        conversations = 3
        "#
    )
}

/// A few conversations, to see whether things work.
pub(crate) fn small() -> String {
    scenario("ws-proto", FUNCTION)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_passes_on_every_carrier() {
    let server = server().await;
    for carrier in ["ws-proto", "ws-json", "grpc"] {
        let scenario = scenario(carrier, FUNCTION);
        let result = Run::start(&server, &server.gateway(), &scenario).finish();
        ended(&result, Verdict::Passed);
        let audit = &result.audit;
        assert_eq!(audit.conversations_read, 3, "{carrier}");
        assert!(audit.messages_read > 3 && audit.violations.is_empty(), "{carrier}: {audit:?}");
        assert!(result.counters["delivered"] > 0, "{carrier}: {:?}", result.counters);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smoke_scenario_passes_with_one_worker_and_with_several() {
    let server = server().await;
    let path = repository().join("loadtest/scenarios/smoke.toml");
    for workers in ["1", "3"] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let more = ["--workers", workers];
        let result = Run::start_file(&server, &server.gateway(), &path, folder, &more).finish();
        ended(&result, Verdict::Passed);
        assert_eq!(result.workers.to_string(), workers);
        // What is meant to happen does not depend on how many make it happen.
        assert_eq!(result.counters["started"], 10, "{:?}", result.counters);
        assert_eq!(result.audit.conversations_read, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_nothing_is_no_offence() {
    let server = server().await;
    let plot = Plot::new(Fault::None, Party::Visitor, 1);
    let proxy = Proxy::before(server.address(), plot).await;
    let scenario = scenario("ws-proto", FUNCTION);
    let result = Run::start(&server, &proxy.address(), &scenario).finish();
    ended(&result, Verdict::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_misses_its_threshold() {
    let delay = Duration::from_millis(100);
    let server = server().await;
    let plot = Plot::new(Fault::Slow(delay), Party::Visitor, 1);
    let proxy = Proxy::before(server.address(), plot).await;
    let threshold = r#"thresholds = ["receipt.p99 < 20ms", "ack.p50 < 60s"]"#;
    let scenario = scenario("ws-proto", &format!("{FUNCTION}\n{threshold}"));
    let result = Run::start(&server, &proxy.address(), &scenario).finish();
    ended(&result, Verdict::Failed);
    let [receipt, ack] = result.thresholds.as_slice() else { panic!("{:?}", result.thresholds) };
    assert_eq!((receipt.threshold.as_str(), receipt.held), ("receipt.p99 < 20ms", false));
    let measured = receipt.measured.expect("messages were received");
    assert!(measured >= delay.as_secs_f64() * 1e3, "measured {measured} ms");
    assert!(ack.held, "{ack:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_generator_is_not_to_be_trusted() {
    let server = server().await;
    let plot = Plot::new(Fault::None, Party::Visitor, 3);
    let proxy = Proxy::before(server.address(), plot).await;
    let run = Run::start(&server, &proxy.address(), &scenario("ws-proto", ""));
    proxy.struck().await;
    signal(&run, "-STOP");
    sleep(Duration::from_secs(2)).await;
    signal(&run, "-CONT");
    let result = run.finish();
    assert_eq!(result.exit_status, 5, "{:?}", result.reasons);
    assert_eq!(result.verdict, Verdict::Invalid);
    assert!(result.audit.violations.is_empty(), "{:?}", result.audit);
    // Not for another reason: what was due meanwhile went out that late.
    let late = result.latencies["late"].max_us;
    assert!(late >= 1_000_000, "at most {late} µs late");
}

fn signal(run: &Run, signal: &str) {
    let id = run.0.process().id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.is_ok_and(|status| status.success()), "cannot signal process {id}");
}
