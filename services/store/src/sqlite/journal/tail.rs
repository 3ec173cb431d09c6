//! The newest records, in memory: all that are in the `recent` tables and not
//! yet in `events`.
//!
//! Only the writer changes it, after the commit that made the change true. Who
//! reads looks here first and at the file after: what is filed in between is
//! then seen twice at worst, never missed.

use crate::journal::{DedupKey, ReadQuery, Record};
use frontdesk_core::ids::{ConversationId, Seq};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The tail, as the writer and the readers share it.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedTail(Arc<RwLock<Tail>>);

impl SharedTail {
    /// For looking things up; never held over I/O of a reader.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Tail> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the writer.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Tail> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest records of each conversation that has any.
#[derive(Debug, Default)]
pub(super) struct Tail {
    runs: HashMap<ConversationId, Run>,
}

/// Records of one conversation without gaps, right after the filed ones.
#[derive(Debug)]
struct Run {
    /// The last record in `events`.
    filed: Seq,
    /// Never empty.
    records: VecDeque<Record>,
    keys: HashMap<DedupKey, Seq>,
}

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The last record in `events`.
    pub(super) filed: Seq,
    /// The last record of all.
    pub(super) head: Seq,
}

/// What the tail has to offer for a query.
#[derive(Debug, Default)]
pub(super) struct TailPart {
    /// The last record in `events`; `None` when the tail knows nothing of the
    /// conversation.
    pub(super) filed: Option<Seq>,
    /// Those asked for, in the order of reading, one more than the limit at most.
    pub(super) records: Vec<Record>,
}

impl Tail {
    /// How far a conversation goes; `None` when it has no records here.
    pub(super) fn extent(&self, conversation: ConversationId) -> Option<Extent> {
        self.runs.get(&conversation).map(Run::extent)
    }

    /// The seq under which a key stands here.
    pub(super) fn find(&self, conversation: ConversationId, key: &DedupKey) -> Option<Seq> {
        self.runs.get(&conversation)?.keys.get(key).copied()
    }

    /// Whether a record is here.
    pub(super) fn has(&self, conversation: ConversationId, seq: Seq) -> bool {
        let within = |extent: Extent| extent.filed < seq && seq <= extent.head;
        self.extent(conversation).is_some_and(within)
    }

    /// How far every conversation here goes, sorted: the order of `events`.
    pub(super) fn heads(&self) -> Vec<(ConversationId, Seq)> {
        let mut heads: Vec<_> =
            self.runs.iter().map(|(id, run)| (*id, run.extent().head)).collect();
        heads.sort_unstable();
        heads
    }

    /// The records of a conversation up to `up_to`, oldest first.
    pub(super) fn up_to(
        &self,
        conversation: ConversationId,
        up_to: Seq,
    ) -> impl Iterator<Item = &Record> {
        let run = self.runs.get(&conversation);
        run.into_iter().flat_map(|run| &run.records).take_while(move |r| r.seq <= up_to)
    }

    /// Adds committed records right after the last. `filed` counts only for a
    /// conversation that has none here.
    pub(super) fn push(
        &mut self,
        conversation: ConversationId,
        filed: Seq,
        records: impl IntoIterator<Item = Record>,
    ) {
        let run = self.runs.entry(conversation).or_insert_with(|| Run {
            filed,
            records: VecDeque::new(),
            keys: HashMap::new(),
        });
        for record in records {
            debug_assert_eq!(record.seq, run.extent().head.next());
            if let Some(key) = &record.dedup {
                run.keys.insert(key.clone(), record.seq);
            }
            run.records.push_back(record);
        }
    }

    /// Forgets records that are in `events` now.
    pub(super) fn filed(&mut self, conversation: ConversationId, up_to: Seq) {
        let Some(run) = self.runs.get_mut(&conversation) else {
            return;
        };
        while let Some(record) = run.records.pop_front_if(|record| record.seq <= up_to) {
            if let Some(key) = &record.dedup {
                run.keys.remove(key);
            }
            run.filed = record.seq;
        }
        if run.records.is_empty() {
            self.runs.remove(&conversation);
        }
    }

