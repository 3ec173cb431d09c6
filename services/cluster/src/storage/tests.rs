//! The consensus library's own suite against this storage, and what a file is
//! after it was closed or copied under way.

use super::*;
use crate::types::{Entry, LogId, TypeConfig, Vote};
use openraft::storage::{RaftLogReader, RaftLogStorage, RaftLogStorageExt};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{EntryPayload, StorageError};

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, tempfile::TempDir> for Builder {
    async fn build(
        &self,
    ) -> Result<(tempfile::TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = open_folder(folder.path().to_owned()).expect("a new file opens");
        Ok((folder, storage.log, storage.machine))
    }
}

#[tokio::test]
async fn the_library_s_suite_passes() {
    Suite::test_all(Builder).await.expect("every test of the suite passes");
}

fn log_id(index: u64) -> LogId {
    let leader = openraft::impls::leader_id_adv::LeaderId { term: 1, node_id: 1 };
    LogId { leader_id: leader, index }
}

fn entries(range: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    range.map(|index| Entry { log_id: log_id(index), payload: EntryPayload::Blank }).collect()
}

#[tokio::test]
async fn a_closed_file_opens_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = open_folder(folder.path().to_owned()).expect("opens");
    first.log.save_vote(&Vote::new_committed(3, 1)).await.expect("saves");
    first.log.blocking_append(entries(0..=2_999)).await.expect("appends");
    first.log.truncate_after(Some(log_id(2_499))).await.expect("truncates");
    first.log.save_committed(Some(log_id(2_400))).await.expect("saves");
    first.log.purge(log_id(2_099)).await.expect("purges");
    first.writer.stop().await;

    let mut again = open_folder(folder.path().to_owned()).expect("opens again");
    let state = again.log.get_log_state().await.expect("reads");
    assert_eq!(state.last_purged_log_id, Some(log_id(2_099)));
    assert_eq!(state.last_log_id, Some(log_id(2_499)));
    assert_eq!(again.log.read_vote().await.expect("reads"), Some(Vote::new_committed(3, 1)));
    assert_eq!(again.log.read_committed().await.expect("reads"), Some(log_id(2_400)));
    let all = again.log.try_get_log_entries(0..).await.expect("reads");
    assert_eq!((all.len(), all[0].log_id.index), (400, 2_100));
    again.writer.stop().await;
}

#[tokio::test]
async fn what_left_memory_is_read_from_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut storage = open_folder(folder.path().to_owned()).expect("opens");
    let last = log::TAIL as u64 + 500;
    storage.log.blocking_append(entries(0..=last)).await.expect("appends");
    let early = storage.log.try_get_log_entries(10..20).await.expect("reads");
    assert_eq!(early.iter().map(|e| e.log_id.index).collect::<Vec<_>>(), Vec::from_iter(10..20));
    // Cut off more than memory holds.
    storage.log.truncate_after(Some(log_id(99))).await.expect("truncates");
    let state = storage.log.get_log_state().await.expect("reads");
    assert_eq!(state.last_log_id, Some(log_id(99)));
    storage.writer.stop().await;
}

#[test]
fn a_file_of_another_format_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = rusqlite::Connection::open(folder.path().join(FILE)).expect("opens");
    db.pragma_update(None, "user_version", 99).expect("writes");
    drop(db);
    assert!(open_folder(folder.path().to_owned()).is_err());
}
