//! Pages, loading, snapshots and read cursors.

use super::Subject;
use super::fixture::{append, conversation, fill, internal, page, query, record, seqs_of};
use crate::journal::{AppendOutcome, Journal, ReadCursors, ReadQuery, Snapshot};
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;

async fn seqs(journal: &dyn Journal, query: ReadQuery) -> (Vec<u32>, bool) {
    let page = page(journal, query).await;
    (seqs_of(&page), page.more)
}

/// From a cursor on; `more` is exact.
pub async fn pages_forward(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    fill(&*journal, id, 10).await;
    let from = |after, limit| ReadQuery { after: Seq::new(after), limit, ..query(id) };
    assert_eq!(seqs(&*journal, from(0, 4)).await, (vec![1, 2, 3, 4], true));
    assert_eq!(seqs(&*journal, from(4, 6)).await, (vec![5, 6, 7, 8, 9, 10], false));
    assert_eq!(seqs(&*journal, from(9, 6)).await, (vec![10], false));
    assert_eq!(seqs(&*journal, from(10, 6)).await, (vec![], false));
    assert_eq!(seqs(&*journal, from(u32::MAX, 6)).await, (vec![], false));
    assert_eq!(seqs(&*journal, query(conversation())).await, (vec![], false));
}

/// Towards the beginning, each page in rising order.
pub async fn pages_backward(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    fill(&*journal, id, 10).await;
    let before =
        |after, limit| ReadQuery { after: Seq::new(after), limit, backwards: true, ..query(id) };
    assert_eq!(seqs(&*journal, before(0, 3)).await, (vec![8, 9, 10], true));
    assert_eq!(seqs(&*journal, before(8, 3)).await, (vec![5, 6, 7], true));
    assert_eq!(seqs(&*journal, before(5, 4)).await, (vec![1, 2, 3, 4], false));
    assert_eq!(seqs(&*journal, before(1, 4)).await, (vec![], false));
}

/// Nothing internal, and limits count what may be seen.
pub async fn pages_for_the_public(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    let records = vec![record(1), internal(2), internal(3), record(4), record(5), internal(6)];
    assert_eq!(journal.append(append(id, 0, records)).await, AppendOutcome::Ok);
    let public = ReadQuery { audience: Audience::Public, ..query(id) };
    assert_eq!(seqs(&*journal, public.clone()).await, (vec![1, 4, 5], false));
    let two = ReadQuery { limit: 2, ..public };
    assert_eq!(seqs(&*journal, two.clone()).await, (vec![1, 4], true));
    let last_two = ReadQuery { backwards: true, ..two };
    assert_eq!(seqs(&*journal, last_two.clone()).await, (vec![4, 5], true));
    let rest = ReadQuery { after: Seq::new(4), ..last_two };
    assert_eq!(seqs(&*journal, rest).await, (vec![1], false));
}

/// A page ends after the record that brings it over, and has at least one.
pub async fn pages_end_at_their_bytes(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    fill(&*journal, id, 9).await;
    let each = record(1).payload.len();
    let within = |max_bytes| ReadQuery { max_bytes, ..query(id) };
    assert_eq!(seqs(&*journal, within(0)).await, (vec![1], true));
    assert_eq!(seqs(&*journal, within(each)).await, (vec![1, 2], true));
    assert_eq!(seqs(&*journal, within(each * 3 - 1)).await, (vec![1, 2, 3], true));
    let backwards = ReadQuery { backwards: true, ..within(each - 1) };
    assert_eq!(seqs(&*journal, backwards).await, (vec![9], true));
    assert!(!seqs(&*journal, within(each * 8)).await.1);
}

/// Without events there is nothing to load, whatever else was stored.
pub async fn load_of_nothing_is_none(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    assert!(journal.load(id).await.expect("readable").is_none());
    journal.save_cursors(vec![(id, cursors(1, 1))]).await.expect("saved");
    journal.save_snapshot(id, snapshot(1, "early")).await.expect("saved");
    assert!(journal.load(id).await.expect("readable").is_none());
    assert_eq!(journal.summary(id).await, Ok(None));
}

/// The three parts fit together.
pub async fn load_gives_snapshot_cursors_and_tail(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    let records = vec![record(1), internal(2), record(3), internal(4)];
    assert_eq!(journal.append(append(id, 0, records)).await, AppendOutcome::Ok);
    let whole = journal.load(id).await.expect("readable").expect("there");
    assert_eq!((whole.snapshot, whole.cursors), (None, ReadCursors::default()));
    assert_eq!((seqs_of(&whole.tail), whole.tail.more), (vec![1, 2, 3, 4], false));

    journal.save_snapshot(id, snapshot(2, "state")).await.expect("saved");
    journal.save_cursors(vec![(id, cursors(1, 2))]).await.expect("saved");
    let loaded = journal.load(id).await.expect("readable").expect("there");
    assert_eq!(loaded.snapshot, Some(snapshot(2, "state")));
    assert_eq!(loaded.cursors, cursors(1, 2));
    assert_eq!(seqs_of(&loaded.tail), [3, 4]);

    journal.save_snapshot(id, snapshot(4, "whole")).await.expect("saved");
    let loaded = journal.load(id).await.expect("readable").expect("there");
    assert_eq!((loaded.snapshot, loaded.tail.records.len()), (Some(snapshot(4, "whole")), 0));
}

/// Memory must not run ahead of the journal.
pub async fn load_passes_over_a_snapshot_ahead(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    fill(&*journal, id, 2).await;
    journal.save_snapshot(id, snapshot(5, "ahead")).await.expect("saved");
    let loaded = journal.load(id).await.expect("readable").expect("there");
    assert_eq!((loaded.snapshot, seqs_of(&loaded.tail)), (None, vec![1, 2]));
}

/// An older snapshot does not replace a newer one.
pub async fn snapshots_never_go_back(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    fill(&*journal, id, 3).await;
    for (seq, payload) in [(2, "two"), (3, "three"), (1, "one")] {
        journal.save_snapshot(id, snapshot(seq, payload)).await.expect("saved");
    }
    let loaded = journal.load(id).await.expect("readable").expect("there");
    assert_eq!(loaded.snapshot, Some(snapshot(3, "three")));
}

/// Each side for itself.
pub async fn cursors_never_go_back(subject: &mut dyn Subject) {
    let (journal, id, other) = (subject.journal(), conversation(), conversation());
    fill(&*journal, id, 9).await;
    fill(&*journal, other, 9).await;
    let moves = vec![(id, cursors(5, 0)), (other, cursors(1, 1)), (id, cursors(4, 2))];
    journal.save_cursors(moves).await.expect("saved");
    journal.save_cursors(vec![(id, cursors(6, 1))]).await.expect("saved");
    journal.save_cursors(vec![]).await.expect("saved");
    assert_eq!(loaded_cursors(&*journal, id).await, cursors(6, 2));
    assert_eq!(loaded_cursors(&*journal, other).await, cursors(1, 1));
}

async fn loaded_cursors(journal: &dyn Journal, id: ConversationId) -> ReadCursors {
    journal.load(id).await.expect("readable").expect("there").cursors
}

fn snapshot(seq: u32, payload: &'static str) -> Snapshot {
    Snapshot { seq: Seq::new(seq), payload: Bytes::from_static(payload.as_bytes()) }
}

fn cursors(visitor: u32, agent: u32) -> ReadCursors {
    ReadCursors { visitor: Seq::new(visitor), agent: Seq::new(agent) }
}
