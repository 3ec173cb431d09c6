//! One conversation step by step: what each command leads to in each phase.

use super::*;
use crate::ids::Seq;
use crate::party::Audience;

#[test]
fn it_opens_with_started_perhaps_a_message_and_queued() {
    let mut request = start();
    if let Command::Start(start) = &mut request {
        start.first_message = Some(("m1".parse().unwrap(), Arc::from("hello")));
    }
    let id = ConversationId::from_uuid(Uuid::from_u128(100));
    let (it, step) = Conversation::open(id, &visitor(), &request, at(100)).unwrap();
    let seqs: Vec<u32> = step.events.iter().map(|e| e.seq.get()).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(matches!(step.events[1].body, Body::Message { .. }));
    assert_eq!(it.summary().queue, queue("sales"));
    assert_eq!(&*it.summary().preview, "hello");
    assert_eq!(it.visitor_id(), visitor_id());
}

#[test]
fn only_a_visitor_opens_and_only_with_a_start() {
    let id = ConversationId::from_uuid(Uuid::from_u128(100));
    let open = |origin, command| Conversation::open(id, &origin, &command, at(1)).unwrap_err();
    assert!(matches!(open(agent(ANN), start()), Reject::Forbidden(_)));
    assert_eq!(open(visitor(), send("a", "b")), Reject::NotFound);
    assert_eq!(open(Origin::System, start()), Reject::NotFound);
}

#[test]
fn a_message_waits_for_the_one_it_follows() {
    let (mut it, _) = opened();
    let follows = |id: &str, after: &str| match send(id, "text") {
        Command::Send { client_msg_id, text, attachments, .. } => {
            let after = Some(after.parse().unwrap());
            Command::Send { client_msg_id, text, attachments, after }
        }
        other => other,
    };
    let early = it.step(&visitor(), &follows("m2", "m1"), at(101));
    assert!(matches!(early, Err(Reject::Early(_))));
    assert_eq!(it.step(&visitor(), &send("m1", "text"), at(102)).unwrap().events.len(), 1);
    assert_eq!(it.step(&visitor(), &follows("m2", "m1"), at(103)).unwrap().events.len(), 1);
    // Said before: what it followed does not matter any more.
    let again = it.step(&visitor(), &follows("m2", "never-said"), at(104)).unwrap();
    assert!(matches!(again.outcome, Outcome::Sent { duplicate: true, .. }));
}

#[test]
fn a_repeated_start_changes_nothing() {
    let (mut it, _) = opened();
    let before = it.clone();
    assert_eq!(it.step(&visitor(), &start(), at(101)).unwrap().events, []);
    assert_eq!(it, before);
}

#[test]
fn an_offer_is_taken_only_by_the_one_asked_and_before_it_expires() {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(130)), at(105)).unwrap();
    for (command, now) in [(accept(1, BOB), 110), (accept(2, ANN), 110), (accept(1, ANN), 130)] {
        let refused = it.step(&Origin::System, &command, at(now));
        assert!(matches!(refused, Err(Reject::State(_))), "{command:?}: {refused:?}");
    }
    it.step(&Origin::System, &accept(1, ANN), at(129)).unwrap();
    assert_assigned(&it, ANN);
    let again = it.step(&Origin::System, &accept(1, ANN), at(500)).unwrap();
    assert_eq!(again.events, []);
}

#[test]
fn an_offer_that_was_ended_is_not_revived_by_a_late_repetition() {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(130)), at(105)).unwrap();
    it.step(&Origin::System, &end_offer(1, OfferOutcome::Expired), at(130)).unwrap();
    assert!(it.step(&Origin::System, &offer(1, ANN, at(130)), at(131)).is_err());
    assert_eq!(it.phase(), &Phase::Waiting);
}

#[test]
fn an_offer_goes_to_an_agent_only() {
    let (mut it, _) = opened();
    let to_visitor = Command::Offer {
        offer: offer_id(1),
        agent: Participant::visitor(visitor_id(), "me"),
        expires_at: at(130),
    };
    assert!(matches!(it.step(&Origin::System, &to_visitor, at(101)), Err(Reject::Invalid(_))));
}

