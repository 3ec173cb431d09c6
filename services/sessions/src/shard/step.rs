//! Running mail on conversations in memory, and submitting what came of it.

use super::Shard;
use super::load;
use super::ready::{Draft, Encoded, MAX_WAITING, Pending, Ready};
use crate::mail::{Held, Job, Mail};
use frontdesk_actor::{Residence, WaitingFull};
use frontdesk_core::conversation::{
    Body, Command, Conversation, Outcome, Reject, Step, Summary,
};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::{Audience, Origin, Principal, Role};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, Attach, Attached};
use frontdesk_proto::convert::encode_event;
use frontdesk_store::journal::{Append, DedupKey, Record};
use futures::FutureExt as _;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::Instant;

impl Shard {
    /// Runs one item, or lets it wait for its conversation.
    pub(super) fn take(&mut self, mail: Mail, now: Timestamp) {
        if self.fenced {
            mail.refuse(ApiError::unavailable("the shard has moved"));
            return;
        }
        let conversation = mail.conversation();
        match mail {
            Mail::Hint { internal, frame, .. } => {
                self.hint(conversation, internal, None, frame);
                return;
            }
            Mail::Detach(gateway, _) => {
                self.detach(&gateway, conversation);
                return;
            }
            _ => {}
        }
        match self.residents.find(conversation) {
            Residence::Here(ready) if !ready.refused => self.run_mail(conversation, mail, now),
            Residence::Here(ready) if ready.waiting.len() < MAX_WAITING => {
                ready.waiting.push_back(mail);
            }
            Residence::Here(_) => too_many(mail),
            Residence::Loading => {
                if let Err(WaitingFull(mail)) = self.residents.wait(conversation, mail) {
                    too_many(mail);
                }
            }
            Residence::Away if matches!(mail, Mail::Look { live_only: true, .. }) => {
                mail.refuse(ApiError::NotFound("not in memory".into()));
            }
            Residence::Away => self.activate(conversation, VecDeque::from([mail]), None),
        }
    }

    /// Starts loading a conversation; there is only ever one load of it.
    /// `published`: the last event that was, when some may not have been.
    pub(super) fn activate(
        &mut self,
        conversation: ConversationId,
        waiting: VecDeque<Mail>,
        published: Option<Seq>,
    ) {
        let keys = waiting
            .iter()
            .filter_map(|mail| match mail {
                Mail::Command(job) if job.attempts > 0 => job.dedup(),
                _ => None,
            })
            .collect();
        let again = load::Again { keys, published };
        let journal = self.parts.journal.clone();
        self.loads.push(load::load(journal, conversation, again).boxed());
        self.residents.begin_load(conversation, waiting);
        self.parts.meters.activations.increment(1);
    }

    fn run_mail(&mut self, id: ConversationId, mail: Mail, now: Timestamp) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        let held = match mail {
            Mail::Command(job) => {
                self.parts.meters.commands.increment(1);
                let result = run_command(ready, id, &job, now);
                if result.is_err() {
                    self.parts.meters.rejects.increment(1);
                }
                let result = self.hints(&job, result);
                Held::Command(job, result.map_err(Into::into))
            }
            Mail::Attach(request, answer) => {
                let result = attach(ready, &request).map(Box::new);
                if result.is_ok() {
                    let gateways = self.interest.entry(id).or_default();
                    if !gateways.contains(&request.gateway) {
                        gateways.push(request.gateway.clone());
                    }
                }
                Held::Attach(request, answer, result)
            }
            Mail::Look { who, answer, .. } => {
                let result = look(ready, who.as_ref());
                Held::Look(who, answer, result, id)
            }
            Mail::Detach(..) | Mail::Hint { .. } => return,
        };
        self.hold(id, held);
    }

    /// Keeps an answer until what it rests on is durable; says it at once when
    /// that is so already.
    fn hold(&mut self, id: ConversationId, held: Held) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        if !ready.open.events.is_empty() {
            if ready.open.held.is_empty() {
                self.touched.push(id);
            }
            ready.open.held.push(held);
        } else if let Some(last) = ready.pending.back_mut() {
            last.held.push(held);
        } else {
            held.say();
        }
    }

    /// Typing and read marks: told to the others, never journaled.
    fn hints(
        &mut self,
        job: &Job,
        result: Result<Outcome, Reject>,
    ) -> Result<Outcome, Reject> {
        let outcome = result?;
        let (id, Origin::Client(who)) = (job.envelope.conversation, &job.envelope.origin) else {
            return Ok(outcome);
        };
        match job.envelope.command {
            Command::Typing { typing } => {
                let frame = super::outgoing::typing_frame(id, who, typing);
                self.hint(id, false, Some(who.id), frame);
            }
            Command::MarkRead { seq } => {
                self.dirty_cursors.insert(id);
                let frame = super::outgoing::read_frame(id, who, seq);
                self.hint(id, false, Some(who.id), frame);
            }
            _ => {}
        }
        Ok(outcome)
    }

    /// Submits what a conversation has gathered in this turn.
    pub(super) fn submit(&mut self, id: ConversationId) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        let Draft { events, held, listed } = std::mem::take(&mut ready.open);
        let (Some(first), Some(conversation)) = (events.first(), &ready.conversation) else {
            return;
        };
        let expected_head = Seq::new(first.event.seq.get() - 1);
        let summary = listed.then(|| Arc::new(conversation.summary()));
        let append = Append {
            shard: self.id,
            epoch: self.epoch,
            conversation: id,
            expected_head,
            records: events.iter().map(record).collect(),
            summary: summary.clone(),
        };
        let number = self.next_append;
        self.next_append += 1;
        let outcome = self.parts.journal.append(append);
        self.commits.push(outcome.map(move |outcome| (id, number, outcome)).boxed());
        ready.pending.push_back(Pending {
            append: number,
            submitted: Instant::now(),
            events,
            held,
            summary,
            settled: None,
        });
    }
}

