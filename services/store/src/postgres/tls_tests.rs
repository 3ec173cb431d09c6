//! Against a real server that speaks TLS alone.

use super::database::{Database, Live};
use super::testing::LocalPostgres;
use super::{PostgresError, PostgresSettings, examine};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An authority and what it makes.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a name, and its key.
    fn certificate(&self, name: &str, common_name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// How a server is reached.
struct Way<'a> {
    server: &'a LocalPostgres,
}

impl Way<'_> {
    fn settings(&self, user: &str, query: &str) -> PostgresSettings {
        let url = self.server.url("postgres").replace("postgres@", &format!("{user}@"));
        PostgresSettings {
            url: format!("{url}{query}"),
            connect_timeout_seconds: 60,
            ..Default::default()
        }
    }
}

async fn connects(settings: &PostgresSettings) -> Result<(), String> {
    let live = Live::connect(&settings.target().unwrap(), settings).await;
    let live = live.map_err(|e| e.to_string())?;
    let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = live.query(ssl, &[]).await.map_err(|e| e.to_string())?;
    assert!(row[0].get::<_, bool>(0), "the connection is not encrypted");
    Ok(())
}

#[tokio::test]
async fn a_server_is_reached_as_far_as_its_certificate_is_good() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (cert, key) = ours.certificate("127.0.0.1", "database");
    let server = LocalPostgres::start_tls(&cert, &key, &ours.pem).unwrap();
    let (way, folder) = (Way { server: &server }, tempfile::tempdir().unwrap());
    let good = file(folder.path(), "good.pem", &ours.pem);
    let bad = file(folder.path(), "bad.pem", &theirs.pem);
    let with = |query: &str, ca: &PathBuf| PostgresSettings {
        ca: Some(ca.clone()),
        ..way.settings("postgres", query)
    };
    // It listens a moment before it takes connections.
    while connects(&way.settings("postgres", "?sslmode=require")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for mode in ["verify-full", "verify-ca", "require"] {
        let query = format!("?sslmode={mode}");
        connects(&with(&query, &good)).await.unwrap_or_else(|e| panic!("{mode}: {e}"));
        let refused = connects(&with(&query, &bad)).await.unwrap_err();
        assert!(refused.contains("certificate"), "{mode}: {refused}");
    }
    // Without an authority these do not ask whose certificate it is.
    for mode in ["require", "prefer"] {
        connects(&way.settings("postgres", &format!("?sslmode={mode}"))).await.unwrap();
    }
    let system = connects(&way.settings("postgres", "?sslmode=verify-full")).await.unwrap_err();
    assert!(system.contains("certificate"), "{system}");
    let plain = connects(&way.settings("postgres", "")).await.unwrap_err();
    assert!(plain.contains("no encryption") || plain.contains("pg_hba"), "{plain}");

    // A name that is not in the certificate, though it leads to the server.
    let elsewhere = |query: &str| {
        let mut settings = with(query, &good);
        settings.url = settings.url.replace("127.0.0.1", "localhost");
        settings
    };
    connects(&elsewhere("?sslmode=verify-ca")).await.unwrap();
    let refused = connects(&elsewhere("?sslmode=verify-full")).await.unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");

    people(&way, &ours, &theirs, folder.path()).await;
}

/// Certificates and passwords of ours.
async fn people(way: &Way<'_>, ours: &Authority, theirs: &Authority, folder: &Path) {
    let ca = file(folder, "ca.pem", &ours.pem);
    let query = format!("?sslmode=verify-full&sslrootcert={}", ca.display());
    let root = way.settings("postgres", &query);
    let live = Live::connect(&root.target().unwrap(), &root).await.unwrap();
    live.batch("CREATE USER certified; CREATE USER secretive PASSWORD 'let me in'").await.unwrap();

    let shows = |authority: &Authority, name: &str| {
        let (cert, key) = authority.certificate("client.example", "certified");
        PostgresSettings {
            client_cert: Some(file(folder, &format!("{name}.crt"), &cert)),
            client_key: Some(file(folder, &format!("{name}.key"), &key)),
            ..way.settings("certified", &query)
        }
    };
    connects(&shows(ours, "ours")).await.unwrap();
    assert!(connects(&shows(theirs, "theirs")).await.is_err());
    assert!(connects(&way.settings("certified", &query)).await.is_err(), "nothing shown");

    let hashed = live.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'secretive'", &[]);
    let hashed: String = hashed.await.unwrap()[0].get(0);
    assert!(hashed.starts_with("SCRAM-SHA-256$"));
    connects(&way.settings("secretive:let%20me%20in", &query)).await.unwrap();
    let wrong = connects(&way.settings("secretive:let%20me", &query)).await.unwrap_err();
    assert!(wrong.contains("password") && !wrong.contains("let me"), "{wrong}");
    assert!(examine(&root).await.is_ok());
}

#[test]
fn what_cannot_be_used_is_told_at_once_and_without_the_url() {
    let settings = |query: &str| PostgresSettings {
        url: format!("postgresql://u:hunter2@db/f{query}"),
        ..Default::default()
    };
    let told = |settings: &PostgresSettings| {
        let error = Database::new(settings, 1).err().map(|e: PostgresError| e.to_string());
        let error = error.expect("an error");
        assert!(!error.contains("hunter2"), "{error}");
        error
    };
    assert!(told(&settings("?sslmode=verify")).contains("verify-full"));
    assert!(told(&settings("?sslmode=require&sslrootcert=/none.pem")).contains("/none.pem"));
    assert!(told(&settings("?sslmode=require&sslcert=/a")).contains("belong together"));
    assert!(told(&settings("?sslmode=%ff")).contains("not a PostgreSQL URL"));
    let odd = PostgresSettings { client_key: Some("/k".into()), ..settings("?sslmode=require") };
    assert!(told(&odd).contains("belong together"));
    assert!(Database::new(&settings("?sslmode=disable&connect_timeout=3"), 1).is_ok());
}

#[test]
fn a_host_elsewhere_in_plain_text_is_told() {
    let exposed = |url: &str| {
        let settings = PostgresSettings { url: url.into(), ..Default::default() };
        settings.exposed_host().unwrap()
    };
    assert_eq!(exposed("postgresql://u@db-1,db-2/f").as_deref(), Some("db-1"));
    assert_eq!(exposed("postgresql://u@db/f?sslmode=require").as_deref(), Some("db"));
    assert_eq!(exposed("postgresql://u@10.0.0.1/f?sslmode=prefer").as_deref(), Some("10.0.0.1"));
    for fine in [
        "postgresql://u@127.0.0.1/f",
        "postgresql://u@localhost/f?sslmode=prefer",
        "postgresql://u@db/f?sslmode=verify-ca",
        "postgresql://u@db/f?sslmode=verify-full",
        "postgresql://u@db/f?sslmode=require&sslrootcert=/ca.pem",
    ] {
        assert_eq!(exposed(fine), None, "{fine}");
    }
    let mixed = exposed("host=db user=u sslmode=require");
    assert_eq!(mixed.as_deref(), Some("db"));
}
