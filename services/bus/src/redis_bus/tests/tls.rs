//! A server that speaks TLS: the contract, and whom it is not spoken with.

use super::super::connect::Connector;
use super::connect;
use crate::testing::RedisServer;
use crate::{RedisSettings, conformance};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of an authority and of a certificate that it has made for a name.
struct Files {
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

fn files(folder: &Path, of: &str, name: &str) -> Files {
    let write = |file: &str, pem: String| {
        let path = folder.join(format!("{of}-{file}.pem"));
        std::fs::write(&path, pem).unwrap();
        path
    };
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    // OpenSSL takes a certificate with its issuer's own name for one that made itself.
    ca.distinguished_name.push(DnType::CommonName, of);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    Files {
        ca: write("ca", ca_cert.pem()),
        cert: write("cert", leaf.pem()),
        key: write("key", key.serialize_pem()),
    }
}

/// A server that speaks TLS on a port of its own, and how to reach it.
fn start(ours: &Files, clients: &str) -> (RedisServer, RedisSettings) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let server = RedisServer::start_with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &text(&ours.cert),
        "--tls-key-file",
        &text(&ours.key),
        "--tls-ca-cert-file",
        &text(&ours.ca),
        "--tls-auth-clients",
        clients,
    ]);
    let mut settings = server.settings();
    settings.address = format!("rediss://127.0.0.1:{port}").parse().unwrap();
    settings.ca = Some(ours.ca.clone());
    settings.connect_timeout_ms = 10_000;
    (server, settings)
}

async fn opens(settings: &RedisSettings) -> Result<(), String> {
    let mut connector = Connector::new(Arc::new(settings.plan().unwrap()));
    connector.open().await.map(drop).map_err(|e| e.to_string())
}

#[tokio::test]
async fn a_server_with_tls_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let ours = files(folder.path(), "ours", "127.0.0.1");
    let (_server, settings) = start(&ours, "no");
    conformance::all(|| connect(&settings)).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_is_not_spoken_with() {
    let folder = tempfile::tempdir().unwrap();
    let ours = files(folder.path(), "ours", "127.0.0.1");
    let theirs = files(folder.path(), "theirs", "127.0.0.1");
    let (_server, good) = start(&ours, "no");
    opens(&good).await.unwrap();
    for ca in [Some(theirs.ca), None] {
        let error = opens(&RedisSettings { ca, ..good.clone() }).await.unwrap_err();
        assert!(error.contains("UnknownIssuer"), "{error}");
    }
    let named = files(folder.path(), "named", "redis.example");
    let (_server, elsewhere) = start(&named, "no");
    let error = opens(&elsewhere).await.unwrap_err();
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn a_server_that_asks_is_shown_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let ours = files(folder.path(), "ours", "127.0.0.1");
    let (_server, mut settings) = start(&ours, "yes");
    assert!(opens(&settings).await.is_err());
    settings.client_cert = Some(ours.cert);
    settings.client_key = Some(ours.key);
    opens(&settings).await.unwrap();
}
