//! What a queue does not serve: elsewhere, word left, or its place kept.

use super::*;

fn turned_away(why: Unserved, instead: Instead) -> Command {
    Command::Unserved { queue: queue("sales"), why, instead, opens_at: Some(at(9_000)) }
}

fn system(it: &mut Conversation, command: &Command, secs: u64) -> Vec<Body> {
    let step = it.step(&Origin::System, command, at(secs)).unwrap();
    step.events.into_iter().map(|event| event.body).collect()
}

#[test]
fn another_queue_takes_it_with_the_same_clock() {
    let (mut it, _) = opened();
    let moved = turned_away(Unserved::QueueFull, Instead::Queue(queue("support")));
    let reason = QueuedReason::Unserved(Unserved::QueueFull);
    let events = system(&mut it, &moved, 105);
    assert_eq!(events, [Body::Queued { queue: queue("support"), reason }]);
    let summary = it.summary();
    assert_eq!((summary.waiting_since, summary.queue), (at(100), queue("support")));
    assert_eq!(summary.arrival, Some(Arrival { at: at(105), reason }));
    assert_eq!(system(&mut it, &moved, 106), [], "it waits elsewhere by now");
}

#[test]
fn word_left_after_the_end_makes_it_wait_again() {
    let (mut it, _) = opened();
    let ended = turned_away(Unserved::OutOfHours, Instead::Form);
    let reason = ClosedReason::Unserved(Unserved::OutOfHours);
    let asked = Body::ContactAsked { why: Unserved::OutOfHours, opens_at: Some(at(9_000)) };
    assert_eq!(system(&mut it, &ended, 105), [asked, Body::Closed { reason }]);
    let left = it.step(&visitor(), &contact("ann@example.org"), at(200)).unwrap();
    assert_eq!(left.events.len(), 2, "{left:?}");
    let summary = it.summary();
    assert_eq!((summary.phase, summary.waiting_since), (Phase::Waiting, at(200)));
    assert_eq!(summary.reachable, Reachable::Left);
    let again = it.step(&visitor(), &contact("ann@example.org"), at(201)).unwrap();
    assert_eq!(again.events, []);
    // Ended unserved once more, the same words do the same.
    system(&mut it, &ended, 300);
    let again = it.step(&visitor(), &contact("ann@example.org"), at(301)).unwrap();
    assert_eq!(again.events.len(), 2);
}

#[test]
fn a_callback_keeps_the_place_and_is_offered_once() {
    let (mut it, _) = opened();
    let asked = turned_away(Unserved::WaitedTooLong, Instead::Callback);
    let event = Body::ContactAsked { why: Unserved::WaitedTooLong, opens_at: Some(at(9_000)) };
    assert_eq!(system(&mut it, &asked, 105), [event]);
    assert_eq!(system(&mut it, &asked, 106), []);
    it.step(&visitor(), &contact("ann@example.org"), at(107)).unwrap();
    let summary = it.summary();
    assert_eq!((summary.phase, summary.waiting_since), (Phase::Waiting, at(100)));
    assert_eq!(summary.arrival.map(|arrival| arrival.at), Some(at(100)));
}

#[test]
fn who_is_being_served_is_not_turned_away() {
    let ended = turned_away(Unserved::WaitedTooLong, Instead::Form);
    assert_eq!(system(&mut with_ann(), &ended, 120), []);
    let (mut offered, _) = opened();
    system(&mut offered, &offer(1, ANN, at(130)), 105);
    assert_eq!(system(&mut offered, &ended, 106), []);
    assert!(offered.step(&visitor(), &ended, at(107)).is_err(), "only queueing may");
}

#[test]
fn word_is_left_only_where_it_is_of_use_and_can_be_used() {
    let refused = |it: &mut Conversation, wish: &Command| {
        it.step(&visitor(), wish, at(130)).expect_err("is refused")
    };
    assert!(matches!(refused(&mut with_ann(), &contact("a@b.example")), Reject::State(_)));
    let (mut closed, _) = opened();
    closed.step(&visitor(), &Command::Close, at(101)).unwrap();
    assert!(matches!(refused(&mut closed, &contact("a@b.example")), Reject::State(_)));
    let (mut it, _) = opened();
    for bad in ["", "nobody", "@", "a@", "a b@c.example", "a@.example", &"a".repeat(300)] {
        assert!(matches!(refused(&mut it, &contact(bad)), Reject::Invalid(_)), "{bad:?}");
    }
    let by_phone = |phone: &str| {
        let (email, text) = (Arc::from(""), Arc::from(""));
        Command::LeaveContact(Contact { email, phone: Arc::from(phone), text })
    };
    for bad in ["+", "call me", &"1".repeat(33)] {
        assert!(matches!(refused(&mut it, &by_phone(bad)), Reject::Invalid(_)), "{bad:?}");
    }
    it.step(&visitor(), &by_phone("+49 (30) 123-45"), at(131)).unwrap();
    assert!(it.step(&agent(ANN), &contact("a@b.example"), at(132)).is_err());
}
