//! Handing what a conversation has gathered in a turn to the journal.

use super::Shard;
use super::ready::{Draft, Pending};
use super::traced::begin_commit;
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
    /// The last event before it.
    base: Seq,
    pub(super) submitted: Instant,
    outcome: BoxFuture<'static, AppendOutcome>,
}

/// What became of it.
pub(super) struct Committed {
    pub(super) conversation: ConversationId,
    pub(super) append: u64,
    /// The last event before it.
    pub(super) base: Seq,
    pub(super) outcome: AppendOutcome,
}

impl Future for Committing {
    type Output = Committed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Committed> {
        let outcome = ready!(self.outcome.poll_unpin(cx));
        Poll::Ready(self.settled(outcome))
    }
}

impl Committing {
    pub(super) fn is_of(&self, conversation: ConversationId) -> bool {
        self.conversation == conversation
    }

    /// What it counts as when it is given up; the journal may apply it all the
    /// same.
    pub(super) fn given_up(&self) -> Committed {
        self.settled(AppendOutcome::Unknown("no answer within 5 s".into()))
    }

    fn settled(&self, outcome: AppendOutcome) -> Committed {
        let Self { conversation, append, base, .. } = *self;
        Committed { conversation, append, base, outcome }
    }
}

impl Shard {
    pub(super) fn submit(&mut self, id: ConversationId) {
        let Some(ready) = self.residents.get_mut(id) else { return };
        let (Some(flight), Some(conversation)) = (&mut ready.flight, &ready.conversation) else {
            return;
        };
        let Draft { mut events, held, listed } = std::mem::take(&mut flight.open);
        let Some(first) = events.first() else { return };
        let base = Seq::new(first.record.seq.get() - 1);
        let summary = listed.then(|| Arc::new(conversation.summary()));
        let spans = begin_commit(&mut events, self.epoch);
        let append = Append {
            shard: self.id,
            epoch: self.epoch,
            conversation: id,
            expected_head: base,
            records: events.iter().map(|e| e.record.clone()).collect(),
            summary: summary.clone(),
            trace: spans.first().map(|span| Box::new(span.context())),
        };
        let number = self.next_append;
        self.next_append += 1;
        let outcome = self.parts.journal.append(append);
        self.commits.push(Committing {
            conversation: id,
            append: number,
            base,
            submitted: self.turn,
            outcome,
        });
        flight.pending.push_back(Pending {
            append: number,
            submitted: self.turn,
            spans,
            events,
            held,
            summary,
            settled: None,
        });
    }
}
