//! What each fault makes of a connection's batches.

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AgentState, Assigned, Audience, ClientBatch, ClientFrame, Event, EventPush, Message, Offered,
    Participant, Party, SendMessage, Sent, ServerBatch, ServerFrame, Welcome,
};
use frontdesk_tests::proxy::{Deed, Fault, Plot, Tamper};
use std::sync::Arc;

fn person(party: Party) -> Option<Participant> {
    Some(Participant { party: party.into(), ..Participant::default() })
}

fn message(seq: u32, prev: u32, by: Party, text: &str) -> EventPush {
    let body = Message { text: text.to_owned(), ..Message::default() };
    event("c", seq, prev, by, Body::Message(body))
}

fn event(conversation: &str, seq: u32, prev: u32, by: Party, body: Body) -> EventPush {
    let event = Event {
        conversation_id: conversation.to_owned(),
        seq,
        audience: Audience::Public.into(),
        by: person(by),
        body: Some(body),
        ..Event::default()
    };
    EventPush { event: Some(event), prev }
}

fn frame(push: EventPush) -> ServerFrame {
    ServerFrame { id: 0, frame: Some(Frame::Event(push)) }
}

/// A welcomed connection of this side, and the plot.
fn connection(fault: Fault, by: Party, you: Party) -> (Tamper, Arc<Plot>) {
    let plot = Arc::new(Plot::new(fault, by, 2));
    let mut tamper = Tamper::new(plot.clone());
    let welcome = Welcome { you: person(you), ..Welcome::default() };
    let frames = vec![ServerFrame { id: 1, frame: Some(Frame::Welcome(Box::new(welcome))) }];
    tamper.to_client(ServerBatch { frames });
    (tamper, plot)
}

/// What comes out, each as (conversation, seq, prev, words).
fn passed(tamper: &mut Tamper, pushes: Vec<EventPush>) -> Vec<(String, u32, u32, String)> {
    let frames = pushes.into_iter().map(frame).collect();
    let batch = tamper.to_client(ServerBatch { frames });
    let told = |frame: ServerFrame| {
        let Some(Frame::Event(push)) = frame.frame else { panic!("not an event: {frame:?}") };
        let event = push.event.expect("an event");
        let words = match event.body {
            Some(Body::Message(message)) => message.text,
            Some(Body::Note(_)) => "a note".to_owned(),
            Some(Body::Offered(_)) => "an offer".to_owned(),
            other => panic!("{other:?}"),
        };
        (event.conversation_id, event.seq, push.prev, words)
    };
    batch.frames.into_iter().map(told).collect()
}

/// A visitor says "one", "two" and "three" to an agent, who says "so" before the
/// last; gives what the agent's connection is told instead.
fn told(fault: Fault) -> (Vec<(u32, u32, String)>, Option<Deed>) {
    let (mut tamper, plot) = connection(fault, Party::Visitor, Party::Agent);
    let pushes = vec![
        message(1, 0, Party::Visitor, "one"),
        message(2, 1, Party::Visitor, "two"),
        message(3, 2, Party::Agent, "so"),
        message(4, 3, Party::Visitor, "three"),
    ];
    let passed = passed(&mut tamper, pushes);
    (passed.into_iter().map(|(_, seq, prev, words)| (seq, prev, words)).collect(), plot.deed())
}

fn expect(fault: Fault, expected: &[(u32, u32, &str)]) {
    let (told, deed) = told(fault);
    let told: Vec<_> =
        told.iter().map(|(seq, prev, words)| (*seq, *prev, words.as_str())).collect();
    assert_eq!(told, expected, "{fault:?}");
    let deed = deed.unwrap_or_else(|| panic!("{fault:?}: nothing was done"));
    assert_eq!((deed.seq, deed.text.as_str(), deed.by), (2, "two", Party::Visitor), "{fault:?}");
}

