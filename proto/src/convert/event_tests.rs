//! Events to the wire and back.

use super::*;
use frontdesk_core::conversation::{Consent, ErasedWhy, ReleasedReason, Unserved};
use frontdesk_core::ids::{AgentId, ConversationId, VisitorId};
use frontdesk_core::skill::{Level, Skills};
use frontdesk_core::time::Timestamp;
use uuid::Uuid;

fn bodies() -> Vec<Body> {
    let agent = Participant::agent(AgentId::from_uuid(Uuid::from_u128(7)), "Ana");
    let offer = frontdesk_core::ids::OfferId::from_uuid(Uuid::from_u128(9));
    let text: std::sync::Arc<str> = "grüße 你好 🙂".into();
    let id: frontdesk_core::ids::ClientMsgId = "m-1".parse().unwrap();
    let file = Attachment {
        id: frontdesk_core::ids::AttachmentId::from_uuid(Uuid::from_u128(11)),
        name: "a.png".into(),
        media_type: "image/png".into(),
        size: 42,
    };
    vec![
        Body::Started {
            site: "demo".parse().unwrap(),
            attributes: [("k".into(), "v".into())].into(),
            page: "https://shop.example/".into(),
            language: "de".into(),
            channel: "web".into(),
            consent: Some(Consent { version: "2".into(), at: Timestamp::from_millis(9) }),
        },
        Body::Message { client_msg_id: id.clone(), text: text.clone(), attachments: vec![file] },
        Body::Note { client_msg_id: id, text: text.clone(), mentions: vec![] },
        Body::Queued { queue: "sales".parse().unwrap(), reason: QueuedReason::AgentLost },
        Body::Offered { offer, agent: agent.clone(), expires_at: Timestamp::from_millis(1_234) },
        Body::OfferEnded {
            offer,
            agent: agent.clone(),
            outcome: OfferOutcome::Withdrawn,
            reason: text.clone(),
        },
        Body::Assigned { agent: agent.clone() },
        Body::Released { agent: agent.clone(), reason: ReleasedReason::Transferred },
        Body::Transferred {
            to_queue: "sales".parse().unwrap(),
            to_agent: Some(agent),
            note: text.clone(),
            to_skills: Skills::default(),
            warm: false,
        },
        Body::TagsChanged { tags: vec!["a".into(), "b".into()] },
        Body::Closed { reason: ClosedReason::ByAgent },
        Body::Closed { reason: ClosedReason::Erased },
        Body::Erased { why: ErasedWhy::Request },
        Body::Erased { why: ErasedWhy::Retention },
        Body::Reopened,
        Body::Rated { score: 5, comment: text.clone() },
        Body::ContactLeft(Contact { email: "a@b.example".into(), phone: "+1".into(), text }),
    ]
}

fn staff_bodies() -> Vec<Body> {
    let agent = Participant::agent(AgentId::from_uuid(Uuid::from_u128(7)), "Ana");
    let id: frontdesk_core::ids::ClientMsgId = "m-1".parse().unwrap();
    let (text, queue) = ("psst: 你好".into(), || "sales".parse().unwrap());
    let released = |reason| Body::Released { agent: agent.clone(), reason };
    let skills: Skills =
        [("tax".parse().unwrap(), Level::LOWEST), ("law".parse().unwrap(), 5.try_into().unwrap())]
            .into_iter()
            .collect();
    vec![
        Body::Note {
            client_msg_id: id.clone(),
            text: std::sync::Arc::clone(&text),
            mentions: vec![agent.clone(), agent.clone()],
        },
        Body::Whisper { client_msg_id: id, text: text.clone() },
        Body::Transferred {
            to_queue: queue(),
            to_agent: None,
            note: "".into(),
            to_skills: skills,
            warm: true,
        },
        released(ReleasedReason::TakenOver),
        released(ReleasedReason::Forced),
        Body::Queued { queue: queue(), reason: QueuedReason::Released },
        Body::Invited { agent: agent.clone(), note: text },
        Body::Joined { agent: agent.clone() },
        Body::Left { agent: agent.clone(), by_other: true },
        Body::Left { agent, by_other: false },
        Body::PriorityChanged { minutes: -15 },
    ]
}

fn unserved_bodies() -> Vec<Body> {
    let queue = || "sales".parse().unwrap();
    let each = |why| {
        [
            Body::Queued { queue: queue(), reason: QueuedReason::Unserved(why) },
            Body::Closed { reason: ClosedReason::Unserved(why) },
            Body::ContactAsked { why, opens_at: Some(Timestamp::from_millis(1_234)) },
        ]
    };
    let mut bodies: Vec<Body> =
        [Unserved::OutOfHours, Unserved::QueueFull, Unserved::WaitedTooLong]
            .into_iter()
            .flat_map(each)
            .collect();
    bodies.push(Body::Queued { queue: queue(), reason: QueuedReason::ContactLeft });
    bodies
}

#[test]
fn every_kind_of_event_survives_the_wire() {
    for body in
        bodies().into_iter().chain(unserved_bodies()).chain(alarm::bodies()).chain(staff_bodies())
    {
        let event = Event {
            conversation: ConversationId::from_uuid(Uuid::from_u128(3)),
            seq: Seq::new(8),
            prev_public: Seq::new(6),
            at: Timestamp::from_millis(1_763_877_600_123),
            by: Participant::visitor(VisitorId::from_uuid(Uuid::from_u128(5)), "Vi"),
            body,
        };
        let back = decode_event(&encode_event(&event), event.prev_public).unwrap();
        assert_eq!(back, event);
    }
}

#[test]
fn garbage_is_refused() {
    assert!(decode_event(b"\xff\xff\xff", Seq::ZERO).is_err());
    assert!(decode_event(b"", Seq::ZERO).is_err());
}
