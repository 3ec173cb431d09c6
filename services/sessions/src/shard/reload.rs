//! Bringing a conversation into memory, for the first time or again after an
//! append was refused, and running what waited for it.

use super::load::{self, Found, Loaded, Said, Unsettled};
use super::ready::{Encoded, Flight, Pending, Ready, Refusal};
use super::{DEADLINE, MAX_LOADS, Shard};
use crate::mail::{Held, Job, Mail};
use frontdesk_actor::Residence;
use frontdesk_core::conversation::Outcome;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::JournalError;
use futures::FutureExt as _;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info};

/// Before the first further try when the journal is in trouble; doubles.
const PAUSE: Duration = Duration::from_millis(50);

impl Shard {
    /// Starts loading a conversation that is not in memory; there is only ever
    /// one load of it.
    pub(super) fn activate(
        &mut self,
        id: ConversationId,
        waiting: VecDeque<Mail>,
        mut unsettled: Unsettled,
    ) {
        let unpublished_since = self.unpublished.remove(&id);
        unsettled.published = unsettled.published.into_iter().chain(unpublished_since).min();
        let journal = self.parts.journal.clone();
        self.loads.push(load::load(journal, id, unsettled).boxed());
        self.residents.begin_load(id, waiting);
        self.parts.meters.activations.increment(1);
    }

    /// Loads what may have to be published; nobody else may ask. What is being
    /// loaded or is in flight has its turn later: that may tell.
    pub(super) fn retry_unpublished(&mut self) {
        if self.fenced {
            // The gateways ask the new owner.
            self.unpublished.clear();
        }
        let room = MAX_LOADS.saturating_sub(self.loads.len());
        let behind: Vec<_> = self.unpublished.iter().map(|(id, seq)| (*id, *seq)).collect();
        for (id, since) in behind.into_iter().take(room) {
            match self.residents.peek(id) {
                Residence::Loading => {}
                Residence::Here(ready) if !ready.is_durable() => {}
                // Events of its own stand there: the late append was lost.
                Residence::Here(ready) if ready.head() > since => {
                    self.unpublished.remove(&id);
                }
                Residence::Here(_) => {
                    self.residents.remove(id);
                    self.parts.meters.live.decrement(1.0);
                    self.activate(id, VecDeque::new(), Unsettled::default());
                }
                Residence::Away => self.activate(id, VecDeque::new(), Unsettled::default()),
            }
        }
    }

    /// There may be events after `since` that nobody has been told.
    pub(super) fn note_unpublished(&mut self, id: ConversationId, since: Seq) {
        let known = self.unpublished.entry(id).or_insert(since);
        *known = since.min(*known);
    }

    /// Whether memory knows what the journal holds after `base`.
    pub(super) fn knows_after(&self, id: ConversationId, base: Seq) -> bool {
        self.residents.get(id).is_some_and(|ready| ready.durable_head() > base)
    }

    /// The state has been dropped: loads it again, to answer what the journal has
    /// after all and to run the rest again, in order.
    pub(super) fn reload(&mut self, id: ConversationId, flight: Flight) {
        self.parts.meters.reloads.increment(1);
        let Flight { open, mut pending, refused, waiting, .. } = flight;
        // Nothing is stepped after a refusal, so nothing is open then; were it
        // otherwise, these answers would rest on the last append.
        if let Some(last) = pending.back_mut() {
            last.held.extend(open.held);
        }
        if self.fenced {
            let held = pending.into_iter().flat_map(|p| p.held).map(Held::back_to_mail);
            held.chain(waiting).for_each(|mail| self.turn_away(mail, ApiError::Moved));
            return;
        }
        let pause = match refused {
            Some(Refusal::Troubled) => PAUSE * 2_u32.pow(attempts(&pending).into()),
            Some(Refusal::Stale) | None => Duration::ZERO,
        };
        let first = pending.front().and_then(|p| p.events.first());
        let published = first.map(|e| Seq::new(e.record.seq.get() - 1));
        self.activate(id, waiting, Unsettled { pending: pending.into(), published, pause });
    }

