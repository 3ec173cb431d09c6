//! The newest records, in memory: all that are in the `recent` tables and not
//! yet in `runs`.
//!
//! Only the writer changes it, after the commit that made the change true. Who
//! reads looks here first and at the file after: what is filed in between is
//! then seen twice at worst, never missed.

use super::erase::Blank;
use super::packed::{self, Packed};
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

/// Records of one conversation without gaps, right after the filed ones. They
/// are kept as they will be filed: many small records are then few allocations.
#[derive(Debug)]
struct Run {
    /// The last record in `runs`.
    filed: Seq,
    /// Never empty.
    places: VecDeque<Place>,
    packed: Vec<u8>,
    /// Bytes that were in front of `packed` and are filed.
    dropped: usize,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where the record ends, counted with what was dropped.
    end: usize,
    fingerprint: u32,
}

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The last record in `runs`.
    pub(super) filed: Seq,
    /// The last record of all.
    pub(super) head: Seq,
}

/// What the tail has to offer for a query.
#[derive(Debug, Default)]
pub(super) struct TailPart {
    /// The last record in `runs`; `None` when the tail knows nothing of the
    /// conversation.
    pub(super) filed: Option<Seq>,
    /// Those asked for, in the order of reading, one more than the limit at most.
    pub(super) records: Vec<Record>,
}

/// Records that follow one another, to be filed together.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    /// The first of them.
    pub(super) first: Seq,
    /// The last of them.
    pub(super) last: Seq,
    /// Fingerprints of their keys, in order.
    pub(super) fingerprints: Vec<u32>,
    /// Packed.
    pub(super) records: &'a [u8],
}

impl Tail {
    /// How far a conversation goes; `None` when it has no records here.
    pub(super) fn extent(&self, conversation: ConversationId) -> Option<Extent> {
        self.runs.get(&conversation).map(Run::extent)
    }

    /// How many records are here.
    pub(super) fn records(&self) -> u64 {
        self.runs.values().map(|run| run.places.len() as u64).sum()
    }

    /// The seq under which a key stands here.
    pub(super) fn find(&self, conversation: ConversationId, key: &DedupKey) -> Option<Seq> {
        let (run, print) = (self.runs.get(&conversation)?, packed::fingerprint(key));
        let alike = run.places.iter().enumerate().filter(|(_, place)| place.fingerprint == print);
        let mut same = alike.map(|(n, _)| n).filter(|n| run.record(*n).has(key));
        same.next().map(|n| run.seq(n))
    }

    /// Fingerprints of all keys of a conversation here.
    pub(super) fn fingerprints(&self, conversation: ConversationId) -> impl Iterator<Item = u32> {
        let places = self.runs.get(&conversation).into_iter().flat_map(|run| &run.places);
        places.map(|place| place.fingerprint).filter(|print| *print != 0)
    }

    /// Whether a record is here.
    pub(super) fn has(&self, conversation: ConversationId, seq: Seq) -> bool {
        let within = |extent: Extent| extent.filed < seq && seq <= extent.head;
        self.extent(conversation).is_some_and(within)
    }

    /// How far every conversation here goes, sorted: those begun together are
    /// filed together.
    pub(super) fn heads(&self) -> Vec<(ConversationId, Seq)> {
        let mut heads: Vec<_> =
            self.runs.iter().map(|(id, run)| (*id, run.extent().head)).collect();
        heads.sort_unstable();
        heads
    }

    /// Records of a conversation after `after`, the oldest first, up to `up_to`: no
    /// more than `max_records`, and but for the first no more than `max_bytes`.
    pub(super) fn between(
        &self,
        conversation: ConversationId,
        (after, up_to): (Seq, Seq),
        max_records: usize,
        max_bytes: usize,
    ) -> Option<Stretch<'_>> {
        let run = self.runs.get(&conversation)?;
        let start = run.index(after.get());
        let end = run.index(up_to.get()).min(start + max_records);
        let from = run.start(start);
        let within = run.places.partition_point(|place| place.end <= from + max_bytes);
        let end = within.max(start + 1).min(end);
        let last = end.checked_sub(1).filter(|last| *last >= start)?;
        Some(Stretch {
            first: run.seq(start),
            last: run.seq(last),
            fingerprints: run.places.range(start..end).map(|place| place.fingerprint).collect(),
            records: &run.packed[from - run.dropped..run.start(end) - run.dropped],
        })
    }

    /// Adds a committed record right after the last. `filed` counts only for a
    /// conversation that has none here.
    pub(super) fn push(&mut self, conversation: ConversationId, filed: Seq, record: Packed<'_>) {
        let run = self.runs.entry(conversation).or_insert_with(|| Run {
            filed,
            places: VecDeque::new(),
            packed: Vec::new(),
            dropped: 0,
        });
        run.packed.extend_from_slice(record.bytes);
        let end = run.dropped + run.packed.len();
        run.places.push_back(Place { end, fingerprint: record.fingerprint });
    }

    /// Replaces what is here of a conversation.
    pub(super) fn blank(&mut self, conversation: ConversationId, blank: &Blank) {
        let Some(run) = self.runs.get_mut(&conversation) else { return };
        let mut group = Vec::new();
        for n in 0..run.places.len() {
            blank.pack(&mut group, conversation, run.seq(n), run.record(n));
        }
        let mut records = Vec::with_capacity(group.len());
        let packed = packed::group(&group).zip(&mut run.places);
        for (item, place) in packed {
            let (_, _, record) = item.expect("a group is well packed");
            records.extend_from_slice(record.bytes);
            place.end = records.len();
        }
        (run.packed, run.dropped) = (records, 0);
    }

    /// Forgets records that are in `runs` now.
    pub(super) fn filed(&mut self, conversation: ConversationId, up_to: Seq) {
        let Some(run) = self.runs.get_mut(&conversation) else {
            return;
        };
        let count = run.index(up_to.get());
        let Some(last) = run.places.drain(..count).next_back() else {
            return;
        };
        run.filed = Seq::new(run.filed.get() + count as u32);
        run.packed.drain(..last.end - run.dropped);
        run.dropped = last.end;
        if run.places.is_empty() {
            self.runs.remove(&conversation);
        } else if run.packed.len() < run.packed.capacity() / 4 {
            run.packed.shrink_to(2 * run.packed.len());
        }
    }

    /// What there is here for a query.
    pub(super) fn part(&self, query: &ReadQuery) -> TailPart {
        let Some(run) = self.runs.get(&query.conversation) else {
            return TailPart::default();
        };
        let most = query.limit as usize + 1;
        let of = |n| {
            let packed = run.record(n);
            query.audience.may_see(packed.audience).then(|| packed.to_record(run.seq(n)))
        };
        let records = if query.backwards {
            let end = match query.after {
                Seq::ZERO => run.places.len(),
                before => run.index(before.get() - 1),
            };
            (0..end).rev().filter_map(of).take(most).collect()
        } else {
            let start = run.index(query.after.get());
            (start..run.places.len()).filter_map(of).take(most).collect()
        };
        TailPart { filed: Some(run.filed), records }
    }
}

