//! Appends: order, keys, heads, and refusals that leave nothing behind.

use super::Subject;
use super::fixture::{all, append, conversation, fill, internal, key, keyed, record, sender, seqs};
use crate::journal::{AppendOutcome, MAX_PAYLOAD_BYTES, Record};
use bytes::Bytes;
use frontdesk_core::ids::Seq;
use futures::future::join_all;

/// Every field comes back.
pub async fn an_append_is_read_back_as_it_was(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    let written = vec![
        Record { payload: Bytes::new(), ..record(1) },
        Record { prev_public: Seq::new(1), ..internal(2) },
        Record { prev_public: Seq::new(1), ..keyed(3, key(sender(1), "ключ-✓")) },
    ];
    let outcome = journal.append(append(id, 0, written.clone())).await;
    assert_eq!(outcome, AppendOutcome::Ok);
    assert_eq!(all(&*journal, id).await, written);
}

/// A key that stands is answered with its place, however old it is.
pub async fn a_key_is_appended_once(subject: &mut dyn Subject) {
    let (journal, id, k) = (subject.journal(), conversation(), key(sender(1), "m1"));
    fill(&*journal, id, 3).await;
    let first = journal.append(append(id, 3, vec![keyed(4, k.clone())])).await;
    assert_eq!(first, AppendOutcome::Ok);
    for head in 4..40 {
        assert_eq!(
            journal.append(append(id, head, vec![record(head + 1)])).await,
            AppendOutcome::Ok
        );
    }
    let again = journal.append(append(id, 40, vec![keyed(41, k.clone())])).await;
    assert_eq!(again, AppendOutcome::Duplicate(Seq::new(4)));
    assert_eq!(seqs(&*journal, id).await, (1..=40).collect::<Vec<_>>());
    assert_eq!(journal.find_dedup(id, &k).await, Ok(Some(Seq::new(4))));
    assert_eq!(journal.find_dedup(id, &key(sender(1), "m2")).await, Ok(None));
}

/// Also when the first one has not been answered yet.
pub async fn a_key_is_appended_once_within_a_pipeline(subject: &mut dyn Subject) {
    let (journal, id, k) = (subject.journal(), conversation(), key(sender(1), "m1"));
    let first = journal.append(append(id, 0, vec![keyed(1, k.clone())]));
    let again = journal.append(append(id, 1, vec![keyed(2, k)]));
    let other = journal.append(append(id, 1, vec![record(2)]));
    assert_eq!(
        join_all([first, again, other]).await,
        [AppendOutcome::Ok, AppendOutcome::Duplicate(Seq::new(1)), AppendOutcome::Ok]
    );
}

/// The same words from another sender, or elsewhere, are another message.
pub async fn a_key_belongs_to_its_sender_and_conversation(subject: &mut dyn Subject) {
    let (journal, one, two) = (subject.journal(), conversation(), conversation());
    let (mine, theirs) = (key(sender(1), "m1"), key(sender(2), "m1"));
    let outcomes = join_all([
        journal.append(append(one, 0, vec![keyed(1, mine.clone())])),
        journal.append(append(one, 1, vec![keyed(2, theirs)])),
        journal.append(append(two, 0, vec![keyed(1, mine.clone())])),
    ]);
    assert_eq!(outcomes.await, [AppendOutcome::Ok, AppendOutcome::Ok, AppendOutcome::Ok]);
    assert_eq!(journal.find_dedup(two, &mine).await, Ok(Some(Seq::new(1))));
}

/// Records of an append stand together or not at all.
pub async fn a_duplicate_in_the_middle_leaves_nothing(subject: &mut dyn Subject) {
    let (journal, id, k) = (subject.journal(), conversation(), key(sender(1), "old"));
    let fresh = key(sender(1), "new");
    let outcomes = join_all([
        journal.append(append(id, 0, vec![keyed(1, k.clone())])),
        journal.append(append(id, 1, vec![keyed(2, fresh.clone()), keyed(3, k), record(4)])),
        journal.append(append(id, 1, vec![record(2)])),
    ]);
    assert_eq!(
        outcomes.await,
        [AppendOutcome::Ok, AppendOutcome::Duplicate(Seq::new(1)), AppendOutcome::Ok]
    );
    assert_eq!(all(&*journal, id).await[1], record(2));
    assert_eq!(journal.find_dedup(id, &fresh).await, Ok(None));
}