    /// Takes note of a load that has ended.
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        let Loaded { conversation: id, unsettled, published, result, erased } = loaded;
        self.take_found(id, unsettled, published, result);
        if let Some((job, answer)) = erased {
            // Who asked may have gone.
            drop(job.answer.send(answer));
        }
    }

    fn take_found(
        &mut self,
        id: ConversationId,
        unsettled: Vec<Pending>,
        published: Option<Seq>,
        result: Result<Found, JournalError>,
    ) {
        if result.is_ok() && std::mem::take(&mut self.unread) {
            info!(shard = self.id.get(), "conversations can be loaded again");
        }
        match result {
            Ok(_) if self.unpublished.contains_key(&id) => {
                // An append was applied late meanwhile: reads again, and from
                // before it. Nothing of this load has been said.
                let waiting = self.residents.loaded(id, None);
                let pause = Duration::ZERO;
                self.activate(id, waiting, Unsettled { pending: unsettled, published, pause });
            }
            Ok(found) => self.resume(id, found, unsettled),
            Err(error) => {
                self.log_unread(id, &error);
                let refusal = match error {
                    // Trying again would not help.
                    JournalError::Damaged(_) => ApiError::Internal(error.to_string()),
                    _ => {
                        if let Some(since) = published {
                            self.note_unpublished(id, since);
                        }
                        ApiError::unavailable("the journal cannot be read")
                    }
                };
                let waiting = self.residents.loaded(id, None);
                let held = unsettled.into_iter().flat_map(|p| p.held).map(Held::back_to_mail);
                for mail in held.chain(waiting) {
                    self.turn_away(mail, refusal.clone());
                }
            }
        }
    }

    /// What is damaged is a matter of its own each time; a journal that is away fails
    /// every conversation, and is told of once.
    fn log_unread(&mut self, id: ConversationId, error: &JournalError) {
        match error {
            JournalError::Damaged(_) => {
                error!(conversation = %id, %error, "cannot load a conversation");
            }
            _ if std::mem::replace(&mut self.unread, true) => {}
            _ => {
                let shard = self.id.get();
                error!(shard, %error, "conversations cannot be loaded");
            }
        }
    }

    fn resume(&mut self, id: ConversationId, found: Found, unsettled: Vec<Pending>) {
        let Found { mut state, snapshot, said, unpublished } = found;
        if let (Some(state), Some(cursors)) = (&mut state, self.unsaved_cursors.get(&id)) {
            state.restore_reads(cursors.visitor, cursors.agent);
        }
        let waiting = self.residents.loaded(id, Some(Box::new(Ready::new(state, snapshot))));
        self.parts.meters.live.increment(1.0);
        self.publish_late(id, &unpublished);
        let now = self.parts.clock.now();
        let mut stands = true;
        for pending in unsettled {
            // One that stands behind one that does not was decided on a state that
            // never was: its answers may rest on events that are not there.
            stands = stands && is_in(&pending, &unpublished);
            if stands {
                // It was appended; only the answer was lost.
                pending.held.into_iter().for_each(|held| self.say(id, held));
            } else {
                for held in pending.held {
                    self.again(id, held, pending.submitted + DEADLINE, &said, now);
                }
            }
        }
        for mail in waiting {
            self.take(mail, now);
        }
        self.drop_if_absent(id);
    }

    /// Runs again what was not appended.
    fn again(
        &mut self,
        id: ConversationId,
        held: Held,
        give_up: tokio::time::Instant,
        said: &Said,
        now: Timestamp,
    ) {
        let mut job = match held.back_to_mail() {
            Mail::Command(job) => job,
            mail => return self.take(mail, now),
        };
        if let Some(&(seq, at)) = job.dedup().and_then(|key| said.get(&key)) {
            let outcome = Outcome::Sent { seq, at, duplicate: true };
            self.say(id, Held::Command(job, Ok(outcome)));
            return;
        }
        job.attempts = job.attempts.saturating_add(1);
        let give_up = *job.give_up.get_or_insert(give_up);
        if job.attempts >= self.parts.settings.attempts || self.turn >= give_up {
            self.turn_away(Mail::Command(job), ApiError::unavailable("the journal refuses"));
        } else {
            self.take(Mail::Command(job), now);
        }
    }

    fn publish_late(&mut self, id: ConversationId, events: &[Encoded]) {
        if events.is_empty() {
            return;
        }
        self.publish(id, events);
        if let Some(conversation) = self.residents.get(id).and_then(|r| r.conversation.as_ref()) {
            self.parts.notifier.tell(Arc::new(conversation.summary()), &self.parts.meters);
        }
    }

    /// A conversation that does not exist takes no memory.
    fn drop_if_absent(&mut self, id: ConversationId) {
        if self.residents.get(id).is_some_and(|r| r.conversation.is_none() && r.is_durable()) {
            self.residents.remove(id);
            self.interest.remove(&id);
            self.visitors.forget(id);
            self.parts.meters.live.decrement(1.0);
        }
    }
}

/// Whether these very events stand in the journal.
fn is_in(pending: &Pending, durable: &[Encoded]) -> bool {
    let Some(first) = durable.first().map(|e| e.record.seq.get()) else { return false };
    pending.events.iter().all(|event| {
        let at = event.record.seq.get().checked_sub(first);
        let stands = at.and_then(|at| durable.get(at as usize));
        stands.is_some_and(|stands| stands.record == event.record)
    })
}

fn attempts(pending: &VecDeque<Pending>) -> u8 {
    let jobs = pending.iter().flat_map(|p| &p.held);
    let attempts = jobs.filter_map(|held| match held {
        Held::Command(Job { attempts, .. }, _) => Some(*attempts),
        _ => None,
    });
    // The settings allow few; this bounds the pause whatever they say.
    attempts.max().unwrap_or(0).min(5)
}