impl Run {
    fn extent(&self) -> Extent {
        let head = Seq::new(self.filed.get() + self.places.len() as u32);
        Extent { filed: self.filed, head }
    }

    /// How many records here have a seq of at most `seq`.
    fn index(&self, seq: u32) -> usize {
        (seq.saturating_sub(self.filed.get()) as usize).min(self.places.len())
    }

    fn seq(&self, n: usize) -> Seq {
        Seq::new(self.filed.get() + 1 + n as u32)
    }

    /// Where a record begins, counted with what was dropped.
    fn start(&self, n: usize) -> usize {
        n.checked_sub(1).map_or(self.dropped, |before| self.places[before].end)
    }

    fn record(&self, n: usize) -> Packed<'_> {
        let bytes = &self.packed[self.start(n) - self.dropped..self.start(n + 1) - self.dropped];
        let record = packed::run(bytes).next().and_then(Result::ok);
        record.expect("a run holds only what was unpacked before")
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

    fn push(tail: &mut Tail, filed: u32, seqs: impl IntoIterator<Item = u32>) {
        let mut bytes = Vec::new();
        for seq in seqs {
            packed::pack(&mut bytes, id(1), &record(seq), packed::fingerprint(&key(seq)));
        }
        for item in packed::group(&bytes) {
            let (id, _, packed) = item.unwrap();
            tail.push(id, Seq::new(filed), packed);
        }
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
        push(&mut tail, 4, 5..=9);
        push(&mut tail, 0, [10]);
        assert_eq!(tail.extent(id(1)), Some(Extent { filed: Seq::new(4), head: Seq::new(10) }));
        tail.filed(id(1), Seq::new(6));
        assert_eq!(tail.extent(id(1)), Some(Extent { filed: Seq::new(6), head: Seq::new(10) }));
        assert_eq!(tail.find(id(1), &key(6)), None);
        assert_eq!(tail.find(id(1), &key(7)), Some(Seq::new(7)));
        assert_eq!(tail.fingerprints(id(1)).count(), 4);
        assert!(!tail.has(id(1), Seq::new(6)) && tail.has(id(1), Seq::new(10)));
        push(&mut tail, 0, [11]);
        assert_eq!(part(&tail, 8, 9, false, Audience::Internal), [9, 10, 11]);
        tail.filed(id(1), Seq::new(11));
        assert_eq!(tail.extent(id(1)), None);
    }

    #[test]
    fn stretches_are_bounded_but_have_at_least_one() {
        let mut tail = Tail::default();
        push(&mut tail, 2, 3..=9);
        tail.filed(id(1), Seq::new(4));
        let between = |after, up_to, records, bytes| {
            let seqs = (Seq::new(after), Seq::new(up_to));
            let stretch = tail.between(id(1), seqs, records, bytes)?;
            assert_eq!(stretch.fingerprints.len(), packed::run(stretch.records).count());
            Some((stretch.first.get(), stretch.last.get()))
        };
        assert_eq!(between(0, 8, 99, usize::MAX / 2), Some((5, 8)));
        assert_eq!(between(0, 8, 2, usize::MAX / 2), Some((5, 6)));
        assert_eq!(between(6, 8, 9, usize::MAX / 2), Some((7, 8)));
        assert_eq!(between(6, 8, 9, 1), Some((7, 7)));
        assert_eq!(between(8, 8, 9, 99), None);
        assert_eq!(between(0, 4, 9, 99), None);
        assert_eq!(between(9, 12, 9, 99), None);
    }

    #[test]
    fn parts_are_in_the_order_of_reading_and_one_more_than_asked_for() {
        let mut tail = Tail::default();
        push(&mut tail, 4, 5..=10);
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
