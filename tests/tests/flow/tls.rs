//! TLS from end to end: the terminal commands and the harness at a gateway that has
//! certificates of an authority that only `SSL_CERT_FILE` makes them trust.

use frontdesk_results::Verdict;
use frontdesk_tests::binary;
use frontdesk_tests::load::Load;
use frontdesk_tests::server::{Plan, Server};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// The smoke scenario takes some seconds.
const SMOKE: Duration = Duration::from_secs(120);

async fn server(certificates: &Path) -> Server {
    let made = Command::new(binary::frontdesk())
        .args(["cluster", "certificates"])
        .arg(certificates)
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Plan::default()
        .extra_agents(3)
        .set("gateway.tls.cert", certificates.join("cert.pem").display())
        .set("gateway.tls.key", certificates.join("key.pem").display())
        .start()
        .await
}

fn queues(server: &Server, trusted: &Path) -> Output {
    let supervisor = server.supervisor();
    Command::new(binary::frontdesk())
        .args(["ctl", "queues", "--target", server.url(), "--email", &supervisor.email])
        .env("FRONTDESK_PASSWORD", supervisor.password.unwrap_or_default())
        .env("SSL_CERT_FILE", trusted)
        .output()
        .expect("the binary runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_and_carrier_speaks_tls() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = server(folder.path()).await;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let trusted = folder.path().join("ca.pem");

    let listed = queues(&server, &trusted);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));

    let smoke = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadtest/scenarios/smoke.toml");
    let files = tempfile::tempdir().expect("a temporary folder can be made");
    let trust = [("SSL_CERT_FILE", trusted.to_str().expect("a path of UTF-8"))];
    let (accounts, target) = (server.announced(), [server.url()]);
    let result = Load::start_file(accounts, &target, &smoke, files, &[], &trust).finish(SMOKE);
    assert_eq!(result.verdict, Verdict::Passed, "{:?}", result.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = server(folder.path()).await;
    let other = tempfile::tempdir().expect("a temporary folder can be made");
    let made = Command::new(binary::frontdesk())
        .args(["cluster", "certificates"])
        .arg(other.path())
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let refused = queues(&server, &other.path().join("ca.pem"));
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("certificate"), "it says why: {errors}");
}
