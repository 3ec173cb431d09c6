//! Handing what a conversation has gathered in a turn to the journal.

use super::Shard;
use super::ready::{Draft, Pending};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_store::journal::{Append, AppendOutcome};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// An append in flight.
pub(super) struct Committing {
    conversation: ConversationId,
    append: u64,
    pub(super) submitted: Instant,
    outcome: BoxFuture<'static, AppendOutcome>,
}

/// What became of it.
pub(super) struct Committed {
    pub(super) conversation: ConversationId,
    pub(super) append: u64,
    pub(super) outcome: AppendOutcome,
}

impl Future for Committing {
    type Output = Committed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Committed> {
        let outcome = ready!(self.outcome.poll_unpin(cx));
        let (conversation, append) = (self.conversation, self.append);
        Poll::Ready(Committed { conversation, append, outcome })
    }
}

impl Committing {
    /// Gives it up; the journal may apply it all the same.
    pub(super) fn give_up(self) -> Committed {
        let outcome = AppendOutcome::Unknown("no answer within 5 s".into());
        let (conversation, append) = (self.conversation, self.append);
        Committed { conversation, append, outcome }
    }
}

impl Shard {
    pub(super) fn submit(&mut self, id: ConversationId) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        let (Some(flight), Some(conversation)) = (&mut ready.flight, &ready.conversation) else {
            return;
        };
        let Draft { events, held, listed } = std::mem::take(&mut flight.open);
        let Some(first) = events.first() else { return };
        let summary = listed.then(|| Arc::new(conversation.summary()));
        let append = Append {
            shard: self.id,
            epoch: self.epoch,
            conversation: id,
            expected_head: Seq::new(first.record.seq.get() - 1),
            records: events.iter().map(|e| e.record.clone()).collect(),
            summary: summary.clone(),
        };
        let number = self.next_append;
        self.next_append += 1;
        let outcome = self.parts.journal.append(append);
        self.commits.push(Committing {
            conversation: id,
            append: number,
            submitted: self.turn,
            outcome,
        });
        flight.pending.push_back(Pending {
            append: number,
            submitted: self.turn,
            events,
            held,
            summary,
            settled: None,
        });
    }
}
