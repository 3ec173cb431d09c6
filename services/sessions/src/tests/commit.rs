//! Nothing is said before the commit; what belongs together is committed and
//! published together.

use crate::testing::{World, agent, conversation, gateway, message, settle, start, visitor};
use frontdesk_core::conversation::{Command, Outcome};
use frontdesk_core::ids::Seq;
use frontdesk_core::party::Origin;
use frontdesk_proto::api::{ApiError, Sessions as _};
use futures::FutureExt as _;

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_the_commit() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.journal.hold(true);

    let mut sent = world.submit(id, &vi, message("m1"));
    let mut again = world.submit(id, &vi, message("m1"));
    let mut read = world.submit(id, &agent(7), Command::MarkRead { seq: Seq::new(5) });
    let summary = world.sessions.summary(id, None);
    let ana = agent(7);
    let attached = world.attach(id, &ana, 0);
    let (mut summary, mut attached) = (Box::pin(summary), Box::pin(attached));
    assert!(summary.as_mut().now_or_never().is_none());
    assert!(attached.as_mut().now_or_never().is_none());
    settle().await;
    for reply in [&mut sent, &mut again, &mut read] {
        assert!(reply.now_or_never().is_none(), "answered before the commit");
    }
    assert!(summary.as_mut().now_or_never().is_none());
    assert!(attached.as_mut().now_or_never().is_none());
    assert_eq!(world.bus.seqs(&gateway(), id), [] as [u32; 0]);
    assert!(world.bus.hints().is_empty());

    world.journal.hold(false);
    let Ok(Outcome::Sent { seq, at, duplicate: false }) = sent.await else { panic!("not sent") };
    assert_eq!(seq, Seq::new(5));
    assert_eq!(again.await, Ok(Outcome::Sent { seq, at, duplicate: true }));
    assert_eq!(read.await, Ok(Outcome::Done));
    assert_eq!(summary.await.unwrap().head, seq);
    assert_eq!(attached.await.unwrap().head, seq);
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
    assert_eq!(world.bus.hints().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reject_waits_for_the_state_it_rests_on() {
    let world = World::new().await;
    let (id, vi) = (conversation(1), visitor(1));
    world.submit(id, &vi, start()).await.unwrap();
    world.journal.hold(true);
    let closed = world.submit(id, &vi, Command::Close);
    let mut sent = world.submit(id, &vi, message("m1"));
    settle().await;
    assert!((&mut sent).now_or_never().is_none());
    world.journal.hold(false);
    assert_eq!(closed.await, Ok(Outcome::Done));
    assert!(matches!(sent.await, Err(ApiError::State(_))));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_append_and_one_publish() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    let before = (world.journal.stored().appends, world.bus.batches());
    let replies: Vec<_> =
        (0..20).map(|n| world.submit(id, &vi, message(&format!("m{n}")))).collect();
    for (n, reply) in replies.into_iter().enumerate() {
        let Ok(Outcome::Sent { seq, .. }) = reply.await else { panic!("not sent") };
        assert_eq!(seq.get() as usize, 5 + n);
    }
    settle().await;
    let after = (world.journal.stored().appends, world.bus.batches());
    assert_eq!(after, (before.0 + 1, before.1 + 1));
    assert_eq!(world.bus.seqs(&gateway(), id), (5..25).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn appends_go_on_while_others_are_in_flight() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.hold(true);
    let before = world.journal.stored().appends;
    let first = world.submit(id, &vi, message("m1"));
    settle().await;
    let second = world.submit(id, &vi, message("m2"));
    settle().await;
    assert_eq!(world.journal.stored().appends, before + 2);
    world.journal.hold(false);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let seq = |outcome| match outcome {
        Outcome::Sent { seq, .. } => seq.get(),
        Outcome::Done => 0,
    };
    assert_eq!((seq(first), seq(second)), (5, 6));
}

#[tokio::test(start_paused = true)]
async fn observers_hear_of_what_lists_show_after_the_commit() {
    let world = World::new().await;
    let (id, vi) = (conversation(1), visitor(1));
    world.journal.hold(true);
    let started = world.submit(id, &vi, start());
    settle().await;
    assert!(world.observer.heard().is_empty());
    world.journal.hold(false);
    started.await.unwrap();
    settle().await;
    assert_eq!(world.observer.heard().len(), 1);
    // The first message is shown in lists, the second is not.
    world.say(id, &vi, "m1").await;
    world.say(id, &vi, "m2").await;
    settle().await;
    assert_eq!(world.observer.heard().len(), 2);
    world.submit(id, &vi, Command::Close).await.unwrap();
    settle().await;
    assert_eq!(world.observer.heard().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn only_its_visitor_starts_a_conversation_again() {
    let world = World::new().await;
    let id = conversation(1);
    let absent = world.submit(id, &visitor(1), message("m1")).await;
    assert!(matches!(absent, Err(ApiError::NotFound(_))));
    assert_eq!(world.submit(id, &visitor(1), start()).await, Ok(Outcome::Done));
    assert_eq!(world.submit(id, &visitor(1), start()).await, Ok(Outcome::Done));
    let other = world.submit(id, &visitor(2), start()).await;
    assert!(matches!(other, Err(ApiError::NotFound(_))));
    assert_eq!(world.journal.stored().records[&id].len(), 2);
    let gone = world.submit(conversation(2), Origin::System, Command::Close).await;
    assert!(matches!(gone, Err(ApiError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_is_an_answer() {
    let settings =
        crate::Settings { mailbox_commands: 2.try_into().unwrap(), ..Default::default() };
    let world = World::with(settings).await;
    let id = conversation(1);
    let replies: Vec<_> = (0..4).map(|_| world.submit(id, &visitor(1), start())).collect();
    let replies = futures::future::join_all(replies).await;
    assert!(replies[..2].iter().all(Result::is_ok));
    assert!(replies[2..].iter().all(|r| matches!(r, Err(ApiError::Unavailable { .. }))));
}