#[test]
fn who_declines_is_asked_last_and_who_was_cut_off_is_not_to_blame() {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(130)), at(105)).unwrap();
    it.step(&Origin::System, &end_offer(1, OfferOutcome::Declined), at(106)).unwrap();
    it.step(&Origin::System, &offer(2, BOB, at(130)), at(107)).unwrap();
    it.step(&Origin::System, &Command::AgentLost { agent: agent_id(BOB) }, at(108)).unwrap();
    assert_eq!(it.phase(), &Phase::Waiting);
    assert_eq!(it.summary().excluded, [agent_id(ANN)]);
}

#[test]
fn a_transfer_keeps_the_place_and_asks_the_one_who_handed_on_last() {
    let mut it = with_ann();
    let hand_on = transfer(TransferTarget::Agent(named(BOB)));
    let step = it.step(&agent(ANN), &hand_on, at(200)).unwrap();
    assert_eq!(step.events.len(), 3);
    let summary = it.summary();
    assert_eq!(summary.waiting_since, at(100));
    assert_eq!(summary.target, Some((named(BOB), at(200) + TARGET_HOLD)));
    assert_eq!(summary.excluded, [agent_id(ANN)]);
    assert_eq!(summary.handover_note.as_deref(), Some("knows it all"));
}

#[test]
fn a_transfer_may_be_repeated_but_not_changed_by_who_has_it_no_longer() {
    let mut it = with_ann();
    let hand_on = transfer(TransferTarget::Queue(queue("support")));
    it.step(&agent(ANN), &hand_on, at(200)).unwrap();
    assert_eq!(it.step(&agent(ANN), &hand_on, at(201)).unwrap().events, []);
    let other = transfer(TransferTarget::Queue(queue("billing")));
    assert!(matches!(it.step(&agent(ANN), &other, at(202)), Err(Reject::Forbidden(_))));
    assert_eq!(it.summary().queue, queue("support"));
}

#[test]
fn a_transfer_goes_to_another_agent() {
    let mut it = with_ann();
    let to_self = transfer(TransferTarget::Agent(named(ANN)));
    let to_visitor =
        transfer(TransferTarget::Agent(Participant::visitor(visitor_id(), "somebody")));
    for command in [to_self, to_visitor] {
        let refused = it.step(&agent(ANN), &command, at(200));
        assert!(matches!(refused, Err(Reject::Invalid(_))), "{refused:?}");
    }
}

#[test]
fn a_lost_agent_gives_the_conversation_back_to_its_old_place() {
    let mut it = with_ann();
    it.step(&Origin::System, &Command::AgentLost { agent: agent_id(BOB) }, at(200)).unwrap();
    assert_assigned(&it, ANN);
    it.step(&Origin::System, &Command::AgentLost { agent: agent_id(ANN) }, at(201)).unwrap();
    assert_eq!(it.phase(), &Phase::Waiting);
    assert_eq!(it.summary().waiting_since, at(100));
}

#[test]
fn closing_withdraws_an_offer_and_reopening_waits_anew() {
    let (mut it, _) = opened();
    it.step(&Origin::System, &offer(1, ANN, at(130)), at(105)).unwrap();
    let step = it.step(&visitor(), &Command::Close, at(106)).unwrap();
    assert_eq!(step.events.len(), 2);
    assert!(matches!(it.phase(), Phase::Closed { .. }));
    assert!(matches!(it.step(&visitor(), &send("a", "b"), at(107)), Err(Reject::State(_))));
    it.step(&visitor(), &Command::Reopen, at(300)).unwrap();
    assert_eq!(it.summary().waiting_since, at(300));
}

#[test]
fn what_was_said_is_acknowledged_again_even_to_who_may_speak_no_more() {
    let mut it = with_ann();
    let said = it.step(&agent(ANN), &send("m1", "hello"), at(120)).unwrap().outcome;
    let Outcome::Sent { seq, at: when, duplicate: false } = said else { panic!("{said:?}") };
    it.step(&agent(ANN), &transfer(TransferTarget::Queue(queue("support"))), at(121)).unwrap();
    it.step(&Origin::System, &offer(2, BOB, at(140)), at(122)).unwrap();
    it.step(&Origin::System, &accept(2, BOB), at(123)).unwrap();
    let again = it.step(&agent(ANN), &send("m1", "hello"), at(124)).unwrap();
    assert_eq!(again.events, []);
    assert_eq!(again.outcome, Outcome::Sent { seq, at: when, duplicate: true });
    assert_eq!(it.step(&agent(ANN), &send("m2", "more"), at(125)), Err(Reject::NotFound));
}

