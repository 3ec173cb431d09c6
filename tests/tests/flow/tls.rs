//! TLS from end to end: the terminal commands and the harness at a gateway that has
//! certificates of an authority that only `SSL_CERT_FILE` makes them trust.

use frontdesk_results::Verdict;
use frontdesk_tests::binary;
use frontdesk_tests::load::Load;
use frontdesk_tests::server::{Plan, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The smoke scenario takes some seconds.
const SMOKE: Duration = Duration::from_secs(120);

/// For this machine's names and addresses.
fn make_certificates(folder: &Path) {
    let made = Command::new(binary::frontdesk())
        .args(["cluster", "certificates"])
        .arg(folder)
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// For this name, which leads nowhere.
fn make_certificate(folder: &Path, name: &str) -> Result<(), rcgen::Error> {
    let write = |file, text: String| fs::write(folder.join(file), text).expect("a file");
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let own = CertificateParams::new([name.to_owned()])?.signed_by(&key, &authority)?;
    write("ca.pem", authority.pem());
    write("cert.pem", own.pem());
    write("key.pem", key.serialize_pem());
    Ok(())
}

async fn server(certificates: &Path) -> Server {
    Plan::default()
        .extra_agents(3)
        .set("gateway.tls.cert", certificates.join("cert.pem").display())
        .set("gateway.tls.key", certificates.join("key.pem").display())
        .start()
        .await
}

fn queues(server: &Server, trusted: &Path, more: &[&str]) -> Output {
    let supervisor = server.supervisor();
    Command::new(binary::frontdesk())
        .args(["ctl", "queues", "--target", server.url(), "--email", &supervisor.email])
        .args(more)
        .env("FRONTDESK_PASSWORD", supervisor.password.unwrap_or_default())
        .env("SSL_CERT_FILE", trusted)
        .output()
        .expect("the binary runs")
}

fn smoke() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadtest/scenarios/smoke.toml")
}

/// A run that must pass.
fn run(server: &Server, trust: &[(&str, &Path)], more: &[&str]) {
    let files = tempfile::tempdir().expect("a temporary folder can be made");
    let trust = trust.iter().map(|(name, path)| (*name, path.to_str().expect("a path of UTF-8")));
    let trust: Vec<_> = trust.collect();
    let (accounts, target) = (server.announced(), [server.url()]);
    let result = Load::start_file(accounts, &target, &smoke(), files, more, &trust).finish(SMOKE);
    assert_eq!(result.verdict, Verdict::Passed, "{:?}", result.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_and_carrier_speaks_tls() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    make_certificates(folder.path());
    let server = server(folder.path()).await;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let trusted = folder.path().join("ca.pem");

    let listed = queues(&server, &trusted, &[]);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    run(&server, &[("SSL_CERT_FILE", &trusted)], &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_may_be_for_another_name_than_what_is_dialled() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    make_certificate(folder.path(), "chat.example").expect("a certificate can be made");
    let server = server(folder.path()).await;
    let trusted = folder.path().join("ca.pem");

    let named = ["--tls-name", "chat.example"];
    let listed = queues(&server, &trusted, &named);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    // Every carrier, and workers that are told the name by their coordinator. Trusted as the
    // chart has it: authorities in a file that are others, and this one in a folder.
    let chart = tempfile::tempdir().expect("a temporary folder can be made");
    fs::copy(&trusted, chart.path().join("ca.crt")).expect("a file");
    let others = tempfile::tempdir().expect("a temporary folder can be made");
    make_certificates(others.path());
    let file = others.path().join("ca.pem");
    let trust = [("SSL_CERT_FILE", &*file), ("SSL_CERT_DIR", chart.path())];
    run(&server, &trust, &[&named[..], &["--each-address", "--workers", "2"]].concat());

    let accounts = folder.path().join("accounts.json");
    fs::write(&accounts, server.announced()).expect("a file");
    for wrong in [&[][..], &["--tls-name", "other.example"]] {
        let mut command = Command::new(binary::loadtest());
        command.arg("run").arg(smoke()).args(["--target", server.url(), "--accounts"]);
        command.arg(&accounts).args(wrong).env("SSL_CERT_FILE", &trusted);
        let refused = command.output().expect("the binary runs");
        for refused in [refused, queues(&server, &trusted, wrong)] {
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{wrong:?}: {errors}");
            assert!(errors.contains("certificate"), "{wrong:?}: it says why: {errors}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    make_certificates(folder.path());
    let server = server(folder.path()).await;
    let other = tempfile::tempdir().expect("a temporary folder can be made");
    make_certificates(other.path());
    let refused = queues(&server, &other.path().join("ca.pem"), &[]);
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("certificate"), "it says why: {errors}");
}
