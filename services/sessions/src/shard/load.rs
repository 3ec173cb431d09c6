//! Reading a conversation from the journal: snapshot, then the tail. Changes
//! nothing.

use super::DEADLINE;
use super::erase::Erased;
use super::ready::{Encoded, Pending, rights};
use crate::mail::Held;
use frontdesk_core::conversation::{Conversation, Event};
use frontdesk_core::ids::{AgentId, ConversationId, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::convert::decode_event;
use frontdesk_store::journal::{
    DedupKey, Journal, JournalError, ReadQuery, Record, RecordPage, Snapshot,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// Format of stored snapshots; others are ignored and the journal replayed.
const FORMAT: u32 = 1;
/// Records read at a time while replaying.
const PAGE_RECORDS: u32 = 500;
const PAGE_BYTES: usize = 1024 * 1024;

/// Messages by their keys: where and when they were said.
pub(super) type Said = HashMap<DedupKey, (Seq, Timestamp)>;

/// What was in flight when the conversation was dropped.
#[derive(Default)]
pub(super) struct Unsettled {
    /// Oldest first; nothing of these was said.
    pub(super) pending: Vec<Pending>,
    /// The last event that was published, when later ones may be durable.
    pub(super) published: Option<Seq>,
    /// To wait before the journal is asked.
    pub(super) pause: Duration,
}

/// What a load came to.
pub(super) struct Loaded {
    pub(super) conversation: ConversationId,
    pub(super) unsettled: Vec<Pending>,
    pub(super) published: Option<Seq>,
    pub(super) result: Result<Found, JournalError>,
    /// It was erased before, or should have been.
    pub(super) erased: Option<Erased>,
}

pub(super) struct Found {
    pub(super) state: Option<Conversation>,
    /// Last event of the snapshot that was used.
    pub(super) snapshot: Seq,
    /// Unanswered messages that stand in the journal.
    pub(super) said: Said,
    /// Events that are durable but were never published, in order.
    pub(super) unpublished: Vec<Encoded>,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: u32,
    state: T,
}

/// A conversation as a snapshot; `None` when it cannot be encoded.
pub(super) fn snapshot_of(conversation: &Conversation) -> Option<Snapshot> {
    let stored = Stored { format: FORMAT, state: conversation };
    let payload = serde_json::to_vec(&stored).ok()?;
    Some(Snapshot { seq: conversation.head(), payload: payload.into() })
}

pub(super) async fn load(
    journal: Arc<dyn Journal>,
    conversation: ConversationId,
    unsettled: Unsettled,
) -> Loaded {
    let Unsettled { pending, published, pause } = unsettled;
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let found =
        tokio::time::timeout(DEADLINE, find(&*journal, conversation, &pending, published)).await;
    let too_slow = |_| Err(JournalError::Unavailable("no answer within 5 s".into()));
    let result = found.unwrap_or_else(too_slow);
    Loaded { conversation, unsettled: pending, published, result, erased: None }
}

async fn find(
    journal: &dyn Journal,
    id: ConversationId,
    unsettled: &[Pending],
    published: Option<Seq>,
) -> Result<Found, JournalError> {
    let (state, snapshot) = replayed(journal, id).await?;
    let mut found = Found { state, snapshot, said: Said::new(), unpublished: Vec::new() };
    let (Some(state), Some(published)) = (&found.state, published) else { return Ok(found) };
    let readers = state.readers();
    found.unpublished = between(journal, id, published, state.head(), &readers).await?;
    for held in unsettled.iter().flat_map(|pending| &pending.held) {
        let Held::Command(job, Ok(_)) = held else { continue };
        let Some(key) = job.dedup() else { continue };
        if let Some(place) = said(journal, id, &key).await? {
            found.said.insert(key, place);
        }
    }
    Ok(found)
}

pub(super) async fn replayed(
    journal: &dyn Journal,
    id: ConversationId,
) -> Result<(Option<Conversation>, Seq), JournalError> {
    let Some(loaded) = journal.load(id).await? else { return Ok((None, Seq::ZERO)) };
    let mut state = loaded.snapshot.as_ref().and_then(|s| restore(id, s));
    let snapshot = state.as_ref().map_or(Seq::ZERO, Conversation::head);
    let mut page = match (&state, &loaded.snapshot) {
        // The tail begins after a snapshot that cannot be used: from the start.
        (None, Some(_)) => read(journal, id, Seq::ZERO).await?,
        _ => loaded.tail,
    };
    loop {
        replay(&mut state, &page)?;
        if !page.more {
            break;
        }
        let head = state.as_ref().map_or(Seq::ZERO, Conversation::head);
        page = read(journal, id, head).await?;
    }
    if let Some(state) = &mut state {
        state.restore_reads(loaded.cursors.visitor, loaded.cursors.agent);
    }
    Ok((state, snapshot))
}

fn restore(id: ConversationId, snapshot: &Snapshot) -> Option<Conversation> {
    match serde_json::from_slice::<Stored<Conversation>>(&snapshot.payload) {
        Ok(stored) if stored.format == FORMAT && stored.state.head() == snapshot.seq => {
            Some(stored.state)
        }
        Ok(_) => None,
        Err(error) => {
            warn!(conversation = %id, %error, "ignored a snapshot that cannot be read");
            None
        }
    }
}

fn replay(state: &mut Option<Conversation>, page: &RecordPage) -> Result<(), JournalError> {
    for record in &page.records {
        let event = decode(record)?;
        match state {
            Some(state) if event.seq == state.head().next() => state.apply(&event),
            Some(state) => {
                return Err(damaged(record, format_args!("does not follow {}", state.head())));
            }
            None => {
                let first = Conversation::from_first(&event);
                *state = Some(first.ok_or_else(|| damaged(record, "is no start"))?);
            }
        }
    }
    Ok(())
}

pub(super) fn decode(record: &Record) -> Result<Event, JournalError> {
    decode_event(&record.payload, record.prev_public).map_err(|error| damaged(record, error))
}

fn damaged(record: &Record, what: impl std::fmt::Display) -> JournalError {
    JournalError::Damaged(format!("event {}: {what}", record.seq))
}

pub(super) async fn read(
    journal: &dyn Journal,
    conversation: ConversationId,
    after: Seq,
) -> Result<RecordPage, JournalError> {
    let query = ReadQuery {
        conversation,
        audience: Audience::Internal,
        after,
        limit: PAGE_RECORDS,
        max_bytes: PAGE_BYTES,
        backwards: false,
    };
    journal.read(query).await
}

/// The events after `after` up to `head`: no more than were in flight.
pub(super) async fn between(
    journal: &dyn Journal,
    id: ConversationId,
    after: Seq,
    head: Seq,
    readers: &[AgentId],
) -> Result<Vec<Encoded>, JournalError> {
    let (mut events, mut last) = (Vec::new(), after);
    while last < head {
        let page = read(journal, id, last).await?;
        for record in page.records.into_iter().take_while(|record| record.seq <= head) {
            let rights = rights(&decode(&record)?.body, readers);
            last = record.seq;
            events.push(Encoded { record, rights, trace: None });
        }
        if !page.more {
            break;
        }
    }
    Ok(events)
}

/// Where and when a message stands, if it does.
pub(super) async fn said(
    journal: &dyn Journal,
    id: ConversationId,
    key: &DedupKey,
) -> Result<Option<(Seq, Timestamp)>, JournalError> {
    let Some(seq) = journal.find_dedup(id, key).await? else { return Ok(None) };
    let query = ReadQuery {
        conversation: id,
        audience: Audience::Internal,
        after: Seq::new(seq.get().saturating_sub(1)),
        limit: 1,
        max_bytes: PAGE_BYTES,
        backwards: false,
    };
    let page = journal.read(query).await?;
    let record = page.records.first().filter(|record| record.seq == seq);
    let record = record.ok_or_else(|| JournalError::Damaged(format!("event {seq} is missing")))?;
    Ok(Some((seq, decode(record)?.at)))
}
