//! What is erased is gone for every reader, and every place is still there.

use super::fixture::{all, append, closed, conversation, fill, key, keyed, put, record, sender};
use super::fixture::{summary, visitor};
use super::{Ending, Subject};
use crate::journal::{Append, AppendOutcome, Erasure, Record, Snapshot};
use bytes::Bytes;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::shard::ShardId;
use std::sync::Arc;

/// All events before empty, and one that says so.
fn erasure(id: ConversationId, head: u32) -> Erasure {
    let preview = Arc::from("");
    let summary = Summary { phase: closed(), preview, erased: true, ..summary(id, visitor(1), 9) };
    let append =
        Append { summary: Some(Arc::new(summary)), ..append(id, head, vec![record(head + 1)]) };
    Erasure {
        append,
        payloads: (1..=head).map(|n| Bytes::from(format!("blank {n}"))).collect(),
        snapshot: Snapshot { seq: Seq::new(head + 1), payload: Bytes::from_static(b"nothing") },
    }
}

/// Whatever was said long ago or just now, by whom, and whatever comes late.
pub async fn what_is_erased_is_nowhere_and_places_stay(subject: &mut dyn Subject) {
    let (journal, id, other) = (subject.journal(), conversation(), conversation());
    put(&*journal, 0, summary(id, visitor(1), 1)).await;
    fill(&*journal, other, 200).await;
    let k = key(sender(1), "m1");
    assert_eq!(journal.append(append(id, 1, vec![keyed(2, k.clone())])).await, AppendOutcome::Ok);
    let old = Snapshot { seq: Seq::new(2), payload: Bytes::from_static(b"old") };
    journal.save_snapshot(id, old.clone()).await.expect("saved");
    for head in 2..300 {
        let outcome = journal.append(append(id, head, vec![record(head + 1)])).await;
        assert_eq!(outcome, AppendOutcome::Ok);
    }
    let before = all(&*journal, id).await;
    assert_eq!(journal.erase(erasure(id, 300)).await, AppendOutcome::Ok);
    // One that was under way is no newer.
    journal.save_snapshot(id, old).await.expect("passed over");
    assert!(journal.scrub().await.is_ok());
    let blank =
        |record: Record| Record { payload: Bytes::from(format!("blank {}", record.seq)), ..record };
    let mut expected: Vec<Record> = before.into_iter().map(blank).collect();
    expected.push(record(301));
    drop(journal);
    for ending in [None, Some(Ending::Closed), Some(Ending::Dropped)] {
        if let Some(ending) = ending {
            subject.reopen(ending).await;
        }
        let journal = subject.journal();
        assert_eq!(all(&*journal, id).await, expected);
        let loaded = journal.load(id).await.expect("readable").expect("there");
        assert_eq!(loaded.snapshot.expect("one").payload, &b"nothing"[..]);
        let listed = journal.summary(id).await.expect("readable").expect("there");
        assert!(listed.erased && listed.preview.is_empty());
        assert_eq!(journal.find_dedup(id, &k).await, Ok(Some(Seq::new(2))));
        assert_eq!(all(&*journal, other).await, (1..=200).map(record).collect::<Vec<_>>());
    }
    let more = subject.journal().append(append(id, 301, vec![record(302)])).await;
    assert_eq!(more, AppendOutcome::Ok);
}

/// Of a stale owner, or at another head.
pub async fn an_erasure_fits_or_changes_nothing(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    put(&*journal, 0, summary(id, visitor(1), 1)).await;
    assert_eq!(journal.append(append(id, 1, vec![record(2)])).await, AppendOutcome::Ok);
    let conflict = AppendOutcome::SeqConflict { head: Seq::new(2) };
    assert_eq!(journal.erase(erasure(id, 1)).await, conflict);
    journal.claim(&[(ShardId::of(id), Epoch::new(4))]).await.expect("claimed");
    let fenced = AppendOutcome::Fenced { epoch: Epoch::new(4) };
    assert_eq!(journal.erase(erasure(id, 2)).await, fenced);
    assert_eq!(all(&*journal, id).await, [record(1), record(2)]);
    let listed = journal.summary(id).await.expect("readable").expect("there");
    assert!(!listed.erased);
}
