//! A conversation in memory, with the appends that are in flight.

use crate::mail::{Held, Mail};
use bytes::Bytes;
use frontdesk_core::conversation::{Conversation, Event, Summary};
use frontdesk_core::ids::Seq;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::Instant;

/// Mail that may wait while a conversation is loaded or settles.
pub(super) const MAX_WAITING: usize = 1_024;

/// `conversation` may be ahead of the journal by `pending` and `open`.
pub(super) struct Ready {
    /// `None`: it does not exist (yet).
    pub(super) conversation: Option<Conversation>,
    /// Gathered in this turn, not yet submitted.
    pub(super) open: Draft,
    /// Submitted, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// An append was refused: nothing runs until all in flight have settled and
    /// the conversation has been loaded again.
    pub(super) refused: bool,
    /// Mail that came after the refusal.
    pub(super) waiting: VecDeque<Mail>,
    /// Last event in the stored snapshot.
    pub(super) snapshot: Seq,
}

/// Events and answers that will become one append.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) events: Vec<Encoded>,
    pub(super) held: Vec<Held>,
    /// Something that lists, queues or routing show has changed.
    pub(super) listed: bool,
}

/// An event with its one encoding.
pub(super) struct Encoded {
    pub(super) event: Event,
    pub(super) bytes: Bytes,
}

/// One append in flight.
pub(super) struct Pending {
    pub(super) append: u64,
    pub(super) submitted: Instant,
    pub(super) events: Vec<Encoded>,
    pub(super) held: Vec<Held>,
    pub(super) summary: Option<Arc<Summary>>,
    /// It has settled: `true` when it is durable.
    pub(super) settled: Option<bool>,
}

impl Ready {
    pub(super) fn new(conversation: Option<Conversation>, snapshot: Seq) -> Self {
        Self {
            conversation,
            open: Draft::default(),
            pending: VecDeque::new(),
            refused: false,
            waiting: VecDeque::new(),
            snapshot,
        }
    }

    /// Nothing is in flight or to be submitted.
    pub(super) fn is_durable(&self) -> bool {
        self.pending.is_empty() && self.open.events.is_empty() && self.open.held.is_empty()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_durable() && !self.refused && self.waiting.is_empty()
    }
}
