//! What a journal still knows when it is opened again: promise P1.

use super::fixture::{
    append, conversation, key, keyed, put, record, sender, seqs, summary, visitor,
};
use super::{Ending, Subject};
use crate::journal::{AppendOutcome, JournalError, ReadCursors, Snapshot};
use bytes::Bytes;
use frontdesk_core::ids::{Epoch, Seq};
use frontdesk_core::shard::ShardId;
use futures::future::join_all;
use std::sync::Arc;

/// After an orderly end.
pub async fn all_is_kept_over_a_close(subject: &mut dyn Subject) {
    all_is_kept(subject, Ending::Closed).await;
}

/// After any other.
pub async fn all_is_kept_over_a_crash(subject: &mut dyn Subject) {
    all_is_kept(subject, Ending::Dropped).await;
}

async fn all_is_kept(subject: &mut dyn Subject, ending: Ending) {
    let (id, k) = (conversation(), key(sender(1), "m1"));
    let cursors = ReadCursors { visitor: Seq::new(1), agent: Seq::new(2) };
    let snapshot = Snapshot { seq: Seq::new(1), payload: Bytes::from_static(b"state") };
    {
        let journal = subject.journal();
        put(&*journal, 0, summary(id, visitor(1), 1)).await;
        let sent = journal.append(append(id, 1, vec![keyed(2, k.clone())])).await;
        assert_eq!(sent, AppendOutcome::Ok);
        journal.save_snapshot(id, snapshot.clone()).await.expect("saved");
        journal.save_cursors(vec![(id, cursors)]).await.expect("saved");
        journal.claim(&[(ShardId::of(id), Epoch::new(3))]).await.expect("claimed");
    }
    for _ in 0..2 {
        subject.reopen(ending).await;
        let journal = subject.journal();
        assert_eq!(seqs(&*journal, id).await, [1, 2]);
        assert_eq!(journal.find_dedup(id, &k).await, Ok(Some(Seq::new(2))));
        assert_eq!(journal.summary(id).await, Ok(Some(Arc::new(summary(id, visitor(1), 1)))));
        let loaded = journal.load(id).await.expect("readable").expect("there");
        assert_eq!((loaded.snapshot, loaded.cursors), (Some(snapshot.clone()), cursors));
        let stale = journal.claim(&[(ShardId::of(id), Epoch::new(2))]).await;
        assert!(matches!(stale, Err(JournalError::Fenced { .. })));
    }
}

/// What was in flight is there or not, but what was answered is, without gaps.
pub async fn a_crash_keeps_what_was_answered(subject: &mut dyn Subject) {
    let id = conversation();
    let journal = subject.journal();
    let sent: Vec<_> =
        (0..500).map(|head| journal.append(append(id, head, vec![record(head + 1)]))).collect();
    drop(journal);
    subject.reopen(Ending::Dropped).await;
    let answered = join_all(sent).await.iter().filter(|o| **o == AppendOutcome::Ok).count();
    let kept = seqs(&*subject.journal(), id).await;
    assert_eq!(kept, (1..=kept.len() as u32).collect::<Vec<_>>());
    assert!(kept.len() >= answered, "{answered} answered, {} kept", kept.len());
}