#[test]
fn every_fault_strikes_the_second_message_of_the_visitor() {
    expect(Fault::Lose, &[(1, 0, "one"), (3, 1, "so"), (4, 3, "three")]);
    expect(Fault::Gap, &[(1, 0, "one"), (3, 2, "so"), (4, 3, "three")]);
    expect(
        Fault::Repeat,
        &[(1, 0, "one"), (2, 1, "two"), (2, 1, "two"), (3, 2, "so"), (4, 3, "three")],
    );
    expect(Fault::Swap, &[(1, 0, "one"), (3, 2, "so"), (2, 1, "two"), (4, 3, "three")]);
    expect(Fault::Exchange, &[(1, 0, "one"), (2, 1, "three"), (3, 2, "so"), (4, 3, "two")]);
    expect(Fault::Damage, &[(1, 0, "one"), (2, 1, "twa"), (3, 2, "so"), (4, 3, "three")]);
}

#[test]
fn nothing_happens_without_a_fault_or_to_the_sender_itself() {
    expect(Fault::None, &[(1, 0, "one"), (2, 1, "two"), (3, 2, "so"), (4, 3, "three")]);
    let (mut tamper, plot) = connection(Fault::Lose, Party::Visitor, Party::Visitor);
    let pushes = (1..=3).map(|n| message(n, n - 1, Party::Visitor, "mine")).collect();
    assert_eq!(passed(&mut tamper, pushes).len(), 3);
    assert_eq!(plot.deed(), None);
}

#[test]
fn a_fault_happens_once_over_all_connections() {
    let (mut tamper, plot) = connection(Fault::Lose, Party::Visitor, Party::Agent);
    let pushes = |tamper: &mut Tamper| {
        let pushes = (1..=3).map(|n| message(n, n - 1, Party::Visitor, "words")).collect();
        passed(tamper, pushes).len()
    };
    assert_eq!(pushes(&mut tamper), 2);
    let mut other = Tamper::new(plot);
    let welcome = Welcome { you: person(Party::Agent), ..Welcome::default() };
    let frames = vec![ServerFrame { id: 1, frame: Some(Frame::Welcome(Box::new(welcome))) }];
    other.to_client(ServerBatch { frames });
    assert_eq!(pushes(&mut other), 3);
}

#[test]
fn a_lost_event_that_is_asked_for_again_is_told() {
    let (mut tamper, _) = connection(Fault::Lose, Party::Visitor, Party::Agent);
    let pushes = || (1..=3).map(|n| message(n, n - 1, Party::Visitor, "words")).collect();
    assert_eq!(passed(&mut tamper, pushes()).len(), 2);
    let again: Vec<_> = passed(&mut tamper, pushes()).iter().map(|p| (p.1, p.2)).collect();
    assert_eq!(again, [(1, 0), (2, 1), (3, 2)]);
}

#[test]
fn a_misrouted_message_takes_the_place_of_an_offer_elsewhere() {
    let (mut tamper, plot) = connection(Fault::Misroute, Party::Visitor, Party::Agent);
    let offer = |conversation, seq| {
        event(conversation, seq, seq - 1, Party::System, Body::Offered(Offered::default()))
    };
    let pushes = vec![
        message(1, 0, Party::Visitor, "one"),
        message(2, 1, Party::Visitor, "two"),
        offer("c", 3),
        offer("other", 3),
        offer("third", 3),
    ];
    let told = passed(&mut tamper, pushes);
    let told: Vec<_> = told.iter().map(|(c, s, p, w)| (c.as_str(), *s, *p, w.as_str())).collect();
    assert_eq!(
        told,
        [
            ("c", 1, 0, "one"),
            ("c", 3, 1, "an offer"),
            ("other", 3, 2, "two"),
            ("third", 3, 2, "an offer")
        ]
    );
    let deed = plot.deed().expect("it was done");
    assert_eq!((deed.conversation.as_str(), deed.into.as_deref()), ("c", Some("other")));
}

