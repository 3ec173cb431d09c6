//! A conversation in memory, with what is on its way to the journal.

use super::traced;
use crate::mail::{Held, Mail};
use bytes::{Bytes, BytesMut};
use frontdesk_core::conversation::{Body, Conversation, Event, Summary};
use frontdesk_core::ids::{AgentId, Seq};
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::convert::{Rights, put_event};
use frontdesk_store::journal::{DedupKey, Record};
use frontdesk_telemetry::traces::Span;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::Instant;

/// Mail that may wait while a conversation is loaded or settles.
pub(super) const MAX_WAITING: usize = 1_024;
/// Answers that may wait for the commits of one conversation; four times what
/// its mailbox holds.
pub(super) const MAX_HELD: usize = 4_096;

/// `conversation` may be ahead of the journal by what `flight` holds.
pub(super) struct Ready {
    /// `None`: it does not exist (yet).
    pub(super) conversation: Option<Conversation>,
    /// `None`: all of `conversation` is durable. Kept apart so that a quiet
    /// conversation costs no more than its state.
    pub(super) flight: Option<Box<Flight>>,
    /// Last event in the stored snapshot.
    pub(super) snapshot: Seq,
}

/// What is not durable yet, and who waits for it.
#[derive(Default)]
pub(super) struct Flight {
    /// Gathered in this turn, not yet submitted.
    pub(super) open: Draft,
    /// Submitted, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// An append was refused: nothing runs until all in flight have settled and
    /// the conversation has been loaded again.
    pub(super) refused: Option<Refusal>,
    /// Mail that has to wait until all that is in flight has settled.
    pub(super) waiting: VecDeque<Mail>,
    /// Answers in `open` and `pending`.
    held: usize,
}

/// Flights that are over, for the next conversations that need one: a message
/// then costs no allocation of them.
#[derive(Default)]
pub(super) struct Spares(
    #[allow(clippy::vec_box, reason = "the boxes are what is reused")] Vec<Box<Flight>>,
);

impl Spares {
    /// Flights kept; each is about 300 bytes and what its queues have grown to.
    const MOST: usize = 32;

    pub(super) fn take(&mut self) -> Box<Flight> {
        self.0.pop().unwrap_or_default()
    }

    /// `flight` is over.
    pub(super) fn give(&mut self, flight: Box<Flight>) {
        if self.0.len() < Self::MOST {
            self.0.push(flight);
        }
    }
}

/// How an append failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    /// The state was not the journal's: a fresh one may succeed at once.
    Stale,
    /// The journal is in trouble: worth a pause.
    Troubled,
}

/// Events and answers that will become one append.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) events: Vec<Encoded>,
    pub(super) held: Vec<Held>,
    /// Something that lists, queues or routing show has changed.
    pub(super) listed: bool,
}

/// An event with its one encoding: what is journaled and what is published.
pub(super) struct Encoded {
    pub(super) record: Record,
    /// Set when the event changes who may read.
    pub(super) rights: Option<Box<Rights>>,
    /// Set when its command's trace is recorded.
    pub(super) trace: Option<Box<TraceContext>>,
}

/// One append in flight.
pub(super) struct Pending {
    pub(super) append: u64,
    pub(super) submitted: Instant,
    /// One for each of its events whose trace is recorded.
    pub(super) spans: Vec<Span>,
    /// At least one.
    pub(super) events: Vec<Encoded>,
    pub(super) held: Vec<Held>,
    pub(super) summary: Option<Arc<Summary>>,
    /// It has settled: `true` when it is durable.
    pub(super) settled: Option<bool>,
}

/// Where events are encoded, one after the other in blocks that are given back
/// when the last event in them is forgotten.
#[derive(Default)]
pub(super) struct Encoder(BytesMut);

impl Encoder {
    /// About 15 events of 250 bytes; 256 shards that have all been busy within
    /// the second hold 1 MiB.
    const BLOCK_BYTES: usize = 4 * 1024;

    fn encode(&mut self, event: &Event) -> Bytes {
        if self.0.capacity() == 0 {
            // Later blocks are as large.
            self.0 = BytesMut::with_capacity(Self::BLOCK_BYTES);
        }
        put_event(event, &mut self.0);
        self.0.split().freeze()
    }
}

