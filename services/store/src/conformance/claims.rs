//! Claims and fencing: promise P5.

use super::Subject;
use super::fixture::{append, conversation, record, seqs};
use crate::journal::{Append, AppendOutcome, JournalError};
use frontdesk_core::ids::{ConversationId, Epoch};
use frontdesk_core::shard::ShardId;
use futures::future::join_all;

fn shard(n: u16) -> ShardId {
    ShardId::new(n).expect("below the number of shards")
}

fn by(epoch: u64, append: Append) -> Append {
    Append { epoch: Epoch::new(epoch), ..append }
}

fn elsewhere(than: ConversationId) -> ConversationId {
    std::iter::repeat_with(conversation)
        .find(|id| ShardId::of(*id) != ShardId::of(than))
        .expect("endless")
}

/// Again and higher is fine, lower is not; the answer names the owner.
pub async fn claims_rise_and_never_fall(subject: &mut dyn Subject) {
    let journal = subject.journal();
    for epoch in [5, 5, 6, u64::MAX >> 1] {
        assert_eq!(journal.claim(&[(shard(3), Epoch::new(epoch))]).await, Ok(()));
    }
    let owner = Epoch::new(u64::MAX >> 1);
    assert_eq!(
        journal.claim(&[(shard(3), Epoch::new(6))]).await,
        Err(JournalError::Fenced { shard: shard(3), epoch: owner })
    );
    assert_eq!(journal.claim(&[]).await, Ok(()));
}

/// One lost shard loses the whole claim.
pub async fn claims_are_all_or_none(subject: &mut dyn Subject) {
    let journal = subject.journal();
    let at = |n, epoch| (shard(n), Epoch::new(epoch));
    assert_eq!(journal.claim(&[at(2, 9)]).await, Ok(()));
    let refused = journal.claim(&[at(1, 8), at(2, 8), at(3, 8)]).await;
    assert_eq!(refused, Err(JournalError::Fenced { shard: shard(2), epoch: Epoch::new(9) }));
    assert_eq!(journal.claim(&[at(1, 7), at(3, 7)]).await, Ok(()));
    assert_eq!(
        journal.claim(&ShardId::all().map(|s| (s, Epoch::new(10))).collect::<Vec<_>>()).await,
        Ok(())
    );
}

/// A thawed owner's appends are refused, those in flight too, whatever their head.
pub async fn a_stale_owner_is_fenced(subject: &mut dyn Subject) {
    let (journal, id) = (subject.journal(), conversation());
    let claim = |epoch| [(ShardId::of(id), Epoch::new(epoch))];
    assert_eq!(journal.claim(&claim(4)).await, Ok(()));
    let owned = journal.append(by(4, append(id, 0, vec![record(1)]))).await;
    assert_eq!(owned, AppendOutcome::Ok);
    assert_eq!(journal.claim(&claim(7)).await, Ok(()));
    let stale = join_all([
        journal.append(by(4, append(id, 1, vec![record(2)]))),
        journal.append(by(6, append(id, 0, vec![record(1)]))),
        journal.append(by(7, append(id, 1, vec![record(2)]))),
        journal.append(by(4, append(id, 2, vec![record(3)]))),
    ]);
    let fenced = AppendOutcome::Fenced { epoch: Epoch::new(7) };
    assert_eq!(stale.await, [fenced.clone(), fenced.clone(), AppendOutcome::Ok, fenced]);
    assert_eq!(seqs(&*journal, id).await, [1, 2]);
}

/// Losing one shard does not hinder the others.
pub async fn fencing_is_per_shard(subject: &mut dyn Subject) {
    let (journal, lost) = (subject.journal(), conversation());
    let kept = elsewhere(lost);
    assert_eq!(journal.claim(&[(ShardId::of(lost), Epoch::new(2))]).await, Ok(()));
    let outcomes = join_all([
        journal.append(by(1, append(lost, 0, vec![record(1)]))),
        journal.append(by(1, append(kept, 0, vec![record(1)]))),
    ]);
    let fenced = AppendOutcome::Fenced { epoch: Epoch::new(2) };
    assert_eq!(outcomes.await, [fenced, AppendOutcome::Ok]);
}