#[test]
fn a_leak_fills_a_hole_that_a_visitor_is_not_told_of() {
    let (mut tamper, plot) = connection(Fault::Leak, Party::Agent, Party::Visitor);
    let pushes = vec![
        message(1, 0, Party::Visitor, "one"),
        message(4, 1, Party::Agent, "two"),
        message(6, 4, Party::Agent, "three"),
    ];
    let told: Vec<_> = passed(&mut tamper, pushes).into_iter().map(|p| (p.1, p.2, p.3)).collect();
    let expected = [(1, 0, "one"), (2, 1, "a note"), (4, 2, "two"), (6, 4, "three")];
    assert_eq!(told, expected.map(|(seq, prev, words)| (seq, prev, words.to_owned())));
    assert_eq!(plot.deed().map(|deed| deed.seq), Some(2));
}

#[test]
fn a_false_acknowledgement_answers_and_forwards_nothing() {
    let (mut tamper, plot) = connection(Fault::FalseSent, Party::Visitor, Party::Visitor);
    passed(&mut tamper, vec![message(7, 0, Party::Agent, "hello")]);
    let send = |id: u32| {
        let send = SendMessage {
            conversation_id: "c".into(),
            client_msg_id: id.to_string(),
            text: format!("message {id}"),
            attachment_ids: Vec::new(),
            after_client_msg_id: String::new(),
        };
        ClientFrame { id, request: Some(Request::Send(send)) }
    };
    let frames = vec![send(11), send(12), send(13)];
    let (forwarded, answers) = tamper.to_server(ClientBatch { frames });
    assert_eq!(forwarded.frames, [send(11), send(13)]);
    let [ServerFrame { id: 12, frame: Some(Frame::Sent(sent)) }] = answers.as_slice() else {
        panic!("not one acknowledgement: {answers:?}");
    };
    assert_eq!((sent.client_msg_id.as_str(), sent.seq), ("12", 8));
    assert_eq!(plot.deed().map(|deed| deed.text), Some("message 12".to_owned()));
}

#[test]
fn a_second_agent_is_assigned_just_before_the_first() {
    let (mut tamper, plot) = connection(Fault::TwoAgents, Party::Agent, Party::Visitor);
    let assigned = |seq, prev| {
        frame(event("c", seq, prev, Party::System, Body::Assigned(Assigned::default())))
    };
    let frames = vec![frame(message(1, 0, Party::Visitor, "one")), assigned(3, 1), assigned(9, 3)];
    let batch = tamper.to_client(ServerBatch { frames });
    let places = batch.frames.iter().map(|frame| match &frame.frame {
        Some(Frame::Event(push)) => (push.prev, push.event.as_ref().map_or(0, |e| e.seq)),
        other => panic!("{other:?}"),
    });
    assert_eq!(places.collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3), (3, 9)]);
    assert_eq!(plot.deed().map(|deed| deed.seq), Some(2));
}

#[test]
fn acknowledgements_and_capacities_are_told_wrong() {
    let of = |tamper: &mut Tamper, frame: Frame| {
        let frames = vec![ServerFrame { id: 5, frame: Some(frame) }];
        tamper.to_client(ServerBatch { frames }).frames.remove(0).frame
    };
    let sent = |seq| Frame::Sent(Sent { conversation_id: "c".into(), seq, ..Sent::default() });
    let (mut tamper, plot) = connection(Fault::WrongPlace, Party::Visitor, Party::Visitor);
    let told = [4, 6, 8].map(|seq| of(&mut tamper, sent(seq)));
    assert_eq!(told, [4, 7, 8].map(|seq| Some(sent(seq))));
    assert_eq!(plot.deed().map(|deed| deed.seq), Some(6));

    let state = |capacity| Frame::AgentState(AgentState { capacity, ..AgentState::default() });
    let (mut agent, _) = connection(Fault::Crowd, Party::Agent, Party::Agent);
    assert_eq!(of(&mut agent, state(9)), Some(state(1)));
    assert_eq!(of(&mut agent, state(8)), Some(state(1)));
    assert_eq!(of(&mut tamper, state(9)), Some(state(9)));
}