/// Behind and ahead; a wrong head is told before a duplicate key.
pub async fn a_wrong_head_is_refused(subject: &mut dyn Subject) {
    let (journal, id, k) = (subject.journal(), conversation(), key(sender(1), "m1"));
    let conflict = |head| AppendOutcome::SeqConflict { head: Seq::new(head) };
    let early = journal.append(append(id, 2, vec![record(3)])).await;
    assert_eq!(early, conflict(0));
    assert_eq!(journal.append(append(id, 0, vec![keyed(1, k.clone())])).await, AppendOutcome::Ok);
    assert_eq!(journal.append(append(id, 0, vec![keyed(1, k)])).await, conflict(1));
    assert_eq!(journal.append(append(id, 7, vec![record(8)])).await, conflict(1));
    assert_eq!(seqs(&*journal, id).await, [1]);
}

/// Appends in flight behind a refused one believe in its head.
pub async fn a_refusal_refuses_those_behind_it(subject: &mut dyn Subject) {
    let (journal, id, other) = (subject.journal(), conversation(), conversation());
    let k = key(sender(1), "m1");
    assert_eq!(journal.append(append(id, 0, vec![keyed(1, k.clone())])).await, AppendOutcome::Ok);
    let outcomes = join_all([
        journal.append(append(id, 1, vec![keyed(2, k)])),
        journal.append(append(id, 2, vec![record(3)])),
        journal.append(append(id, 3, vec![record(4), record(5)])),
        journal.append(append(other, 0, vec![record(1)])),
    ])
    .await;
    let conflict = AppendOutcome::SeqConflict { head: Seq::new(1) };
    assert_eq!(
        outcomes,
        [AppendOutcome::Duplicate(Seq::new(1)), conflict.clone(), conflict, AppendOutcome::Ok]
    );
    assert_eq!(seqs(&*journal, id).await, [1]);
}

/// A caller's defect does no harm.
pub async fn a_malformed_append_is_refused(subject: &mut dyn Subject) {
    let (journal, id, k) = (subject.journal(), conversation(), key(sender(1), "m1"));
    let too_long = Bytes::from(vec![0; MAX_PAYLOAD_BYTES + 1]);
    for records in [
        vec![],
        vec![record(2)],
        vec![record(1), record(3)],
        vec![keyed(1, k.clone()), keyed(2, k)],
        vec![Record { payload: too_long, ..record(1) }],
    ] {
        let outcome = journal.append(append(id, 0, records)).await;
        assert!(matches!(outcome, AppendOutcome::Unavailable(_)), "{outcome:?}");
    }
    assert_eq!(seqs(&*journal, id).await, [0; 0]);
}

/// Whoever stops waiting has sent all the same.
pub async fn a_dropped_future_does_not_cancel(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    drop(journal.append(append(id, 0, vec![record(1)])));
    assert_eq!(journal.append(append(id, 1, vec![record(2)])).await, AppendOutcome::Ok);
}

/// Hundreds of conversations, interleaved, none awaited before the last is sent.
pub async fn many_conversations_at_once(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let ids: Vec<_> = (0..300).map(|_| conversation()).collect();
    let rounds = (0..5u32).flat_map(|head| ids.iter().map(move |id| (*id, head)));
    let sent: Vec<_> =
        rounds.map(|(id, head)| journal.append(append(id, head, vec![record(head + 1)]))).collect();
    assert!(join_all(sent).await.iter().all(|outcome| *outcome == AppendOutcome::Ok));
    for id in ids {
        assert_eq!(seqs(&*journal, id).await, [1, 2, 3, 4, 5]);
    }
}

/// The largest payload, several times.
pub async fn payloads_up_to_the_limit_are_kept(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    let large =
        |n: u32| Record { payload: Bytes::from(vec![n as u8; MAX_PAYLOAD_BYTES]), ..record(n) };
    let written: Vec<Record> = (1..=4).map(large).collect();
    let outcome = journal.append(append(id, 0, written.clone())).await;
    assert_eq!(outcome, AppendOutcome::Ok);
    assert_eq!(all(&*journal, id).await, written);
}