fn too_many(mail: Mail) {
    mail.refuse(ApiError::unavailable("too many commands wait for this conversation"));
}

fn run_command(
    ready: &mut Ready,
    id: ConversationId,
    job: &Job,
    now: Timestamp,
) -> Result<Outcome, Reject> {
    let envelope = &job.envelope;
    let had_preview = ready.conversation.as_ref().is_some_and(Conversation::has_preview);
    let step = match &mut ready.conversation {
        Some(conversation) => conversation.step(&envelope.origin, &envelope.command, now)?,
        None => {
            let (conversation, step) =
                Conversation::open(id, &envelope.origin, &envelope.command, now)?;
            ready.conversation = Some(conversation);
            step
        }
    };
    let Step { events, outcome } = step;
    let has_preview = ready.conversation.as_ref().is_some_and(Conversation::has_preview);
    ready.open.listed |= has_preview != had_preview
        || events.iter().any(|e| !matches!(e.body, Body::Message { .. } | Body::Note { .. }));
    ready.open.events.extend(events.into_iter().map(|event| {
        let bytes = encode_event(&event);
        Encoded { event, bytes }
    }));
    Ok(outcome)
}

fn attach(ready: &Ready, request: &Attach) -> Result<Attached, ApiError> {
    let conversation = readable(ready, Some(&request.who))?;
    let audience = audience_of(Some(&request.who));
    let head = conversation.head_for(audience);
    if request.cursor > head {
        return Err(ApiError::Invalid("the cursor is beyond the last event".into()));
    }
    Ok(Attached { summary: conversation.summary(), audience, head })
}

fn look(
    ready: &Ready,
    who: Option<&Principal>,
) -> Result<Box<Summary>, ApiError> {
    readable(ready, who).map(|c| Box::new(c.summary()))
}

fn readable<'a>(
    ready: &'a Ready,
    who: Option<&Principal>,
) -> Result<&'a Conversation, ApiError> {
    match &ready.conversation {
        Some(c) if who.is_none_or(|who| c.may_read(who)) => Ok(c),
        _ => Err(Reject::NotFound.into()),
    }
}

/// How a caller reads; the system (`None`) sees everything.
pub(crate) fn audience_of(who: Option<&Principal>) -> Audience {
    match who {
        Some(who) if who.role == Role::Visitor => Audience::Public,
        _ => Audience::Internal,
    }
}

fn record(encoded: &Encoded) -> Record {
    let event = &encoded.event;
    let dedup = event.body.client_msg_id().map(|id| DedupKey {
        sender: event.by.id,
        client_msg_id: id.as_str().into(),
    });
    Record {
        seq: event.seq,
        prev_public: event.prev_public,
        audience: event.body.audience(),
        dedup,
        payload: encoded.bytes.clone(),
    }
}
