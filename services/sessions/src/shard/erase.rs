//! Erasing a conversation: it leaves memory, what stands in the journal is replaced and
//! the end appended in one step, and only then is it loaded and told of again. Mail for
//! it waits meanwhile, so that nothing old is ever written back.

use super::load::{self, Found, Loaded, Said};
use super::ready::{Encoded, Encoder, MAX_WAITING};
use super::{DEADLINE, Shard};
use crate::mail::{Job, Mail};
use bytes::Bytes;
use frontdesk_actor::{Residence, WaitingFull};
use frontdesk_core::conversation::{Command, Conversation, Event, Outcome};
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Origin;
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::encode_event;
use frontdesk_store::journal::{Append, AppendOutcome, Erasure, Journal, JournalError};
use futures::FutureExt as _;
use std::collections::VecDeque;
use std::sync::Arc;

/// Tries when somebody else appends meanwhile: an append that was given up, mostly.
const ATTEMPTS: usize = 3;
const TOO_MANY: &str = "too many commands wait for this conversation";

/// Whoever waits for an erasure, and the answer.
pub(super) type Erased = (Job, Result<Outcome, ApiError>);

/// Under which ownership, and when.
#[derive(Clone, Copy)]
struct Authority {
    shard: ShardId,
    epoch: Epoch,
    now: Timestamp,
}

/// Whether this command is carried out here.
pub(super) fn is_erasure(job: &Job) -> bool {
    let envelope = &job.envelope;
    envelope.origin == Origin::System && matches!(envelope.command, Command::Erase { .. })
}

impl Shard {
    /// Erases it once all that is in flight has settled.
    pub(super) fn take_erasure(&mut self, id: ConversationId, job: Job, now: Timestamp) {
        match self.residents.find(id, self.turn) {
            Residence::Loading => {
                if let Err(WaitingFull(mail)) = self.residents.wait(id, Mail::Command(job)) {
                    self.turn_away(mail, ApiError::unavailable(TOO_MANY));
                }
                return;
            }
            Residence::Here(ready) => {
                if let Some(flight) = ready.flight.as_deref_mut() {
                    if flight.waiting.len() < MAX_WAITING {
                        flight.waiting.push_back(Mail::Command(job));
                    } else {
                        self.turn_away(Mail::Command(job), ApiError::unavailable(TOO_MANY));
                    }
                    return;
                }
                self.residents.remove(id);
                self.parts.meters.live.decrement(1.0);
            }
            Residence::Away => {}
        }
        let authority = Authority { shard: self.id, epoch: self.epoch, now };
        let since = self.unpublished.remove(&id);
        let journal = self.parts.journal.clone();
        self.loads.push(erase(journal, authority, id, job, since).boxed());
        self.residents.begin_load(id, VecDeque::new());
        self.parts.meters.activations.increment(1);
    }
}

/// `since` is the last event that was published, when later ones may be durable.
async fn erase(
    journal: Arc<dyn Journal>,
    authority: Authority,
    conversation: ConversationId,
    job: Job,
    since: Option<Seq>,
) -> Loaded {
    let mut published = since;
    let command = &job.envelope.command;
    let done = run(&*journal, authority, conversation, command, &mut published);
    let done = tokio::time::timeout(DEADLINE, done).await;
    let too_slow = |_| Err(JournalError::Unavailable("no answer within 5 s".into()));
    let (result, answer) = match done.unwrap_or_else(too_slow) {
        Ok((found, answer)) => (Ok(found), answer),
        Err(error) => (Err(error), Err(ApiError::unavailable("the journal cannot erase it now"))),
    };
    let erased = Some((job, answer));
    Loaded { conversation, unsettled: Vec::new(), published, result, erased }
}

/// `published` is set before anything is written.
async fn run(
    journal: &dyn Journal,
    authority: Authority,
    id: ConversationId,
    command: &Command,
    published: &mut Option<Seq>,
) -> Result<(Found, Result<Outcome, ApiError>), JournalError> {
    for _ in 0..ATTEMPTS {
        let (state, snapshot) = load::replayed(journal, id).await?;
        let found = |state: Option<Conversation>, snapshot| Found {
            state,
            snapshot,
            said: Said::new(),
            unpublished: Vec::new(),
        };
        let Some(mut state) = state else {
            let missing = Err(ApiError::NotFound("conversation".into()));
            return Ok((found(None, snapshot), missing));
        };
        let (before, head) = (*published.get_or_insert(state.head()), state.head());
        let step = match state.step(&Origin::System, command, authority.now) {
            Ok(step) => step,
            Err(reject) => return Ok((found(Some(state), snapshot), Err(reject.into()))),
        };
        let snapshot = match step.events.as_slice() {
            [] => snapshot,
            events => match replace(journal, authority, &state, head, events).await? {
                Some(snapshot) => snapshot,
                None => continue,
            },
        };
        let readers = state.readers();
        let unpublished = load::between(journal, id, before, state.head(), &readers).await?;
        let found = Found { unpublished, ..found(Some(state), snapshot) };
        return Ok((found, Ok(Outcome::Done)));
    }
    Err(JournalError::Unavailable("it is appended to all the time".into()))
}

/// Replaces what stands up to `head` and appends `events`, after which it is as `state`
/// says; gives the last event of the stored snapshot, `None` when the head is another.
async fn replace(
    journal: &dyn Journal,
    authority: Authority,
    state: &Conversation,
    head: Seq,
    events: &[Event],
) -> Result<Option<Seq>, JournalError> {
    let mut encoder = Encoder::default();
    let encode = |event| Encoded::new(event, &[], &mut encoder).record;
    let append = Append {
        shard: authority.shard,
        epoch: authority.epoch,
        conversation: state.id(),
        expected_head: head,
        records: events.iter().map(encode).collect(),
        summary: Some(Arc::new(state.summary())),
        trace: None,
    };
    let snapshot = load::snapshot_of(state);
    let snapshot = snapshot.ok_or_else(|| JournalError::Damaged("no snapshot of it".into()))?;
    let (seq, payloads) = (snapshot.seq, blanked(journal, state.id(), head).await?);
    match journal.erase(Erasure { append, payloads, snapshot }).await {
        AppendOutcome::Ok => Ok(Some(seq)),
        AppendOutcome::SeqConflict { .. } | AppendOutcome::Duplicate(_) => Ok(None),
        AppendOutcome::Fenced { epoch } => {
            Err(JournalError::Fenced { shard: authority.shard, epoch })
        }
        AppendOutcome::Unavailable(why) | AppendOutcome::Unknown(why) => {
            Err(JournalError::Unavailable(why))
        }
    }
}

/// What is left of all its events up to `head`.
async fn blanked(
    journal: &dyn Journal,
    id: ConversationId,
    head: Seq,
) -> Result<Vec<Bytes>, JournalError> {
    let mut payloads = Vec::new();
    while (payloads.len() as u32) < head.get() {
        let page = load::read(journal, id, Seq::new(payloads.len() as u32)).await?;
        if page.records.is_empty() {
            return Err(JournalError::Damaged(format!("events up to {head} are missing")));
        }
        for record in page.records.iter().take_while(|record| record.seq <= head) {
            payloads.push(encode_event(&load::decode(record)?.blanked()));
        }
    }
    Ok(payloads)
}
