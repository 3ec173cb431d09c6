//! What every reader is promised, checked on every event that arrives.

use frontdesk_proto::v1::{Audience, Cursor, EventPush, History};
use std::collections::HashMap;

/// The cursors of one connection.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) visitor: bool,
    cursors: HashMap<String, u32>,
}

impl Watch {
    /// Goes on from here.
    pub(super) fn from(&mut self, cursor: &Cursor) {
        self.cursors.insert(cursor.conversation_id.clone(), cursor.seq);
    }

    pub(super) fn cursor(&self, conversation: &str) -> Cursor {
        let seq = self.cursors.get(conversation).copied().unwrap_or_default();
        Cursor { conversation_id: conversation.to_owned(), seq }
    }

    /// Panics when the event leaves a gap, comes twice, or is not for this reader.
    pub(super) fn saw(&mut self, push: &EventPush) {
        self.check(push);
        let event = push.event.as_ref().expect("a push carries an event");
        let cursor = self.cursors.entry(event.conversation_id.clone()).or_default();
        // Who is given a conversation anew is told it from its first event on.
        let anew = push.prev == 0;
        assert!(anew || push.prev == *cursor, "a gap or repetition after {cursor}: {event:?}");
        *cursor = event.seq;
    }

    /// The same for a page, which may begin anywhere.
    pub(super) fn read(&self, page: &History) {
        page.events.iter().for_each(|push| self.check(push));
        for pair in page.events.windows(2) {
            let seq = pair[0].event.as_ref().map(|e| e.seq);
            assert_eq!(seq, Some(pair[1].prev), "a gap within a page: {pair:?}");
        }
    }

    fn check(&self, push: &EventPush) {
        let event = push.event.as_ref().expect("a push carries an event");
        assert!(push.prev < event.seq, "prev is not before seq: {push:?}");
        assert!(event.at.is_some() && event.body.is_some(), "incomplete: {event:?}");
        match event.audience() {
            Audience::Public => {}
            Audience::Internal => assert!(!self.visitor, "a visitor received {event:?}"),
            Audience::Unspecified => panic!("an event for nobody: {event:?}"),
        }
    }
}