#[test]
fn another_site_learns_nothing_even_with_the_same_ids() {
    let mut it = with_ann();
    it.step(&visitor(), &send("m1", "hello"), at(120)).unwrap();
    let elsewhere = Origin::Client(principal("other", Role::Visitor, VISITOR));
    assert_eq!(it.step(&elsewhere, &send("m1", "hello"), at(121)), Err(Reject::NotFound));
}

#[test]
fn a_full_conversation_still_answers_repetitions_and_ends() {
    let mut it = with_ann();
    it.step(&visitor(), &send("m1", "hello"), at(120)).unwrap();
    it.head = Seq::new(MAX_EVENTS);
    assert!(it.step(&visitor(), &send("m1", "hello"), at(121)).is_ok());
    assert!(matches!(it.step(&visitor(), &send("m2", "more"), at(122)), Err(Reject::State(_))));
    it.step(&Origin::System, &Command::AgentLost { agent: agent_id(ANN) }, at(123)).unwrap();
    it.step(&visitor(), &Command::Close, at(124)).unwrap();
    assert!(matches!(it.phase(), Phase::Closed { .. }));
}

#[test]
fn documented_limits_hold() {
    let mut it = with_ann();
    let too_long = "x".repeat(MAX_TEXT_BYTES + 1);
    let many_tags = (0..=MAX_TAGS).map(|i| Arc::from(i.to_string())).collect();
    let comment = Arc::from("x".repeat(MAX_COMMENT_BYTES + 1));
    let reason = Arc::from("x".repeat(MAX_REASON_BYTES + 1));
    let (offer, outcome) = (offer_id(1), OfferOutcome::Declined);
    for (who, command) in [
        (visitor(), send("a", "")),
        (visitor(), send("a", &too_long)),
        (agent(ANN), Command::SetTags { tags: many_tags }),
        (agent(ANN), Command::SetTags { tags: vec![Arc::from(" ")] }),
        (visitor(), Command::Rate { score: 6, comment: Arc::from("") }),
        (visitor(), Command::Rate { score: 1, comment }),
        (visitor(), Command::MarkRead { seq: it.head().next() }),
        (Origin::System, Command::EndOffer { offer, outcome, reason }),
    ] {
        let refused = it.step(&who, &command, at(200));
        assert!(matches!(refused, Err(Reject::Invalid(_))), "{refused:?}");
    }
    it.step(&visitor(), &send("a", &too_long[1..]), at(201)).unwrap();
}

#[test]
fn a_supervisor_sees_everything_of_the_site_but_speaks_only_as_a_guest() {
    let mut it = with_ann();
    it.step(&supervisor(), &note("n1"), at(120)).unwrap();
    let refused = it.step(&supervisor(), &send("m1", "hello"), at(121));
    assert!(matches!(refused, Err(Reject::Forbidden(_))));
    it.step(&supervisor(), &Command::Close, at(122)).unwrap();
}

#[test]
fn a_visitor_reads_no_further_than_what_it_may_see() {
    let mut it = with_ann();
    it.step(&agent(ANN), &note("n1"), at(120)).unwrap();
    let internal = it.head();
    assert!(it.head_for(Audience::Public) < internal);
    assert!(it.step(&visitor(), &Command::MarkRead { seq: internal }, at(121)).is_err());
    it.step(&agent(ANN), &Command::MarkRead { seq: internal }, at(122)).unwrap();
    assert_eq!(it.summary().agent_read, internal);
}

#[test]
fn another_visitor_gets_no_answer_to_the_ids_of_this_one() {
    let mut it = with_ann();
    it.step(&visitor(), &send("m1", "hello"), at(120)).unwrap();
    let stranger = Origin::Client(principal(SITE, Role::Visitor, 99));
    assert_eq!(it.step(&stranger, &send("m1", "hello"), at(121)), Err(Reject::NotFound));
}
