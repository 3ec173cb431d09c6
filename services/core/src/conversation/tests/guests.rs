//! Invitations, mentions, guests, and hand-overs that bring somebody along.

use super::*;

/// Opened, with Ann, and Bob as her guest.
fn with_bob() -> Conversation {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &invite(BOB), 120);
    told(&mut it, &agent(BOB), &Command::Join, 121);
    it
}

#[test]
fn who_is_invited_may_read_join_speak_and_leave() {
    let mut it = with_ann();
    assert_eq!(it.step(&agent(BOB), &Command::Join, at(119)), Err(Reject::NotFound));
    let invited = Body::Invited { agent: named(BOB), note: Arc::from("help me") };
    assert_eq!(told(&mut it, &agent(ANN), &invite(BOB), 120), [invited]);
    assert_eq!(told(&mut it, &agent(ANN), &invite(BOB), 120), []);
    assert!(it.may_read(&principal(SITE, Role::Agent, BOB)));
    let early = it.step(&agent(BOB), &send("b0", "hello"), at(121));
    assert!(matches!(early, Err(Reject::Forbidden(_))), "a reader is no guest yet");
    assert_eq!(
        told(&mut it, &agent(BOB), &Command::Join, 122),
        [Body::Joined { agent: named(BOB) }]
    );
    assert_eq!(told(&mut it, &agent(BOB), &Command::Join, 122), []);
    assert_eq!(guests(&it), [BOB]);
    for command in [send("b1", "hello"), note("b2"), Command::Typing { typing: true }] {
        it.step(&agent(BOB), &command, at(123)).unwrap();
    }
    assert_assigned(&it, ANN);
    let left = Body::Left { agent: named(BOB), by_other: false };
    assert_eq!(told(&mut it, &agent(BOB), &leave(None), 124), [left]);
    assert_eq!(told(&mut it, &agent(BOB), &leave(None), 124), []);
    assert!(it.step(&agent(BOB), &send("b3", "more"), at(125)).is_err());
    assert!(it.may_read(&principal(SITE, Role::Agent, BOB)), "and may come back");
}

#[test]
fn a_guest_has_not_the_rights_of_the_one_who_has_it() {
    let mut it = with_bob();
    let to_sales = transfer(TransferTarget::Queue(queue("sales")));
    for command in [to_sales, Command::Close, invite(SUE), leave(Some(ANN))] {
        let refused = it.step(&agent(BOB), &command, at(130));
        assert!(matches!(refused, Err(Reject::Forbidden(_))), "{command:?}: {refused:?}");
    }
}

#[test]
fn who_is_sent_away_reads_no_more_and_must_be_asked_again() {
    for by in [agent(ANN), supervisor()] {
        let mut it = with_bob();
        let left = Body::Left { agent: named(BOB), by_other: true };
        assert_eq!(told(&mut it, &by, &leave(Some(BOB)), 130), [left]);
        assert_eq!(told(&mut it, &by, &leave(Some(BOB)), 130), []);
        assert_eq!(it.step(&agent(BOB), &Command::Join, at(131)), Err(Reject::NotFound));
        assert_eq!(told(&mut it, &by, &invite(BOB), 132).len(), 1);
        told(&mut it, &agent(BOB), &Command::Join, 133);
    }
}

#[test]
fn a_supervisor_joins_without_being_asked() {
    let mut it = with_ann();
    told(&mut it, &supervisor(), &Command::Join, 120);
    told(&mut it, &supervisor(), &send("s1", "May I?"), 121);
    assert_eq!(guests(&it), [SUE]);
    assert_assigned(&it, ANN);
}

#[test]
fn a_mention_lets_its_agents_read_and_join() {
    let mut it = with_ann();
    let step = it.step(&agent(ANN), &mentioning("n1", &[BOB, BOB, SUE]), at(120)).unwrap();
    let Body::Note { mentions, .. } = &step.events[0].body else { panic!("{step:?}") };
    assert_eq!(mentions.iter().map(|who| who.id.as_u128()).collect::<Vec<_>>(), [BOB, SUE]);
    told(&mut it, &agent(BOB), &note("n2"), 121);
    told(&mut it, &agent(BOB), &Command::Join, 122);
    let of_nobody = Command::Note {
        client_msg_id: "n3".parse().unwrap(),
        text: Arc::from("look"),
        mentions: vec![Participant::visitor(visitor_id(), "me")],
    };
    assert!(matches!(it.step(&agent(ANN), &of_nobody, at(123)), Err(Reject::Invalid(_))));
    let many: Vec<u128> = (200..=200 + MAX_MENTIONS as u128).collect();
    let refused = it.step(&agent(ANN), &mentioning("n4", &many), at(123));
    assert!(matches!(refused, Err(Reject::Invalid(_))));
}

