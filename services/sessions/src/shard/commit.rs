//! What happens when an append has settled: say what is durable, and have what
//! was refused loaded again.

use super::ready::{Flight, Pending, Refusal};
use super::submit::{Committed, Committing};
use super::{DEADLINE, MAX_LATE, Shard};
use frontdesk_core::ids::ConversationId;
use frontdesk_store::journal::AppendOutcome;
use futures::FutureExt as _;
use futures::stream::StreamExt as _;
use tracing::{debug, error, warn};

impl Shard {
    pub(super) fn commits_done(&mut self, first: Committed) {
        let mut done = Some(first);
        while let Some(committed) = done {
            self.commit_done(committed);
            // One turn for all that are there: their publishes go together.
            done = self.commits.next().now_or_never().flatten();
        }
    }

    fn commit_done(&mut self, committed: Committed) {
        let Committed { conversation: id, append, outcome, .. } = committed;
        let refusal = self.judge(id, &outcome);
        let Some(ready) = self.residents.get_mut(id) else { return };
        let Some(mut flight) = ready.flight.take() else { return };
        let snapshot_due = ready.since_snapshot() >= self.parts.settings.snapshot_events;
        flight.settle(append, refusal, outcome.as_str());
        while let Some(pending) = flight.next_durable() {
            self.committed(id, pending);
        }
        self.land(id, flight);
        if snapshot_due {
            self.snapshot_if_durable(id);
        }
    }

    /// `None`: durable.
    fn judge(&mut self, id: ConversationId, outcome: &AppendOutcome) -> Option<Refusal> {
        let refusal = match outcome {
            AppendOutcome::Ok => return None,
            AppendOutcome::Fenced { epoch } => {
                self.fence(epoch.get());
                Refusal::Stale
            }
            AppendOutcome::Duplicate(_) | AppendOutcome::SeqConflict { .. } => {
                self.parts.meters.conflicts.increment(1);
                Refusal::Stale
            }
            AppendOutcome::Unavailable(_) | AppendOutcome::Unknown(_) => Refusal::Troubled,
        };
        debug!(conversation = %id, ?outcome, "an append was refused");
        Some(refusal)
    }

    /// Puts a flight back where it came from, unless it is over or has to be
    /// begun anew.
    fn land(&mut self, id: ConversationId, mut flight: Box<Flight>) {
        if flight.refused.is_some() && flight.has_settled() {
            self.residents.remove(id);
            self.parts.meters.live.decrement(1.0);
            self.reload(id, *flight);
        } else if !flight.is_over() {
            if let Some(ready) = self.residents.get_mut(id) {
                ready.flight = Some(flight);
            }
        } else {
            let waiting = std::mem::take(&mut flight.waiting);
            self.spares.give(flight);
            if !waiting.is_empty() {
                let now = self.parts.clock.now();
                waiting.into_iter().for_each(|mail| self.take(mail, now));
            }
        }
    }

    fn committed(&mut self, id: ConversationId, pending: Pending) {
        let took = self.turn.duration_since(pending.submitted);
        self.parts.meters.commit.record(took);
        if took > self.slow_from {
            self.slow_from = self.watched.slow(id, took, self.turn);
        }
        self.publish(id, &pending.events);
        if let Some(summary) = pending.summary {
            self.parts.notifier.tell(summary, &self.parts.meters);
        }
        for held in pending.held {
            self.say(id, held);
        }
    }

    /// Gives up appends that the journal does not answer: they count as unknown,
    /// make room for others, and are listened for a while longer.
    pub(super) fn give_up_stuck(&mut self) {
        let now = self.turn;
        let is_stuck = |c: &Committing| now.duration_since(c.submitted) >= DEADLINE;
        if !self.commits.iter().any(is_stuck) {
            return;
        }
        let (stuck, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.commits).into_iter().partition(is_stuck);
        self.commits = others.into_iter().collect();
        warn!(shard = self.id.get(), appends = stuck.len(), "the journal does not answer");
        for committing in stuck {
            self.commit_done(committing.given_up());
            if self.late.len() < MAX_LATE {
                self.late.push(committing);
            }
        }
    }

    /// An append that had been given up has an answer. When it may stand in the
    /// journal after all and memory does not know, it is to be published.
    pub(super) fn came_late(&mut self, committed: Committed) {
        let Committed { conversation: id, base, outcome, .. } = committed;
        self.judge(id, &outcome);
        let may_stand = matches!(outcome, AppendOutcome::Ok | AppendOutcome::Unknown(_));
        if may_stand && !self.knows_after(id, base) {
            self.note_unpublished(id, base);
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
