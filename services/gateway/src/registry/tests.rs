//! Who receives what.

use super::*;
use crate::codec::{self, WireFormat};
use bytes::Bytes;
use frontdesk_core::presence::AgentProfile;
use frontdesk_proto::api::PageEvent;
use frontdesk_proto::v1::{self, server_frame::Frame};
use prost::Message as _;
use uuid::Uuid;

fn reader(role: Role, id: u128) -> Arc<Reader> {
    let who =
        Principal { site: "demo".parse().unwrap(), role, id: Uuid::from_u128(id), name: "".into() };
    let connection = ConnectionId::from_uuid(Uuid::now_v7());
    Arc::new(Reader::new(connection, who, Arc::new(Outbox::new(WireFormat::Protobuf))))
}

fn conversation() -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(1))
}

fn bytes(seq: u32) -> Bytes {
    v1::Event { seq, ..Default::default() }.encode_to_vec().into()
}

/// Follows live after `head`.
fn follow(registry: &Registry, reader: &Arc<Reader>, head: u32) {
    registry.join(conversation(), reader, Seq::new(head)).unwrap();
    registry.attached(conversation(), reader, Seq::new(head), Seq::new(head));
    assert_eq!(registry.next(conversation(), reader), Some(Next::Live));
    reader.outbox.take_signals();
}

fn agent_id(id: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(id))
}

fn publish(registry: &Registry, seq: u32, prev_public: u32, internal: bool, to: Option<u128>) {
    let to = to.map(|agent| Rights::Assigned { agent: agent_id(agent), readers: vec![] });
    publish_to(registry, seq, prev_public, internal, to);
}

fn publish_to(
    registry: &Registry,
    seq: u32,
    prev_public: u32,
    internal: bool,
    rights: Option<Rights>,
) {
    registry.event(&LiveEvent {
        conversation: conversation(),
        seq: Seq::new(seq),
        prev_public: Seq::new(prev_public),
        internal,
        bytes: &bytes(seq),
        rights,
        trace: None,
    });
}

fn received(reader: &Reader) -> Vec<u32> {
    let mut seqs = Vec::new();
    loop {
        let mut out = Vec::new();
        if reader.outbox.take_batch(&mut out) == 0 {
            return seqs;
        }
        for frame in v1::ServerBatch::decode(&*out).unwrap().frames {
            if let Some(Frame::Event(push)) = frame.frame {
                seqs.push(push.event.unwrap().seq);
            }
        }
    }
}

#[test]
fn a_visitor_never_receives_what_is_internal() {
    let registry = Registry::new();
    let (visitor, agent) = (reader(Role::Visitor, 1), reader(Role::Agent, 2));
    follow(&registry, &visitor, 2);
    follow(&registry, &agent, 2);
    publish(&registry, 3, 2, true, None);
    publish(&registry, 4, 2, false, None);
    assert_eq!(received(&visitor), [4]);
    assert_eq!(received(&agent), [3, 4]);

    let typing = codec::push_frame(Frame::Typing(v1::TypingPush::default())).encode_to_vec();
    let done = registry.hint(conversation(), true, &[], &typing);
    assert_eq!(done.pushed, 1);
    let done = registry.hint(conversation(), false, agent.who.id.as_bytes(), &typing);
    assert_eq!(done.pushed, 1);
    assert_eq!(visitor.outbox.depth(), 1);
}

#[test]
fn a_gap_is_filled_from_history_and_then_live_again() {
    let registry = Registry::new();
    let visitor = reader(Role::Visitor, 1);
    follow(&registry, &visitor, 2);
    publish(&registry, 4, 3, false, None);
    assert_eq!(visitor.outbox.take_signals(), [Signal::Fill(conversation())]);
    assert!(received(&visitor).is_empty());

    let Some(Next::Read { after, generation }) = registry.next(conversation(), &visitor) else {
        panic!("a fill is due")
    };
    assert_eq!(after, Seq::new(2));
    let event = |n| PageEvent { seq: Seq::new(n), prev: Seq::new(n - 1), event: bytes(n) };
    let page = EventPage { events: vec![event(3), event(4)], more: false };
    let next = registry.page(conversation(), &visitor, generation, &page);
    assert_eq!(next, Some(Next::Live));
    publish(&registry, 5, 4, false, None);
    assert_eq!(received(&visitor), [3, 4, 5]);
}

#[test]
fn a_slow_reader_falls_behind_instead_of_filling_memory() {
    let registry = Registry::new();
    let slow = reader(Role::Supervisor, 1);
    follow(&registry, &slow, 0);
    let mut seq = 0;
    while slow.outbox.take_signals().is_empty() {
        seq += 1;
        publish(&registry, seq, seq - 1, false, None);
    }
    let depth = slow.outbox.depth();
    for later in seq + 1..seq + 1_000 {
        publish(&registry, later, later - 1, false, None);
    }
    assert_eq!(slow.outbox.depth(), depth);
    assert_eq!(slow.outbox.closing(), None);
}

#[test]
fn an_agent_who_lost_the_conversation_follows_no_longer() {
    let registry = Registry::new();
    let (old, new) = (reader(Role::Agent, 1), reader(Role::Agent, 2));
    let (boss, visitor) = (reader(Role::Supervisor, 3), reader(Role::Visitor, 4));
    for r in [&old, &new, &boss, &visitor] {
        follow(&registry, r, 4);
    }
    publish(&registry, 5, 4, false, None);
    publish(&registry, 6, 5, false, Some(2));
    publish(&registry, 7, 6, false, None);
    assert_eq!(received(&old), [5]);
    for r in [&new, &boss, &visitor] {
        assert_eq!(received(r), [5, 6, 7]);
    }
    assert!(!registry.follows(conversation(), &old));
    assert!(old.followed().is_empty());
}

