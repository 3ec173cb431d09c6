//! What is forgotten is in nothing that is stored, and nothing happens any more.

use super::*;

const MARK: &str = "Mark7Qx";

fn marked() -> Command {
    let text = Arc::from(MARK);
    Command::Start(StartRequest {
        queue: queue("sales"),
        attributes: BTreeMap::from([(Arc::from("plan"), Arc::clone(&text))]),
        page: text.clone(),
        language: Arc::from("en"),
        channel: None,
        extra_minutes: 0,
        consent: Some(Arc::from("v1")),
        first_message: Some(("m1".parse().unwrap(), text)),
    })
}

/// With something of every kind of words in it.
fn told() -> (Conversation, Vec<Event>) {
    let id = ConversationId::from_uuid(Uuid::from_u128(99));
    let mut who = principal(SITE, Role::Visitor, VISITOR);
    who.name = Arc::from(MARK);
    let text: Arc<str> = Arc::from(MARK);
    let (mut it, step) = Conversation::open(id, &Origin::Client(who), &marked(), at(1)).unwrap();
    let mut events = step.events;
    let contact =
        Contact { email: Arc::from("Mark7Qx@a.example"), phone: "".into(), text: text.clone() };
    let (ann, file) = (
        named(ANN),
        Attachment {
            id: crate::ids::AttachmentId::from_uuid(Uuid::from_u128(5)),
            name: text.clone(),
            media_type: "text/plain".into(),
            size: 1,
        },
    );
    let expires_at = at(100);
    let commands = [
        (visitor(), Command::LeaveContact(contact)),
        (Origin::System, Command::Offer { offer: offer_id(1), agent: ann.clone(), expires_at }),
        (
            Origin::System,
            Command::EndOffer {
                offer: offer_id(1),
                outcome: OfferOutcome::Declined,
                reason: text.clone(),
            },
        ),
        (Origin::System, Command::Offer { offer: offer_id(2), agent: ann, expires_at }),
        (Origin::System, Command::Accept { offer: offer_id(2), agent: agent_id(ANN) }),
        (
            visitor(),
            Command::Send {
                client_msg_id: "m2".parse().unwrap(),
                text: text.clone(),
                attachments: vec![file],
                after: None,
            },
        ),
        (
            agent(ANN),
            Command::Note {
                client_msg_id: "n1".parse().unwrap(),
                text: text.clone(),
                mentions: vec![named(BOB)],
            },
        ),
        (supervisor(), whisper("w1")),
        (agent(ANN), Command::Invite { agent: named(BOB), note: text.clone() }),
        (agent(ANN), Command::SetTags { tags: vec![text.clone()] }),
        (visitor(), Command::Rate { score: 4, comment: text.clone() }),
        (
            agent(ANN),
            Command::Transfer {
                target: TransferTarget::Queue(queue("tax")),
                note: text,
                warm: false,
            },
        ),
    ];
    for (n, (origin, command)) in (2..).zip(commands) {
        events.extend(it.step(&origin, &command, at(n)).unwrap().events);
    }
    (it, events)
}

fn erase() -> Command {
    Command::Erase { why: ErasedWhy::Request }
}

#[test]
fn nothing_of_it_is_left_and_the_rest_is_what_it_was() {
    let (mut it, mut events) = told();
    assert!(serde_json::to_string(&it).unwrap().contains(MARK));
    events.extend(it.step(&Origin::System, &erase(), at(50)).unwrap().events);
    assert!(it.is_erased() && it.summary().erased);
    let kept = serde_json::to_string(&(&it, it.summary())).unwrap();
    assert!(!kept.contains(MARK), "{kept}");
    let blanked: Vec<Event> = events.iter().cloned().map(Event::blanked).collect();
    let stored = serde_json::to_string(&blanked).unwrap();
    assert!(!stored.contains(MARK) && !stored.contains("be kind"), "{stored}");
    for (before, after) in events.iter().zip(&blanked) {
        let place = |e: &Event| (e.seq, e.prev_public, e.at, e.by.id, e.body.audience());
        assert_eq!(place(before), place(after));
        assert_eq!(before.body.client_msg_id(), after.body.client_msg_id());
    }
    let mut again = Conversation::from_first(&blanked[0]).unwrap();
    blanked[1..].iter().for_each(|event| again.apply(event));
    assert_eq!(again, it, "read again it is the same");
    assert_eq!(&*it.summary().consent.unwrap().version, "v1");
}

#[test]
fn an_open_one_is_ended_and_none_goes_on() {
    let (mut it, _) = told();
    let step = it.step(&Origin::System, &erase(), at(50)).unwrap();
    let [closed, erased] = &step.events[..] else { panic!("{:?}", step.events) };
    assert_eq!(closed.body, Body::Closed { reason: ClosedReason::Erased });
    assert_eq!(erased.body, Body::Erased { why: ErasedWhy::Request });
    assert!(it.step(&Origin::System, &erase(), at(51)).unwrap().events.is_empty());
    let over = Err(Reject::State("the conversation was erased"));
    for command in [Command::Reopen, Command::Rate { score: 1, comment: "".into() }] {
        assert_eq!(it.step(&visitor(), &command, at(52)), over, "{command:?}");
    }
    assert_eq!(it.step(&agent(ANN), &note("n9"), at(53)), over);
    let said = it.step(&visitor(), &send("m1", MARK), at(54)).unwrap().outcome;
    assert!(matches!(said, Outcome::Sent { duplicate: true, .. }), "{said:?}");
}

#[test]
fn nobody_who_is_connected_may_erase() {
    for who in [visitor(), agent(ANN), supervisor()] {
        let (mut it, _) = told();
        let refused = it.step(&who, &erase(), at(50));
        assert!(matches!(refused, Err(Reject::Forbidden(_))), "{who:?}: {refused:?}");
    }
}
