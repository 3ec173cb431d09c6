//! Empty databases for the tests here, on a server that all tests of the process
//! share and that ends with it.

use super::PostgresSettings;
use super::database::Database;
use super::testing::LocalPostgres;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static SERVER: LazyLock<LocalPostgres> = LazyLock::new(server);
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A server of a test's own, for a test that ends it.
pub(super) fn server() -> LocalPostgres {
    LocalPostgres::start().expect("the tests need PostgreSQL's programs")
}

/// An empty database of the shared server.
pub(crate) async fn fresh() -> PostgresSettings {
    fresh_on(&SERVER).await
}

/// How to connect: a busy machine is no failure.
fn settings(url: String) -> PostgresSettings {
    PostgresSettings {
        url,
        connect_timeout_seconds: 60,
        statement_timeout_ms: 60_000,
        ..Default::default()
    }
}

/// An empty database of `server`.
pub(super) async fn fresh_on(server: &LocalPostgres) -> PostgresSettings {
    let name = format!("fresh_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let database = Database::new(&settings(server.url("postgres")), 1).expect("a URL");
    // It listens a moment before it takes connections.
    let live = loop {
        match database.any().await {
            Ok(live) => break live,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    // Tests end the server, never the machine: nothing waits for the disk.
    live.batch("ALTER SYSTEM SET fsync = off").await.expect("a setting");
    live.batch("SELECT pg_reload_conf()").await.expect("a setting");
    // A language's order of text, as an installation may have it.
    let order = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'";
    live.batch(&format!("CREATE DATABASE {name} {order}")).await.expect("a database");
    settings(server.url(&name))
}