impl Encoded {
    /// `readers` may read whoever has the conversation.
    pub(super) fn new(event: &Event, readers: &[AgentId], encoder: &mut Encoder) -> Self {
        let dedup = event
            .body
            .client_msg_id()
            .map(|id| DedupKey { sender: event.by.id, client_msg_id: id.to_shared() });
        let record = Record {
            seq: event.seq,
            prev_public: event.prev_public,
            audience: event.body.audience(),
            dedup,
            payload: encoder.encode(event),
        };
        Self { record, rights: rights(&event.body, readers), trace: None }
    }
}

/// Who may read no more after this, when `readers` may read whoever has the
/// conversation.
pub(super) fn rights(body: &Body, readers: &[AgentId]) -> Option<Box<Rights>> {
    let rights = match body {
        Body::Assigned { agent } => {
            Rights::Assigned { agent: agent.agent_id()?, readers: readers.to_vec() }
        }
        Body::Left { agent, by_other: true } => Rights::Dismissed(agent.agent_id()?),
        _ => return None,
    };
    Some(Box::new(rights))
}

impl Ready {
    pub(super) fn new(conversation: Option<Conversation>, snapshot: Seq) -> Self {
        Self { conversation, flight: None, snapshot }
    }

    /// Nothing is in flight, to be submitted, or waiting.
    pub(super) fn is_durable(&self) -> bool {
        self.flight.is_none()
    }

    /// Last event in memory.
    pub(super) fn head(&self) -> Seq {
        self.conversation.as_ref().map_or(Seq::ZERO, Conversation::head)
    }

    /// Last event in memory that is known to be durable.
    pub(super) fn durable_head(&self) -> Seq {
        let oldest = self.flight.as_ref().and_then(|flight| flight.oldest_event());
        oldest.map_or_else(|| self.head(), |oldest| Seq::new(oldest.get() - 1))
    }

    /// Events since the stored snapshot.
    pub(super) fn since_snapshot(&self) -> u32 {
        self.head().get().saturating_sub(self.snapshot.get())
    }
}

impl Flight {
    /// Whether nothing is left of it.
    pub(super) fn is_over(&self) -> bool {
        self.pending.is_empty() && self.open.events.is_empty() && self.refused.is_none()
    }

    /// The first event that is not durable.
    fn oldest_event(&self) -> Option<Seq> {
        let events = self.pending.front().map_or(&self.open.events, |pending| &pending.events);
        events.first().map(|event| event.record.seq)
    }

    /// Whether no append is in flight any more.
    pub(super) fn has_settled(&self) -> bool {
        self.pending.iter().all(|pending| pending.settled.is_some())
    }

    /// Whether mail has to wait until what is in flight has settled. While an
    /// append given up earlier may still be applied (`in_doubt`), appends go one
    /// by one: were the first of two lost, the second would find the head it
    /// expects, but not the events.
    pub(super) fn must_settle(&self, in_doubt: bool) -> bool {
        self.refused.is_some() || !self.waiting.is_empty() || (in_doubt && !self.pending.is_empty())
    }

    /// Whether too many answers wait already.
    pub(super) fn is_full(&self) -> bool {
        self.held >= MAX_HELD
    }

    /// Keeps an answer until all that is decided by now is durable.
    pub(super) fn hold(&mut self, held: Held) {
        self.held += 1;
        match self.pending.back_mut() {
            Some(last) if self.open.events.is_empty() => last.held.push(held),
            _ => self.open.held.push(held),
        }
    }

    /// The oldest append, when it is durable and its turn to be said has come.
    pub(super) fn next_durable(&mut self) -> Option<Pending> {
        let oldest = self.pending.front()?;
        if oldest.settled != Some(true) {
            return None;
        }
        self.held -= oldest.held.len();
        self.pending.pop_front()
    }

    /// Takes note of what became of an append, in a word: `why`.
    pub(super) fn settle(&mut self, append: u64, refusal: Option<Refusal>, why: &'static str) {
        if let Some(pending) = self.pending.iter_mut().find(|p| p.append == append) {
            pending.settled = Some(refusal.is_none());
            // The commit is over, though its turn to be said may not have come.
            traced::end_commit(&mut pending.spans, refusal.map_or(Ok(()), |_| Err(why)));
            self.refused = self.refused.max(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A live conversation is meant to take about 1 KiB with its heap.
    #[test]
    fn sizes_stay_in_bounds() {
        let size = std::mem::size_of::<Ready>();
        assert!(size <= 512, "Ready: {size}");
        let size = std::mem::size_of::<Mail>();
        assert!(size <= 264, "Mail: {size}");
        let size = std::mem::size_of::<Held>();
        assert!(size <= 288, "Held: {size}");
    }
}
