//! Bringing a conversation into memory: snapshot, then the tail of the journal.

use super::Shard;
use super::ready::{Encoded, Ready};
use crate::mail::Mail;
use frontdesk_core::conversation::{Conversation, Outcome};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::decode_event;
use frontdesk_store::journal::{DedupKey, Journal, JournalError, ReadQuery, RecordPage, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use tracing::{error, warn};

/// Format of stored snapshots; others are ignored and the journal replayed.
const FORMAT: u32 = 1;
/// Records read at a time while replaying.
const PAGE_RECORDS: u32 = 500;
const PAGE_BYTES: usize = 1024 * 1024;

/// What a load came to.
pub(super) struct Loaded {
    conversation: ConversationId,
    result: Result<Found, JournalError>,
}

struct Found {
    state: Option<Conversation>,
    snapshot: Seq,
    /// Keys of unanswered commands that stand in the journal after all.
    said: HashMap<DedupKey, (Seq, Timestamp)>,
    /// Events that are durable but were never published.
    unpublished: Vec<Encoded>,
}

/// What a load is asked for besides the state.
#[derive(Default)]
pub(super) struct Again {
    /// Keys of commands whose append was refused or is unknown.
    pub(super) keys: Vec<DedupKey>,
    /// The last event that was published; `None` when all were.
    pub(super) published: Option<Seq>,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: u32,
    state: T,
}

/// A conversation as a snapshot; `None` when it cannot be encoded.
pub(super) fn snapshot_of(conversation: &Conversation) -> Option<Snapshot> {
    let payload = serde_json::to_vec(&Stored { format: FORMAT, state: conversation }).ok()?;
    Some(Snapshot { seq: conversation.head(), payload: payload.into() })
}

pub(super) async fn load(
    journal: Arc<dyn Journal>,
    conversation: ConversationId,
    again: Again,
) -> Loaded {
    let result = find(&*journal, conversation, again).await;
    Loaded { conversation, result }
}

async fn find(
    journal: &dyn Journal,
    id: ConversationId,
    again: Again,
) -> Result<Found, JournalError> {
    let Some(loaded) = journal.load(id).await? else {
        return Ok(Found { state: None, snapshot: Seq::ZERO, said: HashMap::new(), unpublished: vec![] });
    };
    let restored = loaded.snapshot.as_ref().and_then(|s| restore(id, s));
    let snapshot = restored.as_ref().map_or(Seq::ZERO, Conversation::head);
    let mut page = match (&restored, &loaded.snapshot) {
        // The tail begins after a snapshot that cannot be used: from the start.
        (None, Some(_)) => read(journal, id, Seq::ZERO).await?,
        _ => loaded.tail,
    };
    let mut state = restored;
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
    let said = said_before(journal, id, again.keys).await?;
    let unpublished = match again.published {
        Some(after) => events_after(journal, id, after).await?,
        None => Vec::new(),
    };
    Ok(Found { state, snapshot, said, unpublished })
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
        let damaged = |what: &dyn std::fmt::Display| {
            JournalError::Damaged(format!("event {}: {what}", record.seq))
        };
        let event =
            decode_event(&record.payload, record.prev_public).map_err(|e| damaged(&e))?;
        match state {
            Some(state) if event.seq == state.head().next() => state.apply(&event),
            Some(state) => return Err(damaged(&format!("does not follow {}", state.head()))),
            None => {
                let first = Conversation::from_first(&event);
                *state = Some(first.ok_or_else(|| damaged(&"is no start"))?);
            }
        }
    }
    Ok(())
}

async fn read(
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

/// One page is enough: no more than a page can have been in flight.
async fn events_after(
    journal: &dyn Journal,
    id: ConversationId,
    after: Seq,
) -> Result<Vec<Encoded>, JournalError> {
    let page = read(journal, id, after).await?;
    let encoded = page.records.into_iter().filter_map(|record| {
        let event = decode_event(&record.payload, record.prev_public).ok()?;
        Some(Encoded { event, bytes: record.payload })
    });
    Ok(encoded.collect())
}

async fn said_before(
    journal: &dyn Journal,
    id: ConversationId,
    keys: Vec<DedupKey>,
) -> Result<HashMap<DedupKey, (Seq, Timestamp)>, JournalError> {
    let mut said = HashMap::new();
    for key in keys {
        let Some(seq) = journal.find_dedup(id, &key).await? else { continue };
        let page = read(journal, id, Seq::new(seq.get().saturating_sub(1))).await?;
        let at = page
            .records
            .first()
            .and_then(|r| decode_event(&r.payload, r.prev_public).ok())
            .map_or(Timestamp::ZERO, |e| e.at);
        said.insert(key, (seq, at));
    }
    Ok(said)
}

impl Shard {
    /// Runs what waited for the load.
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        let id = loaded.conversation;
        let found = match loaded.result {
            Ok(found) => found,
            Err(error) => {
                error!(conversation = %id, %error, "cannot load a conversation");
                let waiting = self.residents.loaded(id, None);
                let refusal = match error {
                    JournalError::Damaged(_) => ApiError::Internal(error.to_string()),
                    _ => ApiError::unavailable("the journal cannot be read"),
                };
                waiting.into_iter().for_each(|mail| mail.refuse(refusal.clone()));
                return;
            }
        };
        let ready = Ready::new(found.state, found.snapshot);
        let waiting = self.residents.loaded(id, Some(Box::new(ready)));
        self.parts.meters.live.increment(1.0);
        self.publish_late(id, &found.unpublished);
        let now = self.parts.clock.now();
        for mail in waiting {
            match already_said(&mail, &found.said) {
                Some(outcome) => {
                    if let Mail::Command(job) = mail {
                        drop(job.answer.send(Ok(outcome)));
                    }
                }
                None => self.take(mail, now),
            }
        }
        self.drop_if_absent(id);
    }

    fn publish_late(&mut self, id: ConversationId, events: &[Encoded]) {
        if events.is_empty() {
            return;
        }
        if let Some(gateways) = self.interest.get(&id) {
            events.iter().for_each(|e| self.outgoing.event(gateways, e));
        }
        if let Some(conversation) = self.residents.get(id).and_then(|r| r.conversation.as_ref()) {
            self.parts.notifier.tell(Arc::new(conversation.summary()), &self.parts.meters);
        }
    }

    /// A conversation that does not exist takes no memory.
    fn drop_if_absent(&mut self, id: ConversationId) {
        if self.residents.get(id).is_some_and(|r| r.conversation.is_none() && r.is_idle()) {
            self.residents.remove(id);
            self.parts.meters.live.decrement(1.0);
        }
    }
}

fn already_said(
    mail: &Mail,
    said: &HashMap<DedupKey, (Seq, Timestamp)>,
) -> Option<Outcome> {
    let Mail::Command(job) = mail else { return None };
    if said.is_empty() || job.attempts == 0 {
        return None;
    }
    let (seq, at) = *said.get(&job.dedup()?)?;
    Some(Outcome::Sent { seq, at, duplicate: true })
}
