//! The conformance suite, and what is particular to SQLite.

use super::SqliteDesk;
use crate::conformance::desk::DeskSubject;
use crate::desk::{DeskStore, DeskStoreError};
use crate::sqlite::DataFolder;
use async_trait::async_trait;
use std::sync::Arc;
use tempfile::TempDir;

struct OnSqlite {
    desk: Option<Arc<SqliteDesk>>,
    temp: TempDir,
}

impl OnSqlite {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        Self { desk: Some(open(&temp)), temp }
    }
}

fn open(temp: &TempDir) -> Arc<SqliteDesk> {
    Arc::new(SqliteDesk::open(&DataFolder::lock(temp.path()).unwrap()).unwrap())
}

#[async_trait]
impl DeskSubject for OnSqlite {
    fn desk(&self) -> Arc<dyn DeskStore> {
        self.desk.clone().expect("open between calls")
    }

    async fn reopen(&mut self) {
        let desk = self.desk.take().expect("open between calls");
        drop(Arc::into_inner(desk).expect("the test gave its clones back"));
        self.desk = Some(open(&self.temp));
    }

    async fn run(&self, sql: &str) -> Result<(), String> {
        let file = self.temp.path().join(super::schema::FILE);
        let connection = rusqlite::Connection::open(file).map_err(|e| e.to_string())?;
        connection.execute_batch(sql).map_err(|e| e.to_string())
    }
}

crate::desk_conformance!(OnSqlite::new());

#[tokio::test]
async fn a_closed_desk_is_unavailable() {
    let temp = tempfile::tempdir().unwrap();
    let desk = open(&temp);
    desk.close();
    assert!(matches!(desk.sites().await, Err(DeskStoreError::Unavailable(_))));
}

/// SQLite removes a row that is replaced without saying so to triggers.
#[tokio::test]
async fn the_audit_log_cannot_be_replaced() {
    let subject = OnSqlite::new();
    let add = "INSERT OR REPLACE INTO audit VALUES
        (x'01', 'one', 1, x'02', '', 'agent', 'watch', '', '{}', '')";
    subject.run("INSERT INTO sites VALUES ('one', 1, '', '')").await.unwrap();
    subject.run(add).await.unwrap();
    for sql in [add, &add.replace("watch", "none"), "REPLACE INTO audit SELECT * FROM audit"] {
        let refused = subject.run(sql).await.unwrap_err();
        assert!(refused.contains("the audit log is only added to"), "{sql}: {refused}");
    }
}
