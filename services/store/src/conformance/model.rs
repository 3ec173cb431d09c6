//! Random histories, compared with a journal that is a few maps.

use super::fixture::{self, internal, key, page, record, sender};
use super::{Ending, Subject};
use crate::journal::{Append, AppendOutcome, DedupKey, JournalError, ReadQuery, Record};
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use futures::future::{BoxFuture, join_all};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::HashMap;
use uuid::Uuid;

/// Conversations of a history, in different shards.
const CONVERSATIONS: u128 = 3;
/// Histories tried.
const CASES: u32 = 48;

#[derive(Debug, Clone)]
enum Op {
    /// Sent without waiting for those before it.
    Append {
        conversation: u128,
        epoch: u64,
        head: Head,
        records: Vec<Draft>,
    },
    /// Once all before it are answered, as an owner does it.
    Claim {
        conversation: u128,
        epoch: u64,
    },
    Reopen(Ending),
    Read {
        conversation: u128,
        after: u32,
        limit: u32,
        public: bool,
        backwards: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Head {
    Right,
    OneBehind,
    OneAhead,
}

#[derive(Debug, Clone)]
struct Draft {
    key: Option<u8>,
    internal: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    (prop::option::of(0..12u8), any::<bool>()).prop_map(|(key, internal)| Draft { key, internal })
}

fn op() -> impl Strategy<Value = Op> {
    let conversation = || 0..CONVERSATIONS;
    let head =
        prop_oneof![8 => Just(Head::Right), 1 => Just(Head::OneBehind), 1 => Just(Head::OneAhead)];
    let append = (conversation(), 0..4u64, head, prop::collection::vec(draft(), 1..4)).prop_map(
        |(conversation, epoch, head, records)| Op::Append { conversation, epoch, head, records },
    );
    let claim = (conversation(), 0..4u64)
        .prop_map(|(conversation, epoch)| Op::Claim { conversation, epoch });
    let read = (conversation(), 0..20u32, 0..6u32, any::<bool>(), any::<bool>()).prop_map(
        |(conversation, after, limit, public, backwards)| Op::Read {
            conversation,
            after,
            limit,
            public,
            backwards,
        },
    );
    let reopen = prop_oneof![Just(Ending::Closed), Just(Ending::Dropped)].prop_map(Op::Reopen);
    prop_oneof![24 => append, 2 => claim, 4 => read, 1 => reopen]
}

#[derive(Debug, Default)]
struct Model {
    epochs: HashMap<ShardId, Epoch>,
    events: HashMap<ConversationId, Vec<Record>>,
}

impl Model {
    fn claim(&mut self, shard: ShardId, claimed: Epoch) -> Result<(), JournalError> {
        let epoch = self.epochs.entry(shard).or_default();
        if claimed < *epoch {
            return Err(JournalError::Fenced { shard, epoch: *epoch });
        }
        *epoch = claimed;
        Ok(())
    }

    fn append(&mut self, append: &Append) -> AppendOutcome {
        let epoch = self.epochs.get(&append.shard).copied().unwrap_or_default();
        if append.epoch < epoch {
            return AppendOutcome::Fenced { epoch };
        }
        let events = self.events.entry(append.conversation).or_default();
        let head = Seq::new(events.len() as u32);
        if append.expected_head != head {
            return AppendOutcome::SeqConflict { head };
        }
        let mut keys = append.records.iter().filter_map(|r| r.dedup.as_ref());
        let stands = keys.find_map(|k| events.iter().find(|e| e.dedup.as_ref() == Some(k)));
        if let Some(record) = stands {
            return AppendOutcome::Duplicate(record.seq);
        }
        events.extend(append.records.iter().cloned());
        AppendOutcome::Ok
    }

    fn read(&self, query: &ReadQuery) -> (Vec<Record>, bool) {
        let from_the_end = query.backwards && query.after == Seq::ZERO;
        let wanted = |record: &&Record| {
            query.audience.may_see(record.audience)
                && match query.backwards {
                    true => from_the_end || record.seq < query.after,
                    false => record.seq > query.after,
                }
        };
        let all: Vec<Record> = self
            .events
            .get(&query.conversation)
            .into_iter()
            .flatten()
            .filter(wanted)
            .cloned()
            .collect();
        let count = all.len().min(query.limit as usize);
        let kept = if query.backwards { &all[all.len() - count..] } else { &all[..count] };
        (kept.to_vec(), count < all.len())
    }

    fn head(&self, conversation: ConversationId) -> u32 {
        self.events.get(&conversation).map_or(0, |events| events.len() as u32)
    }
}

/// A history in progress: the journal, the model, and appends not yet answered
/// with the outcome the model gave.
struct History<'s> {
    subject: &'s mut dyn Subject,
    model: Model,
    in_flight: Vec<(BoxFuture<'static, AppendOutcome>, AppendOutcome)>,
}

impl History<'_> {
    async fn run(&mut self, op: Op) {
        match op {
            Op::Append { conversation, epoch, head, records } => {
                self.append(id(conversation), epoch, head, &records);
            }
            Op::Claim { conversation, epoch } => {
                self.settle().await;
                let (shard, epoch) = (ShardId::of(id(conversation)), Epoch::new(epoch));
                let claimed = self.subject.journal().claim(&[(shard, epoch)]).await;
                assert_eq!(claimed, self.model.claim(shard, epoch));
            }
            Op::Reopen(ending) => {
                self.settle().await;
                self.subject.reopen(ending).await;
            }
            Op::Read { conversation, after, limit, public, backwards } => {
                self.settle().await;
                let audience = if public { Audience::Public } else { Audience::Internal };
                let query = ReadQuery {
                    audience,
                    after: Seq::new(after),
                    limit,
                    backwards,
                    ..fixture::query(id(conversation))
                };
                self.read(query).await;
            }
        }
    }

    fn append(&mut self, conversation: ConversationId, epoch: u64, head: Head, drafts: &[Draft]) {
        let right = self.model.head(conversation);
        let believed = match head {
            Head::Right => right,
            Head::OneBehind => right.saturating_sub(1),
            Head::OneAhead => right + 1,
        };
        let append = Append {
            epoch: Epoch::new(epoch),
            ..fixture::append(conversation, believed, records(believed, drafts))
        };
        let expected = self.model.append(&append);
        self.in_flight.push((self.subject.journal().append(append), expected));
    }

    async fn settle(&mut self) {
        let (sent, expected): (Vec<_>, Vec<_>) = self.in_flight.drain(..).unzip();
        assert_eq!(join_all(sent).await, expected);
    }

    async fn read(&self, query: ReadQuery) {
        let expected = self.model.read(&query);
        let page = page(&*self.subject.journal(), query).await;
        assert_eq!((page.records, page.more), expected);
    }
}

/// Records after `head`; a key that comes twice in one append is left out the
/// second time, since that would be malformed.
fn records(head: u32, drafts: &[Draft]) -> Vec<Record> {
    let mut used: Vec<DedupKey> = Vec::new();
    (head + 1..)
        .zip(drafts)
        .map(|(seq, draft)| {
            let key = draft.key.map(|n| key(sender(u128::from(n % 2)), &format!("m{}", n / 2)));
            let key = key.filter(|key| !used.contains(key));
            used.extend(key.clone());
            let record = if draft.internal { internal(seq) } else { record(seq) };
            Record { dedup: key, ..record }
        })
        .collect()
}

fn id(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n + 1))
}

/// Outcomes and pages are the model's, for any history; proptest prints the
/// seed of one for which they are not.
pub fn agrees_with_the_model<S: Subject>(new: impl AsyncFn() -> S) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let histories = prop::collection::vec(op(), 1..60);
    let result = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(async {
            let mut subject = new().await;
            let mut run =
                History { subject: &mut subject, model: Model::default(), in_flight: Vec::new() };
            for op in history {
                run.run(op).await;
            }
            run.settle().await;
            for n in 0..CONVERSATIONS {
                run.read(fixture::query(id(n))).await;
            }
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
