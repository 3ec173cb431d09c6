//! What happens when an append has settled: say what is durable, or load again
//! and run anew what was not.

use super::Shard;
use super::ready::Pending;
use crate::mail::Mail;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::AppendOutcome;
use std::collections::VecDeque;
use tracing::{debug, error};

impl Shard {
    pub(super) fn commit_done(
        &mut self,
        id: ConversationId,
        append: u64,
        outcome: AppendOutcome,
    ) {
        if let AppendOutcome::Fenced { epoch } = &outcome {
            self.fence(epoch.get());
        }
        let Some(ready) = self.residents.get_mut(id) else { return };
        let durable = outcome == AppendOutcome::Ok;
        if !durable {
            debug!(conversation = %id, ?outcome, "an append was refused");
            ready.refused = true;
        }
        if let Some(pending) = ready.pending.iter_mut().find(|p| p.append == append) {
            pending.settled = Some(durable);
        }
        self.settle(id);
    }

    /// Says what is durable in order; once everything of a refused conversation
    /// has settled, loads it again.
    fn settle(&mut self, id: ConversationId) {
        loop {
            let Some(ready) = self.residents.get_mut(id) else { return };
            match ready.pending.front().map(|p| p.settled) {
                Some(Some(true)) => {
                    let Some(pending) = ready.pending.pop_front() else { return };
                    self.said(id, pending);
                }
                _ if ready.refused && ready.pending.iter().all(|p| p.settled.is_some()) => {
                    self.reload(id);
                    return;
                }
                _ => return,
            }
        }
    }

    fn said(&mut self, id: ConversationId, pending: Pending) {
        self.parts.meters.commit.record(pending.submitted.elapsed());
        if let Some(gateways) = self.interest.get(&id) {
            for encoded in &pending.events {
                self.outgoing.event(gateways, encoded);
            }
        }
        if let Some(summary) = pending.summary {
            self.parts.notifier.tell(summary, &self.parts.meters);
        }
        pending.held.into_iter().for_each(crate::mail::Held::say);
        self.snapshot_if_due(id);
    }

    /// Drops the state and runs again, in order, what was not answered. What
    /// settled as durable behind a refusal (its answer was lost on the way) is
    /// found by its key when it is loaded.
    fn reload(&mut self, id: ConversationId) {
        let Some(mut ready) = self.residents.remove(id) else { return };
        self.parts.meters.reruns.increment(1);
        self.parts.meters.live.decrement(1.0);
        let first_unsaid = ready.pending.front().and_then(|p| p.events.first());
        let published = first_unsaid.map(|e| Seq::new(e.event.seq.get() - 1));
        let unanswered = ready
            .pending
            .drain(..)
            .flat_map(|p| p.held)
            .chain(std::mem::take(&mut ready.open.held))
            .map(crate::mail::Held::back_to_mail);
        let mut again = VecDeque::new();
        for mail in unanswered {
            match mail {
                Mail::Command(job) if job.attempts >= self.parts.settings.attempts => {
                    let error = ApiError::unavailable("the journal refuses");
                    Mail::Command(job).refuse(error);
                }
                mail => again.push_back(mail),
            }
        }
        again.extend(std::mem::take(&mut ready.waiting));
        if self.fenced {
            again.into_iter().for_each(|m| m.refuse(ApiError::unavailable("the shard has moved")));
        } else {
            // Also when nobody waits: what was not published must be.
            self.activate(id, again, published);
        }
    }

    fn fence(&mut self, epoch: u64) {
        if !self.fenced {
            error!(shard = self.id.get(), own = self.epoch.get(), epoch, "fenced: shard has moved");
            self.parts.meters.fences.increment(1);
            self.fenced = true;
        }
    }
}