#[test]
fn guests_go_on_when_another_agent_is_assigned() {
    let registry = Registry::new();
    let (old, guest) = (reader(Role::Agent, 1), reader(Role::Agent, 2));
    for r in [&old, &guest] {
        follow(&registry, r, 4);
    }
    let rights = Rights::Assigned { agent: agent_id(3), readers: vec![agent_id(2)] };
    publish_to(&registry, 5, 4, false, Some(rights));
    publish(&registry, 6, 5, false, None);
    assert_eq!((received(&old), received(&guest)), (vec![], vec![5, 6]));
}

#[test]
fn who_is_sent_away_sees_that_and_nothing_more() {
    let registry = Registry::new();
    let (gone, stays) = (reader(Role::Agent, 1), reader(Role::Agent, 2));
    for r in [&gone, &stays] {
        follow(&registry, r, 4);
    }
    publish_to(&registry, 5, 4, false, Some(Rights::Dismissed(agent_id(1))));
    publish(&registry, 6, 5, false, None);
    assert_eq!((received(&gone), received(&stays)), (vec![5], vec![5, 6]));
    assert!(!registry.follows(conversation(), &gone));
    // One who is behind is filled up to there.
    let late = reader(Role::Agent, 1);
    follow(&registry, &late, 4);
    publish_to(&registry, 8, 7, false, Some(Rights::Dismissed(agent_id(1))));
    let Some(Next::Read { generation, .. }) = registry.next(conversation(), &late) else {
        panic!("a fill is due")
    };
    let event = |n| PageEvent { seq: Seq::new(n), prev: Seq::new(n - 1), event: bytes(n) };
    let page = EventPage { events: (5..=10).map(event).collect(), more: false };
    assert_eq!(registry.page(conversation(), &late, generation, &page), Some(Next::Ended));
    assert_eq!(received(&late), [5, 6, 7, 8]);
}

#[test]
fn the_owner_is_told_when_the_visitors_last_connection_leaves() {
    let registry = Registry::new();
    let (agent, phone, laptop) =
        (reader(Role::Agent, 2), reader(Role::Visitor, 1), reader(Role::Visitor, 1));
    for reader in [&agent, &phone, &laptop] {
        follow(&registry, reader, 0);
    }
    assert!(registry.readers(conversation())[0].is_visitor(), "it attaches before others");
    assert!(!registry.leave(conversation(), &phone));
    assert!(registry.without_visitor(conversation()).is_none());
    assert!(registry.leave(conversation(), &laptop));
    assert!(registry.without_visitor(conversation()).is_some());
    assert!(registry.abandoned(conversation()).is_none(), "its agent is there");
}

#[test]
fn the_last_one_to_leave_is_told_so() {
    let registry = Registry::new();
    let (a, b) = (reader(Role::Supervisor, 1), reader(Role::Agent, 2));
    follow(&registry, &a, 0);
    follow(&registry, &b, 0);
    assert!(registry.abandoned(conversation()).is_none());
    assert!(registry.leave_all(&a).is_empty());
    assert_eq!(registry.leave_all(&b), [conversation()]);
    assert!(registry.abandoned(conversation()).is_some());
    follow(&registry, &a, 0);
    registry.forget(conversation());
    assert!(registry.follows(conversation(), &a), "somebody came back meanwhile");
}

#[test]
fn a_connection_follows_only_so_many() {
    let registry = Registry::new();
    let greedy = reader(Role::Supervisor, 1);
    for n in 1..=MAX_FOLLOWED as u128 {
        let id = ConversationId::from_uuid(Uuid::from_u128(n));
        registry.join(id, &greedy, Seq::ZERO).unwrap();
    }
    let one_more = ConversationId::from_uuid(Uuid::from_u128(99_999));
    assert_eq!(registry.join(one_more, &greedy, Seq::ZERO).err(), Some(FollowsTooMany));
}

#[test]
fn notices_reach_every_connection_of_the_agent_only() {
    let registry = Registry::new();
    let (phone, desk) = (reader(Role::Agent, 1), reader(Role::Agent, 1));
    let other = reader(Role::Agent, 2);
    let profile = AgentProfile { name: "Ana".into(), capacity: 1, ..AgentProfile::default() };
    for r in [&phone, &desk, &other] {
        registry.agents.add(r, &profile);
    }
    let frame = codec::push_frame(Frame::Offer(v1::OfferPush::default())).encode_to_vec();
    let agent = AgentId::from_uuid(Uuid::from_u128(1));
    let done = registry.agents.notice(&phone.who.site, agent, &frame, Some(conversation()));
    assert_eq!(done.pushed, 2);
    assert_eq!(desk.outbox.take_signals(), [Signal::Follow(conversation())]);
    assert_eq!(other.outbox.depth(), 0);
    let elsewhere = "other".parse().unwrap();
    assert_eq!(registry.agents.notice(&elsewhere, agent, &frame, None).pushed, 0);
    registry.agents.remove(&phone);
    registry.agents.remove(&desk);
    assert!(!registry.agents.has(&phone.who.site, agent));
}
