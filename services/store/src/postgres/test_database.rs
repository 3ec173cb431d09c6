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
pub(super) async fn fresh() -> PostgresSettings {
    fresh_on(&SERVER).await
}

/// An empty database of `server`.
pub(super) async fn fresh_on(server: &LocalPostgres) -> PostgresSettings {
    let name = format!("fresh_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = PostgresSettings { url: server.url("postgres"), ..Default::default() };
    let database = Database::new(&admin, 1).expect("a URL");
    // It listens a moment before it takes connections.
    let live = loop {
        match database.any().await {
            Ok(live) => break live,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    live.batch(&format!("CREATE DATABASE {name}")).await.expect("a database");
    PostgresSettings { url: server.url(&name), ..Default::default() }
}
