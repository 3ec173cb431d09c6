//! Forgetting what was said: what becomes of the state, and of the events before.
//!
//! What is left tells how the centre worked (times, queues, who had it, scores), and
//! nothing of what the visitor is or said. `seq`, audience and sender's id of each event
//! stay, so that every reader's place does.

use super::decide::ended;
use super::event::{Body, ClosedReason, Contact, ErasedWhy, Event, OfferOutcome};
use super::state::{Conversation, Phase};
use crate::party::Party;
use std::sync::Arc;

impl Conversation {
    /// Whether what was said is gone.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    pub(super) fn erase(&self, why: ErasedWhy) -> Vec<Body> {
        if self.erased {
            return vec![];
        }
        let mut bodies = Vec::new();
        if let Phase::Offered(offer) = &self.phase {
            bodies.push(ended(offer, OfferOutcome::Withdrawn, ""));
        }
        if !self.is_closed() {
            bodies.push(Body::Closed { reason: ClosedReason::Erased });
        }
        bodies.push(Body::Erased { why });
        bodies
    }

    /// After `Erased`: as if nothing had ever been said.
    pub(super) fn forget(&mut self) {
        self.erased = true;
        self.visitor.name = Arc::from("");
        self.attributes.clear();
        self.page = Arc::from("");
        self.contact = None;
        self.handover_note = None;
        self.tags.clear();
        self.preview = Arc::from("");
        if let Some(rating) = &mut self.rating {
            rating.1 = Arc::from("");
        }
    }
}

impl Event {
    /// What is left of it once the conversation is erased.
    pub fn blanked(mut self) -> Self {
        let nothing = || Arc::<str>::from("");
        if self.by.party == Party::Visitor {
            self.by.name = nothing();
        }
        match &mut self.body {
            Body::Started { attributes, page, .. } => {
                attributes.clear();
                *page = nothing();
            }
            Body::Message { text, attachments, .. } => {
                *text = nothing();
                attachments.clear();
            }
            Body::Note { text, .. } | Body::Whisper { text, .. } => *text = nothing(),
            Body::OfferEnded { reason, .. } => *reason = nothing(),
            Body::Transferred { note, .. } | Body::Invited { note, .. } => *note = nothing(),
            Body::TagsChanged { tags } => tags.clear(),
            Body::Rated { comment, .. } => *comment = nothing(),
            Body::ContactLeft(Contact { email, phone, text }) => {
                (*email, *phone, *text) = (nothing(), nothing(), nothing());
            }
            Body::Queued { .. }
            | Body::Offered { .. }
            | Body::Assigned { .. }
            | Body::Released { .. }
            | Body::Closed { .. }
            | Body::Reopened
            | Body::ContactAsked { .. }
            | Body::Joined { .. }
            | Body::Left { .. }
            | Body::PriorityChanged { .. }
            | Body::AlarmRaised(_)
            | Body::TransferReturned { .. }
            | Body::Erased { .. } => {}
        }
        self
    }
}
