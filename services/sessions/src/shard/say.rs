//! Saying what is durable: answers, and the hints that follow from commands.

use super::Shard;
use super::load;
use super::outgoing::{read_frame, typing_frame};
use super::{DEADLINE, MAX_CHORES};
use crate::mail::{Held, Job};
use frontdesk_core::conversation::{Command, Conversation, Outcome, Reject};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::DedupKey;
use futures::FutureExt as _;

impl Shard {
    /// Gives an answer; all that it rests on is durable. Who asked may have gone.
    pub(super) fn say(&mut self, id: ConversationId, held: Held) {
        match held {
            Held::Command(job, Ok(outcome)) => {
                self.parts.meters.answered(&Ok(outcome));
                self.hint_others(&job);
                drop(job.answer.send(Ok(outcome)));
            }
            Held::Command(job, Err(reject)) => match self.said_long_ago(id, &job, reject) {
                Some(key) => self.look_up(id, job, reject, key),
                None => {
                    self.parts.meters.answered(&Err(reject));
                    drop(job.answer.send(Err(reject.into())));
                }
            },
            Held::Attach(_, answer, result) => drop(answer.send(result.map(|a| *a))),
            Held::Look { answer, result, .. } => drop(answer.send(result)),
        }
    }

    /// Typing and read marks: told to the others, never journaled.
    fn hint_others(&mut self, job: &Job) {
        let Origin::Client(who) = &job.envelope.origin else { return };
        let id = job.envelope.conversation;
        match job.envelope.command {
            Command::Typing { typing } => {
                self.hint(id, false, Some(who.id), typing_frame(id, who, typing));
            }
            Command::MarkRead { seq } => {
                self.note_read(id, who, seq);
                self.hint(id, false, Some(who.id), read_frame(id, who, seq));
            }
            _ => {}
        }
    }

    fn note_read(&mut self, id: ConversationId, who: &Principal, seq: Seq) {
        let cursors = self.unsaved_cursors.entry(id).or_default();
        let cursor = match who.role {
            Role::Visitor => &mut cursors.visitor,
            Role::Agent | Role::Supervisor => &mut cursors.agent,
        };
        *cursor = seq.max(*cursor);
    }

    /// The key of a refused message that may stand in the journal all the same:
    /// said before the sender lost the right to, and too long ago for the state
    /// to remember. A retry must not be told that it was never said.
    fn said_long_ago(&self, id: ConversationId, job: &Job, reject: Reject) -> Option<DedupKey> {
        if matches!(reject, Reject::Invalid(_)) {
            return None;
        }
        let key = job.dedup()?;
        let Origin::Client(who) = &job.envelope.origin else { return None };
        let site = self.residents.get(id)?.conversation.as_ref().map(Conversation::site)?;
        (*site == who.site).then_some(key)
    }

    fn look_up(&mut self, id: ConversationId, job: Job, reject: Reject, key: DedupKey) {
        if self.chores.len() >= MAX_CHORES {
            self.parts.meters.unavailable.increment(1);
            drop(job.answer.send(Err(ApiError::unavailable("too many look-ups"))));
            return;
        }
        let (journal, meters) = (self.parts.journal.clone(), self.parts.meters.clone());
        let answer = async move {
            let found = load::said(&*journal, id, &key);
            let result = match tokio::time::timeout(DEADLINE, found).await {
                Ok(Ok(Some((seq, at)))) => Ok(Outcome::Sent { seq, at, duplicate: true }),
                Ok(Ok(None)) => Err(reject),
                Ok(Err(_)) | Err(_) => {
                    meters.unavailable.increment(1);
                    let error = ApiError::unavailable("the journal cannot be read");
                    drop(job.answer.send(Err(error)));
                    return;
                }
            };
            meters.answered(&result);
            drop(job.answer.send(result.map_err(ApiError::from)));
        };
        self.chores.push(answer.boxed());
    }
}
