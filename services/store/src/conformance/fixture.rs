//! Appends and summaries for the suite, and short ways to call the journal.

use crate::journal::{Append, AppendOutcome, DedupKey, Journal, ReadQuery, Record, RecordPage};
use bytes::Bytes;
use frontdesk_core::conversation::{
    Arrival, Asked, AskedTo, Offer, Phase, QueuedReason, Reachable, Summary, Watch,
};
use frontdesk_core::ids::{AgentId, ConversationId, Epoch, OfferId, Seq, VisitorId};
use frontdesk_core::party::{Audience, Participant};
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A conversation that nobody has used.
pub(super) fn conversation() -> ConversationId {
    ConversationId::from_uuid(Uuid::now_v7())
}

/// A sender of messages.
pub(super) fn sender(n: u128) -> Uuid {
    Uuid::from_u128(0xa11ce << 64 | n)
}

/// A key.
pub(super) fn key(by: Uuid, id: &str) -> DedupKey {
    DedupKey { sender: by, client_msg_id: id.into() }
}

/// A public record without a key.
pub(super) fn record(seq: u32) -> Record {
    Record {
        seq: Seq::new(seq),
        prev_public: Seq::new(seq - 1),
        audience: Audience::Public,
        dedup: None,
        payload: Bytes::from(format!("event {seq}")),
    }
}

/// A public record with a key.
pub(super) fn keyed(seq: u32, key: DedupKey) -> Record {
    Record { dedup: Some(key), ..record(seq) }
}

/// A record that only staff may see.
pub(super) fn internal(seq: u32) -> Record {
    Record { audience: Audience::Internal, ..record(seq) }
}

/// An append by epoch 0 after `head`.
pub(super) fn append(conversation: ConversationId, head: u32, records: Vec<Record>) -> Append {
    Append {
        shard: ShardId::of(conversation),
        epoch: Epoch::new(0),
        conversation,
        expected_head: Seq::new(head),
        records,
        summary: None,
        trace: None,
    }
}

/// Appends records 1 to `count` and expects that to work.
pub(super) async fn fill(journal: &dyn Journal, conversation: ConversationId, count: u32) {
    let records = (1..=count).map(record).collect();
    let outcome = journal.append(append(conversation, 0, records)).await;
    assert_eq!(outcome, AppendOutcome::Ok);
}

/// All records of a conversation.
pub(super) async fn all(journal: &dyn Journal, conversation: ConversationId) -> Vec<Record> {
    page(journal, query(conversation)).await.records
}

/// The seqs of all records of a conversation.
pub(super) async fn seqs(journal: &dyn Journal, conversation: ConversationId) -> Vec<u32> {
    all(journal, conversation).await.iter().map(|r| r.seq.get()).collect()
}

/// Everything, forward, as staff.
pub(super) fn query(conversation: ConversationId) -> ReadQuery {
    ReadQuery {
        conversation,
        audience: Audience::Internal,
        after: Seq::ZERO,
        limit: 10_000,
        max_bytes: usize::MAX,
        backwards: false,
    }
}

/// A page that must be readable.
pub(super) async fn page(journal: &dyn Journal, query: ReadQuery) -> RecordPage {
    journal.read(query).await.expect("readable")
}

/// The seqs of a page.
pub(super) fn seqs_of(page: &RecordPage) -> Vec<u32> {
    page.records.iter().map(|r| r.seq.get()).collect()
}

/// An agent.
pub(super) fn agent(n: u128) -> Participant {
    Participant::agent(AgentId::from_uuid(Uuid::from_u128(0xa9e47 << 64 | n)), "Alex")
}

/// Phase of a conversation that `agent` has.
pub(super) fn assigned(agent: &Participant) -> Phase {
    Phase::Assigned { agent: agent.clone(), since: Timestamp::from_millis(1) }
}

/// Phase of a conversation that `agent` is offered.
pub(super) fn offered(agent: &Participant) -> Phase {
    Phase::Offered(Offer {
        id: OfferId::from_uuid(Uuid::from_u128(1)),
        agent: agent.clone(),
        expires_at: Timestamp::from_millis(1),
    })
}

/// Phase of one that has ended.
pub(super) fn closed() -> Phase {
    Phase::Closed { at: Timestamp::from_millis(1) }
}

/// A waiting conversation of site `one` and queue `general`, active at `at`.
pub(super) fn summary(id: ConversationId, visitor: VisitorId, at: u64) -> Summary {
    let at = Timestamp::from_millis(at);
    Summary {
        id,
        site: "one".parse().expect("a site"),
        visitor: Participant::visitor(visitor, "Val"),
        phase: Phase::Waiting,
        queue: "general".parse().expect("a queue"),
        waiting_since: at,
        arrival: Some(Arrival { at, reason: QueuedReason::Started }),
        reachable: Reachable::Left,
        watch: Watch::default(),
        extra_minutes: 30,
        excluded: Vec::new(),
        target: None,
        handover_note: None,
        asked_skills: Default::default(),
        guests: Vec::new(),
        asked: vec![Asked {
            agent: AgentId::from_uuid(Uuid::from_u128(7)),
            to: AskedTo::Join,
            seq: Seq::new(1),
        }],
        last_agent: None,
        tags: vec!["größer".into()],
        attributes: BTreeMap::from([("plan".into(), "\"pro\"\n".into())]),
        language: "de".into(),
        channel: Some("web".into()),
        preview: "Guten Tag".into(),
        started_at: at,
        last_at: at,
        head: Seq::new(1),
        public_head: Seq::new(1),
        visitor_read: Seq::ZERO,
        agent_read: Seq::ZERO,
        consent: None,
        erased: false,
    }
}

/// A waiting conversation, for tests beside the suite.
#[cfg(test)]
pub(crate) fn waiting(id: ConversationId, visitor: VisitorId) -> Summary {
    summary(id, visitor, 1)
}

/// Appends one record after `head` with a summary and expects that to work.
pub(super) async fn put(journal: &dyn Journal, head: u32, summary: Summary) {
    let append = Append {
        summary: Some(Arc::new(summary.clone())),
        ..append(summary.id, head, vec![record(head + 1)])
    };
    assert_eq!(journal.append(append).await, AppendOutcome::Ok);
}

/// A visitor.
pub(super) fn visitor(n: u128) -> VisitorId {
    VisitorId::from_uuid(Uuid::from_u128(0x715 << 64 | n))
}