#[test]
fn as_many_take_part_as_may_and_the_longest_ago_read_no_more() {
    let mut it = with_ann();
    for id in 200..=200 + MAX_GUESTS as u128 {
        told(&mut it, &agent(ANN), &invite(id), 120);
    }
    for id in 200..200 + MAX_GUESTS as u128 {
        told(&mut it, &agent(id), &Command::Join, 121);
    }
    let late = it.step(&agent(200 + MAX_GUESTS as u128), &Command::Join, at(122));
    assert!(matches!(late, Err(Reject::State(_))), "{late:?}");
    for id in 300..300 + MAX_READERS as u128 {
        told(&mut it, &agent(ANN), &invite(id), 130);
    }
    assert_eq!(it.readers().len(), MAX_READERS);
    let reads = |id| it.may_read(&principal(SITE, Role::Agent, id));
    assert!(reads(200) && reads(299 + MAX_READERS as u128), "guests and the newest");
    assert!(!reads(208) && !reads(300), "no longer");
}

#[test]
fn guests_stay_through_a_transfer_and_go_with_the_end() {
    let mut it = with_bob();
    told(&mut it, &agent(ANN), &transfer(TransferTarget::Queue(queue("support"))), 130);
    told(&mut it, &agent(BOB), &send("b1", "One moment"), 131);
    told(&mut it, &Origin::System, &offer(2, BOB, at(160)), 132);
    told(&mut it, &Origin::System, &accept(2, BOB), 133);
    assert_eq!(guests(&it), [] as [u128; 0], "who has it is no guest");
    told(&mut it, &supervisor(), &Command::Join, 134);
    told(&mut it, &agent(BOB), &Command::Close, 140);
    assert_eq!(guests(&it), [] as [u128; 0]);
    for command in [Command::Join, invite(ANN)] {
        let refused = it.step(&supervisor(), &command, at(141));
        assert!(matches!(refused, Err(Reject::State(_))), "{refused:?}");
    }
}

#[test]
fn a_guest_who_is_gone_takes_part_no_longer_but_may_come_back() {
    let mut it = with_bob();
    let lost = Command::AgentLost { agent: agent_id(BOB) };
    let left = Body::Left { agent: named(BOB), by_other: false };
    assert_eq!(told(&mut it, &Origin::System, &lost, 130), [left]);
    assert_eq!(told(&mut it, &Origin::System, &lost, 131), []);
    told(&mut it, &agent(BOB), &Command::Join, 132);
    assert_eq!(guests(&it), [BOB]);
    // Asked to take it meanwhile, both end at once.
    told(&mut it, &agent(ANN), &transfer(TransferTarget::Queue(queue("support"))), 133);
    told(&mut it, &Origin::System, &offer(2, BOB, at(160)), 134);
    assert_eq!(told(&mut it, &Origin::System, &lost, 135).len(), 2);
    assert_eq!(told(&mut it, &Origin::System, &lost, 136), []);
}

#[test]
fn a_warm_transfer_brings_along_who_handed_it_on() {
    let mut it = with_ann();
    let hand_on = warmly(TransferTarget::Queue(queue("support")));
    assert_eq!(told(&mut it, &agent(ANN), &hand_on, 120).len(), 3);
    assert_eq!(told(&mut it, &agent(ANN), &hand_on, 121), []);
    assert_eq!(guests(&it), [] as [u128; 0], "nobody has taken it yet");
    told(&mut it, &Origin::System, &offer(2, BOB, at(150)), 122);
    let taken = told(&mut it, &Origin::System, &accept(2, BOB), 123);
    let bob = Body::Assigned { agent: named(BOB) };
    assert_eq!(taken, [bob, Body::Joined { agent: named(ANN) }]);
    told(&mut it, &agent(ANN), &send("a1", "This is Bob."), 124);
    told(&mut it, &agent(BOB), &send("b1", "Hello!"), 125);
    told(&mut it, &agent(ANN), &leave(None), 126);
    assert_assigned(&it, BOB);
    assert_eq!(it.summary().waiting_since, at(100), "the clock goes on");
}

#[test]
fn a_cold_transfer_after_a_warm_one_brings_nobody() {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &warmly(TransferTarget::Queue(queue("support"))), 120);
    told(&mut it, &Origin::System, &offer(2, ANN, at(150)), 122);
    let taken = told(&mut it, &Origin::System, &accept(2, ANN), 123);
    assert_eq!(taken, [Body::Assigned { agent: named(ANN) }], "she has it herself");
    told(&mut it, &agent(ANN), &transfer(TransferTarget::Queue(queue("sales"))), 130);
    told(&mut it, &Origin::System, &offer(3, BOB, at(150)), 131);
    assert_eq!(told(&mut it, &Origin::System, &accept(3, BOB), 132).len(), 1);
}

#[test]
fn frontdesk_itself_is_nobodys_guest() {
    let mut it = with_ann();
    let join = it.step(&Origin::System, &Command::Join, at(119));
    assert!(matches!(join, Err(Reject::Invalid(_))), "{join:?}");
    let hand_on = warmly(TransferTarget::Queue(queue("support")));
    told(&mut it, &Origin::System, &hand_on, 120);
    told(&mut it, &Origin::System, &offer(2, BOB, at(150)), 121);
    assert_eq!(told(&mut it, &Origin::System, &accept(2, BOB), 122).len(), 1);
}

