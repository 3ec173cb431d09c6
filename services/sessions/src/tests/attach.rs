//! Who follows a conversation, and what they hear besides its events.

use crate::Settings;
use crate::testing::{World, agent, conversation, gateway, message, settle, visitor};
use bytes::Bytes;
use frontdesk_core::conversation::Command;
use frontdesk_core::ids::Seq;
use frontdesk_core::party::Audience;
use frontdesk_proto::api::{ApiError, Sessions as _};
use frontdesk_proto::v1::ServerFrame;
use frontdesk_proto::v1::server_frame::Frame;
use futures::FutureExt as _;
use prost::Message as _;

#[tokio::test(start_paused = true)]
async fn the_owner_authorises_and_checks_the_cursor() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    let of_visitor = world.attach(id, &visitor(1), 0).await.unwrap();
    assert_eq!(of_visitor.audience, Audience::Public);
    let of_agent = world.attach(id, &agent(7), 4).await.unwrap();
    assert_eq!((of_agent.audience, of_agent.head), (Audience::Internal, Seq::new(4)));
    let beyond = world.attach(id, &agent(7), 5).await;
    assert!(matches!(beyond, Err(ApiError::Invalid(_))));
    for (id, who) in [(id, visitor(2)), (id, agent(8)), (conversation(9), visitor(9))] {
        let absent = world.attach(id, &who, 0).await;
        assert!(matches!(absent, Err(ApiError::NotFound(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_visitors_head_does_not_count_what_it_may_not_see() {
    let world = World::new().await;
    let id = world.assigned(1).await;
    let note = Command::Note {
        client_msg_id: "n1".parse().unwrap(),
        text: "psst".into(),
        mentions: vec![],
    };
    world.submit(id, &agent(7), note).await.unwrap();
    assert_eq!(world.attach(id, &visitor(1), 0).await.unwrap().head, Seq::new(4));
    assert!(world.attach(id, &visitor(1), 5).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn following_outlives_the_stay_in_memory_and_ends_with_detach() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    world.say(id, &vi, "m1").await;
    world.sessions.detach(&gateway(), id).await;
    world.say(id, &vi, "m2").await;
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
}

#[tokio::test(start_paused = true)]
async fn a_detach_does_not_overtake_the_attach_before_it() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    // Out of memory: the attach has to wait for a load.
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    let mut attached = Box::pin(world.attach(id, &vi, 0));
    assert!(attached.as_mut().now_or_never().is_none());
    world.sessions.detach(&gateway(), id).await;
    attached.await.unwrap();
    world.say(id, &vi, "m1").await;
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [] as [u32; 0]);
}

#[tokio::test(start_paused = true)]
async fn typing_and_reading_are_told_to_others_and_not_journaled() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.submit(id, &vi, Command::Typing { typing: true }).await.unwrap();
    world.submit(id, &vi, Command::MarkRead { seq: Seq::new(4) }).await.unwrap();
    settle().await;
    let hints = world.bus.hints();
    assert!(hints.iter().all(|h| &h.except[..] == vi.id.as_bytes() && !h.internal));
    let frames: Vec<Frame> =
        hints.iter().map(|h| ServerFrame::decode(&h.frame[..]).unwrap().frame.unwrap()).collect();
    assert!(matches!(&frames[0], Frame::Typing(t) if t.typing));
    assert!(matches!(&frames[1], Frame::Read(r) if r.seq == 4));
    assert_eq!(world.journal.stored().records[&id].len(), 4);
}

#[tokio::test(start_paused = true)]
async fn hints_of_other_roles_reach_those_who_follow() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.sessions.hint(id, true, Bytes::from_static(b"lost"));
    world.attach(id, &vi, 0).await.unwrap();
    world.sessions.hint(id, true, Bytes::from_static(b"frame"));
    settle().await;
    let hints = world.bus.hints();
    assert_eq!(hints.len(), 1);
    assert!(hints[0].internal && &hints[0].frame[..] == b"frame");
}

#[tokio::test(start_paused = true)]
async fn nobody_follows_what_was_never_there() {
    let world = World::new().await;
    let id = conversation(1);
    assert!(world.attach(id, &visitor(1), 0).await.is_err());
    assert!(world.submit(id, &visitor(1), message("m1")).await.is_err());
    world.assigned(1).await;
    settle().await;
    assert_eq!(world.bus.batches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_detach_waits_for_room_in_the_mailbox() {
    let settings = Settings { mailbox_commands: 1.try_into().unwrap(), ..Default::default() };
    let world = World::with(settings).await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    let last = world.submit(id, &vi, message("m1"));
    let shed = world.submit(id, &vi, message("m2"));
    world.sessions.detach(&gateway(), id).await;
    assert!(last.await.is_ok() && shed.await.is_err());
    settle().await;
    world.say(id, &vi, "m3").await;
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
}

#[tokio::test(start_paused = true)]
async fn nobody_follows_for_a_caller_that_has_gone() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    // Out of memory: the attach has to wait for a load, and is not waited for.
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert!(Box::pin(world.attach(id, &vi, 0)).now_or_never().is_none());
    world.say(id, &vi, "m1").await;
    settle().await;
    assert_eq!(world.bus.batches(), 0);
}
