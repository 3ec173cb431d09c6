//! Conversations come into memory once, leave when idle, and cost nothing then.

use crate::Settings;
use crate::testing::{World, agent, conversation, message, settle, start, visitor};
use frontdesk_core::conversation::{Command, Outcome};
use frontdesk_core::ids::{AgentId, Seq};
use frontdesk_proto::api::{ApiError, ListFilter, Sessions as _};
use frontdesk_store::journal::Snapshot;
use std::time::Duration;

async fn idle(world: &World) {
    tokio::time::sleep(Settings::default().idle() * 2).await;
    settle().await;
    world.journal.stored().loads = 0;
}

#[tokio::test(start_paused = true)]
async fn one_load_serves_all_who_wait_for_it() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    idle(&world).await;
    let replies = (0..50).map(|n| world.submit(id, &vi, message(&format!("m{n}"))));
    let replies = futures::future::join_all(replies).await;
    for (n, reply) in replies.into_iter().enumerate() {
        let Ok(Outcome::Sent { seq, .. }) = reply else { panic!("not sent") };
        assert_eq!(seq.get() as usize, 5 + n, "in the order of the calls");
    }
    assert_eq!(world.journal.stored().loads, 1);
    assert_eq!(world.journal.stored().records[&id].len(), 54);
}

#[tokio::test(start_paused = true)]
async fn too_much_mail_for_one_load_is_refused() {
    let settings = Settings { mailbox_commands: 4_096.try_into().unwrap(), ..Default::default() };
    let world = World::with(settings).await;
    let (id, vi) = (conversation(1), visitor(1));
    let replies = (0..2_000).map(|_| world.submit(id, &vi, start()));
    let replies = futures::future::join_all(replies).await;
    let refused = replies.iter().filter(|r| matches!(r, Err(ApiError::Unavailable { .. })));
    // One load lets 128 a batch and 1,024 in all wait; it ends meanwhile.
    assert!(refused.count() < 2_000 - 128);
    assert!(replies[..128].iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn the_idle_leave_with_a_snapshot_and_come_back_the_same() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    for n in 0..60 {
        world.say(id, &vi, &format!("m{n}")).await;
    }
    let before = world.sessions.summary(id, None).await.unwrap();
    assert!(!world.journal.stored().snapshots.contains_key(&id));
    idle(&world).await;
    assert_eq!(world.journal.stored().snapshots[&id].seq, Seq::new(64));
    assert_eq!(world.sessions.summary(id, None).await.unwrap(), before);
    assert_eq!(world.journal.stored().loads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_conversation_is_stored_on_the_way() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    for n in 0..450 {
        world.say(id, &vi, &format!("m{n}")).await;
    }
    settle().await;
    assert_eq!(world.journal.stored().snapshots[&id].seq, Seq::new(400));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_cannot_be_used_is_ignored() {
    for payload in ["", "{}", "{\"format\":999,\"state\":null}"] {
        let world = World::new().await;
        let (id, vi) = (world.assigned(1).await, visitor(1));
        world.say(id, &vi, "m1").await;
        idle(&world).await;
        let snapshot = Snapshot { seq: Seq::new(2), payload: payload.into() };
        world.journal.stored().snapshots.insert(id, snapshot);
        assert_eq!(world.say(id, &vi, "m2").await, 6);
    }
}

#[tokio::test(start_paused = true)]
async fn read_cursors_are_written_once_a_second_and_survive() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    settle().await;
    for seq in 1..=4 {
        world.submit(id, &vi, Command::MarkRead { seq: Seq::new(seq) }).await.ok();
    }
    world.submit(id, &agent(7), Command::MarkRead { seq: Seq::new(2) }).await.unwrap();
    assert_eq!(world.journal.stored().cursor_writes, 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.journal.stored().cursor_writes, 1);
    idle(&world).await;
    let summary = world.sessions.summary(id, None).await.unwrap();
    assert_eq!((summary.visitor_read, summary.agent_read), (Seq::new(4), Seq::new(2)));
    let beyond = world.submit(id, &vi, Command::MarkRead { seq: Seq::new(99) }).await;
    assert!(matches!(beyond, Err(ApiError::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_cap_the_longest_unused_leaves() {
    let world = World::with(Settings { live_per_shard: 0, ..Default::default() }).await;
    let id = world.assigned(1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.journal.stored().loads = 0;
    world.sessions.summary(id, None).await.unwrap();
    assert_eq!(world.journal.stored().loads, 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_answers_everything_and_saves() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    for n in 0..60 {
        world.say(id, &vi, &format!("m{n}")).await;
    }
    world.submit(id, &vi, Command::MarkRead { seq: Seq::new(3) }).await.unwrap();
    let last = world.submit(id, &vi, message("last"));
    world.sessions.stop().await;
    assert!(last.await.is_ok());
    assert_eq!(world.journal.stored().snapshots[&id].seq, Seq::new(65));
    assert_eq!(world.journal.stored().cursors[&id].visitor, Seq::new(3));
    let after = world.submit(id, &vi, message("late")).await;
    assert!(matches!(after, Err(ApiError::Moved)));
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_the_present_state_of_those_in_memory_and_of_those_that_left() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.say(id, &vi, "m1").await;
    let last = world.say(id, &vi, "m2").await;
    world.submit(id, &vi, Command::MarkRead { seq: Seq::new(3) }).await.unwrap();
    let list = || async {
        let site = vi.site.clone();
        world.sessions.list(Some(&site), ListFilter::All, 10).await.unwrap().remove(0)
    };
    let live = list().await;
    assert_eq!(live.head, Seq::new(last));
    idle(&world).await;
    let left = list().await;
    assert_eq!((left.head, left.public_head), (live.head, live.public_head));
    assert_eq!(left.last_at, live.last_at);
    assert_eq!((left.visitor_read, left.agent_read), (Seq::new(3), Seq::ZERO));
    assert_eq!(world.journal.stored().loads, 0, "a list brings nothing into memory");
}

#[tokio::test(start_paused = true)]
async fn a_list_leaves_out_what_has_gone_elsewhere_and_is_newest_first() {
    let world = World::new().await;
    let (first, second) = (world.assigned(1).await, world.assigned(2).await);
    tokio::time::advance(Duration::from_secs(1)).await;
    world.say(first, &visitor(1), "m1").await;
    // The double gives all rows whatever is asked, as if they had just changed.
    let list = |filter| async {
        let site = visitor(1).site;
        let list = world.sessions.list(Some(&site), filter, 10).await.unwrap();
        list.iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    assert_eq!(list(ListFilter::All).await, [first, second]);
    assert_eq!(list(ListFilter::Waiting("sales".parse().unwrap())).await, []);
    let of = |n, closed| ListFilter::OfAgent { agent: AgentId::from_uuid(agent(n).id), closed };
    assert_eq!(list(of(7, false)).await, [first, second]);
    assert_eq!(list(of(8, true)).await, []);
    world.submit(second, &visitor(2), Command::Close).await.unwrap();
    assert_eq!(list(of(7, false)).await, [first]);
    assert_eq!(list(of(7, true)).await.len(), 2);
    let nowhere = world.sessions.list(None, ListFilter::All, 10).await;
    assert!(matches!(nowhere, Err(ApiError::Invalid(_))));
}