#[test]
fn a_transfer_to_a_skill_asks_for_it_until_somebody_has_it() {
    let mut it = with_ann();
    let wanted = skills(&[("tax", 3)]);
    let hand_on = transfer(TransferTarget::Skill(wanted.clone()));
    told(&mut it, &agent(ANN), &hand_on, 120);
    assert_eq!(told(&mut it, &agent(ANN), &hand_on, 121), []);
    let summary = it.summary();
    assert_eq!((summary.asked_skills, summary.queue), (wanted, queue("sales")));
    assert_eq!(summary.excluded, [agent_id(ANN)]);
    let to_queue = transfer(TransferTarget::Queue(queue("sales")));
    assert!(it.step(&agent(ANN), &to_queue, at(122)).is_err(), "that was another wish");
    told(&mut it, &Origin::System, &offer(2, BOB, at(150)), 123);
    assert!(!it.summary().asked_skills.is_empty());
    told(&mut it, &Origin::System, &accept(2, BOB), 124);
    assert!(it.summary().asked_skills.is_empty());
    for bad in
        [skills(&[]), (0..9).map(|n| (format!("s{n}").parse().unwrap(), Level::LOWEST)).collect()]
    {
        let refused = it.step(&agent(BOB), &transfer(TransferTarget::Skill(bad)), at(125));
        assert!(matches!(refused, Err(Reject::Invalid(_))), "{refused:?}");
    }
}

#[test]
fn what_was_asked_for_ends_when_its_queue_does_not_serve_it() {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &transfer(TransferTarget::Skill(skills(&[("tax", 3)]))), 120);
    let elsewhere = Command::Unserved {
        queue: queue("sales"),
        why: Unserved::WaitedTooLong,
        instead: Instead::Queue(queue("support")),
        opens_at: None,
    };
    told(&mut it, &Origin::System, &elsewhere, 121);
    assert!(it.summary().asked_skills.is_empty());
}

/// What everybody is asked for, and where.
fn asked(it: &Conversation) -> Vec<(u128, AskedTo, u32)> {
    let of = |it: Asked| (it.agent.as_uuid().as_u128(), it.to, it.seq.get());
    it.summary().asked.into_iter().map(of).collect()
}

#[test]
fn who_is_asked_for_something_stays_so_until_it_is_answered() {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &invite(BOB), 120);
    let invited = it.head().get();
    told(&mut it, &agent(ANN), &mentioning("n1", &[BOB, SUE]), 121);
    let mentioned = it.head().get();
    let all = [
        (BOB, AskedTo::Join, invited),
        (BOB, AskedTo::Look, mentioned),
        (SUE, AskedTo::Look, mentioned),
    ];
    assert_eq!(asked(&it), all);
    // A note is an answer to the one who was mentioned, not to an invitation.
    told(&mut it, &agent(BOB), &note("n2"), 122);
    assert_eq!(asked(&it), [all[0], all[2]]);
    told(&mut it, &agent(ANN), &mentioning("n3", &[SUE]), 123);
    assert_eq!(asked(&it), [all[0], (SUE, AskedTo::Look, it.head().get())], "the newest counts");
    told(&mut it, &agent(BOB), &Command::Join, 124);
    assert_eq!(asked(&it).len(), 1);
    told(&mut it, &agent(ANN), &Command::Close, 125);
    assert_eq!(asked(&it), [], "and with the end nothing is asked any more");
}

#[test]
fn whoever_has_it_is_asked_for_nothing() {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &invite(BOB), 120);
    told(&mut it, &agent(ANN), &transfer(TransferTarget::Queue(queue("support"))), 121);
    assert_eq!(asked(&it).len(), 1, "still to be answered");
    told(&mut it, &Origin::System, &offer(2, BOB, at(150)), 122);
    told(&mut it, &Origin::System, &accept(2, BOB), 123);
    assert_eq!(asked(&it), []);
}

#[test]
fn who_was_invited_before_this_was_kept_is_not_invited_twice() {
    let mut it = with_ann();
    told(&mut it, &agent(ANN), &invite(BOB), 120);
    let mut stored = serde_json::to_value(&it).unwrap();
    let reader = &mut stored["company"]["readers"][0];
    reader.as_object_mut().unwrap().remove("invitation").unwrap();
    let mut it: Conversation = serde_json::from_value(stored).unwrap();
    assert_eq!(told(&mut it, &agent(ANN), &invite(BOB), 121), []);
    assert_eq!(asked(&it), [], "nobody knows where it stands");
}

#[test]
fn a_snapshot_of_before_has_no_company() {
    let it = with_ann();
    let stored = serde_json::to_value(&it).unwrap();
    assert!(stored.get("company").is_none() && stored.get("asked_skills").is_none());
    let mut before = stored.clone();
    before.as_object_mut().unwrap().remove("extra_minutes").unwrap();
    assert_eq!(serde_json::from_value::<Conversation>(before).unwrap(), it);
}
