//! What supervisors do to conversations of others.

use super::*;
use crate::party::Audience;

#[test]
fn a_whisper_is_for_the_staff_and_said_once() {
    let mut it = with_ann();
    let step = it.step(&supervisor(), &whisper("w1"), at(120)).unwrap();
    assert_eq!(step.events[0].body.audience(), Audience::Internal);
    let again = it.step(&supervisor(), &whisper("w1"), at(121)).unwrap();
    assert!(matches!(again.outcome, Outcome::Sent { duplicate: true, .. }));
    for who in [agent(ANN), visitor()] {
        let refused = it.step(&who, &whisper("w2"), at(122));
        assert!(matches!(refused, Err(Reject::Forbidden(_))), "{refused:?}");
    }
    told(&mut it, &agent(ANN), &Command::Close, 130);
    assert!(matches!(it.step(&supervisor(), &whisper("w3"), at(131)), Err(Reject::State(_))));
}

#[test]
fn what_is_taken_over_changes_hands_in_one_step() {
    let mut it = with_ann();
    told(&mut it, &supervisor(), &Command::Join, 119);
    let step = it.step(&Origin::System, &take_over(), at(120)).unwrap();
    let bodies: Vec<Body> = step.events.iter().map(|event| event.body.clone()).collect();
    let released = Body::Released { agent: named(ANN), reason: ReleasedReason::TakenOver };
    assert_eq!(bodies, [released, Body::Assigned { agent: sue() }]);
    assert!(step.events.iter().all(|event| event.by == sue()), "she did it, not the system");
    assert_eq!(guests(&it), [] as [u128; 0]);
    assert_eq!(told(&mut it, &Origin::System, &take_over(), 121), []);
    told(&mut it, &supervisor(), &send("s1", "I have it now."), 122);
    assert_eq!(it.step(&agent(ANN), &send("a1", "But"), at(123)), Err(Reject::NotFound));
}

#[test]
fn what_waits_or_is_offered_can_be_taken_too() {
    let (mut it, _) = opened();
    assert_eq!(
        told(&mut it.clone(), &Origin::System, &take_over(), 105),
        [Body::Assigned { agent: sue() }]
    );
    told(&mut it, &Origin::System, &offer(1, ANN, at(130)), 105);
    let taken = told(&mut it, &Origin::System, &take_over(), 106);
    assert!(matches!(
        taken[..],
        [Body::OfferEnded { outcome: OfferOutcome::Withdrawn, .. }, Body::Assigned { .. }]
    ));
    let late = it.step(&Origin::System, &accept(1, ANN), at(107));
    assert!(matches!(late, Err(Reject::State(_))));
    assert_assigned(&it, SUE);
}

#[test]
fn nobody_takes_over_by_asking_the_conversation() {
    let mut it = with_ann();
    let refused = it.step(&supervisor(), &take_over(), at(120));
    assert!(matches!(refused, Err(Reject::Forbidden(_))));
    told(&mut it, &agent(ANN), &Command::Close, 130);
    assert!(matches!(it.step(&Origin::System, &take_over(), at(131)), Err(Reject::State(_))));
}

#[test]
fn what_is_put_back_keeps_its_place_and_asks_that_agent_last() {
    let mut it = with_ann();
    let from_bob = Command::ForceRelease { agent: Some(agent_id(BOB)) };
    assert_eq!(told(&mut it, &supervisor(), &from_bob, 119), [], "Bob has it not");
    let put_back = Command::ForceRelease { agent: None };
    let released = Body::Released { agent: named(ANN), reason: ReleasedReason::Forced };
    let queued = Body::Queued { queue: queue("sales"), reason: QueuedReason::Released };
    assert_eq!(told(&mut it, &supervisor(), &put_back, 120), [released, queued]);
    assert_eq!(told(&mut it, &supervisor(), &put_back, 121), []);
    let summary = it.summary();
    assert_eq!((summary.phase, summary.waiting_since), (Phase::Waiting, at(100)));
    assert_eq!(summary.excluded, [agent_id(ANN)]);
    let by_agent = it.step(&agent(ANN), &put_back, at(122));
    assert!(matches!(by_agent, Err(Reject::Forbidden(_))));
}

#[test]
fn a_priority_is_set_once_within_a_day_and_kept() {
    let (mut it, _) = opened();
    let set = |minutes| Command::SetPriority { minutes };
    assert_eq!(
        told(&mut it, &supervisor(), &set(15), 105),
        [Body::PriorityChanged { minutes: 15 }]
    );
    assert_eq!(told(&mut it, &supervisor(), &set(15), 106), []);
    for minutes in [MAX_EXTRA_MINUTES + 1, -MAX_EXTRA_MINUTES - 1, i32::MIN] {
        let refused = it.step(&supervisor(), &set(minutes), at(107));
        assert!(matches!(refused, Err(Reject::Invalid(_))), "{minutes}");
    }
    assert!(it.step(&agent(ANN), &set(1), at(108)).is_err());
    told(&mut it, &Origin::System, &offer(1, ANN, at(130)), 109);
    told(&mut it, &Origin::System, &accept(1, ANN), 110);
    assert_eq!(it.summary().extra_minutes, 15);
}
