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
}

crate::desk_conformance!(OnSqlite::new());

#[tokio::test]
async fn a_closed_desk_is_unavailable() {
    let temp = tempfile::tempdir().unwrap();
    let desk = open(&temp);
    desk.close();
    assert!(matches!(desk.sites().await, Err(DeskStoreError::Unavailable(_))));
}