    /// What there is here for a query.
    pub(super) fn part(&self, query: &ReadQuery) -> TailPart {
        let Some(run) = self.runs.get(&query.conversation) else {
            return TailPart::default();
        };
        let visible = |record: &&Record| query.audience.may_see(record.audience);
        let most = query.limit as usize + 1;
        let records = if query.backwards {
            let end = match query.after {
                Seq::ZERO => run.records.len(),
                before => run.index(before.get() - 1),
            };
            run.records.range(..end).rev().filter(visible).take(most).cloned().collect()
        } else {
            let start = run.index(query.after.get());
            run.records.range(start..).filter(visible).take(most).cloned().collect()
        };
        TailPart { filed: Some(run.filed), records }
    }
}

impl Run {
    fn extent(&self) -> Extent {
        let head = Seq::new(self.filed.get() + self.records.len() as u32);
        Extent { filed: self.filed, head }
    }

    /// How many records here have a seq of at most `seq`.
    fn index(&self, seq: u32) -> usize {
        (seq.saturating_sub(self.filed.get()) as usize).min(self.records.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use frontdesk_core::party::Audience;
    use uuid::Uuid;

    fn id(n: u128) -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(n))
    }

    fn record(seq: u32) -> Record {
        Record {
            seq: Seq::new(seq),
            prev_public: Seq::ZERO,
            audience: if seq.is_multiple_of(2) { Audience::Public } else { Audience::Internal },
            dedup: Some(key(seq)),
            payload: Bytes::new(),
        }
    }

    fn key(seq: u32) -> DedupKey {
        DedupKey { sender: Uuid::nil(), client_msg_id: seq.to_string().into() }
    }

    fn part(tail: &Tail, after: u32, limit: u32, backwards: bool, audience: Audience) -> Vec<u32> {
        let query = ReadQuery {
            conversation: id(1),
            audience,
            after: Seq::new(after),
            limit,
            max_bytes: usize::MAX,
            backwards,
        };
        tail.part(&query).records.iter().map(|r| r.seq.get()).collect()
    }

    #[test]
    fn records_come_and_are_filed() {
        let mut tail = Tail::default();
        tail.push(id(1), Seq::new(4), (5..=9).map(record));
        tail.push(id(1), Seq::ZERO, [record(10)]);
        assert_eq!(tail.extent(id(1)), Some(Extent { filed: Seq::new(4), head: Seq::new(10) }));
        tail.filed(id(1), Seq::new(6));
        assert_eq!(tail.extent(id(1)), Some(Extent { filed: Seq::new(6), head: Seq::new(10) }));
        assert_eq!(tail.find(id(1), &key(6)), None);
        assert_eq!(tail.find(id(1), &key(7)), Some(Seq::new(7)));
        assert!(!tail.has(id(1), Seq::new(6)) && tail.has(id(1), Seq::new(10)));
        assert_eq!(tail.up_to(id(1), Seq::new(8)).count(), 2);
        tail.filed(id(1), Seq::new(10));
        assert_eq!(tail.extent(id(1)), None);
    }

    #[test]
    fn parts_are_in_the_order_of_reading_and_one_more_than_asked_for() {
        let mut tail = Tail::default();
        tail.push(id(1), Seq::new(4), (5..=10).map(record));
        let all = Audience::Internal;
        assert_eq!(part(&tail, 0, 2, false, all), [5, 6, 7]);
        assert_eq!(part(&tail, 8, 9, false, all), [9, 10]);
        assert_eq!(part(&tail, 99, 9, false, all), [0; 0]);
        assert_eq!(part(&tail, 0, 2, true, all), [10, 9, 8]);
        assert_eq!(part(&tail, 7, 9, true, all), [6, 5]);
        assert_eq!(part(&tail, 3, 9, true, all), [0; 0]);
        assert_eq!(part(&tail, 0, 9, true, Audience::Public), [10, 8, 6]);
    }
}
