//! False events, made from true ones.

use super::plot::Deed;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{Assigned, Audience, Event, EventPush, Note, Participant, Party};

/// The words of a note that a visitor must not see.
const SECRET: &str = "not for visitors";
/// An agent whom nobody has ever assigned.
const STRANGER: &str = "01900000-0000-7000-8000-000000000000";

/// A note for the staff, in the hole before this event.
pub(super) fn note_before(push: &EventPush, event: &Event) -> Event {
    let note = Note { client_msg_id: "leak".into(), text: SECRET.into(), mentions: vec![] };
    in_hole(push, event, Audience::Internal, Body::Note(note))
}

/// Another agent's assignment, in the hole before this event.
pub(super) fn assignment_before(push: &EventPush, event: &Event) -> Event {
    let agent = Participant {
        party: Party::Agent.into(),
        id: STRANGER.into(),
        ..event.by.clone().unwrap_or_default()
    };
    in_hole(push, event, Audience::Public, Body::Assigned(Assigned { agent: Some(agent) }))
}

fn in_hole(push: &EventPush, event: &Event, audience: Audience, body: Body) -> Event {
    Event { seq: push.prev + 1, audience: audience.into(), body: Some(body), ..event.clone() }
}

/// Puts an event into the hole before another one.
pub(super) fn fill(event: Event, mut push: EventPush) -> Vec<EventPush> {
    let before = EventPush { prev: push.prev, event: Some(event) };
    push.prev += 1;
    vec![before, push]
}

/// The last letter becomes another one.
pub(super) fn damage(push: &mut EventPush) {
    let Some(Body::Message(message)) = push.event.as_mut().and_then(|e| e.body.as_mut()) else {
        return;
    };
    let last = message.text.pop().unwrap_or_default();
    message.text.push(if last == 'a' { 'b' } else { 'a' });
}

/// The first and the last event change bodies and keep their places.
pub(super) fn exchange_words(pushes: &mut [EventPush]) {
    let [first, .., last] = pushes else { return };
    if let (Some(first), Some(last)) = (first.event.as_mut(), last.event.as_mut()) {
        std::mem::swap(&mut first.body, &mut last.body);
    }
}

/// Puts a message into the place of another event.
pub(super) fn put_into(place: &mut Event, message: Event) {
    place.audience = message.audience;
    place.by = message.by;
    place.body = message.body;
}

pub(super) fn is_message_of(event: &Event, by: Party) -> bool {
    matches!(event.body, Some(Body::Message(_)))
        && event.by.as_ref().is_some_and(|p| p.party() == by)
}

/// What is done to this event.
pub(super) fn deed(event: &Event) -> Deed {
    let text = match &event.body {
        Some(Body::Message(message)) => message.text.clone(),
        Some(Body::Note(note)) => note.text.clone(),
        _ => String::new(),
    };
    Deed {
        conversation: event.conversation_id.clone(),
        by: event.by.as_ref().map_or(Party::Unspecified, |p| p.party()),
        seq: event.seq,
        text,
        into: None,
    }
}
