//! Whatever the journal answers, what is said is true, and retries come to one
//! place.

use crate::testing::{
    FakeJournal, Fault, World, agent, conversation, gateway, message, settle, start, visitor,
};
use frontdesk_core::conversation::{Command, Outcome, Phase};
use frontdesk_core::ids::Seq;
use frontdesk_proto::api::{ApiError, Sessions as _};
use std::time::Duration;
use tokio::time::Instant;

/// The longest any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

async fn sent_through(fault: Fault) -> (World, Result<Outcome, ApiError>) {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.journal.stored().faults = [fault].into();
    let reply = world.submit(id, &vi, message("m1"));
    let reply = tokio::time::timeout(PATIENCE, reply).await.expect("an answer in time");
    settle().await;
    (world, reply)
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_the_journal_is_not_seen() {
    for fault in [Fault::Conflict, Fault::Unavailable, Fault::UnknownLost, Fault::UnknownKept] {
        let (world, reply) = sent_through(fault).await;
        let Ok(Outcome::Sent { seq, duplicate: false, .. }) = reply else {
            panic!("{fault:?}: {reply:?}")
        };
        assert_eq!(seq, Seq::new(5), "{fault:?}");
        assert_eq!(world.journal.stored().records[&conversation(1)].len(), 5, "{fault:?}");
        assert_eq!(world.bus.seqs(&gateway(), conversation(1)), [5], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_without_an_answer_is_given_up_and_found() {
    let (world, reply) = sent_through(Fault::Silent).await;
    let Ok(Outcome::Sent { seq, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(seq, Seq::new(5));
    assert_eq!(world.bus.seqs(&gateway(), conversation(1)), [5]);
    assert_eq!(world.say(conversation(1), &visitor(1), "m2").await, 6);
}

#[tokio::test(start_paused = true)]
async fn what_was_appended_is_not_run_again() {
    let world = World::new().await;
    let (id, vi) = (conversation(1), visitor(1));
    world.submit(id, &vi, start()).await.unwrap();
    world.journal.hold(true);
    world.journal.stored().faults = [Fault::UnknownKept, Fault::None].into();
    let closed = world.submit(id, &vi, Command::Close);
    settle().await;
    let reopened = world.submit(id, &vi, Command::Reopen);
    settle().await;
    world.journal.hold(false);
    assert_eq!(closed.await, Ok(Outcome::Done));
    assert_eq!(reopened.await, Ok(Outcome::Done));
    // Started, queued, closed, reopened, queued.
    assert_eq!(world.journal.stored().records[&id].len(), 5);
    assert_eq!(world.sessions.summary(id, None).await.unwrap().phase, Phase::Waiting);
}

#[tokio::test(start_paused = true)]
async fn those_behind_a_refused_append_are_run_again_in_order() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.hold(true);
    world.journal.stored().faults = [Fault::Conflict].into();
    let mut replies = Vec::new();
    for n in 0..5 {
        replies.push(world.submit(id, &vi, message(&format!("m{n}"))));
        settle().await;
    }
    world.journal.hold(false);
    for (n, reply) in replies.into_iter().enumerate() {
        let Ok(Outcome::Sent { seq, .. }) = reply.await else { panic!("not sent") };
        assert_eq!(seq.get() as usize, 5 + n);
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_in_lasting_trouble_is_told_in_time_and_recovers() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.stored().faults = [Fault::Unavailable; 64].into();
    let began = Instant::now();
    let reply = world.submit(id, &vi, message("m1")).await;
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(world.journal.stored().records[&id].len(), 4);
    world.journal.stored().faults.clear();
    assert_eq!(world.say(id, &vi, "m1").await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_fenced_shard_says_no_more() {
    let (world, reply) = sent_through(Fault::Fence).await;
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    assert_eq!(world.journal.stored().records[&conversation(1)].len(), 4);
    let after = world.submit(conversation(1), &visitor(1), message("m2")).await;
    assert!(matches!(after, Err(ApiError::Unavailable { .. })));
    let looked = world.sessions.summary(conversation(1), None).await;
    assert!(matches!(looked, Err(ApiError::Unavailable { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_stale_owner_cannot_start_and_a_new_one_goes_on() {
    let journal = FakeJournal::start();
    let first = World::on(journal.clone(), Default::default(), 1).await;
    let (id, vi) = (first.assigned(1).await, visitor(1));
    assert_eq!(first.say(id, &vi, "m1").await, 5);
    let second = World::on(journal.clone(), Default::default(), 2).await;
    assert_eq!(second.say(id, &vi, "m2").await, 6);
    // The first one does not know yet; the journal does.
    let stale = first.submit(id, &vi, message("m3")).await;
    assert!(matches!(stale, Err(ApiError::Unavailable { .. })));
    assert_eq!(second.say(id, &vi, "m3").await, 7);
    assert_eq!(second.say(id, &vi, "m1").await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_answered_with_its_place_however_late() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    let first = world.submit(id, &vi, message("m0")).await.unwrap();
    let Outcome::Sent { seq, at, .. } = first else { panic!("not sent") };
    for n in 1..100 {
        world.say(id, &vi, &format!("m{n}")).await;
    }
    let again = Ok(Outcome::Sent { seq, at, duplicate: true });
    assert_eq!(world.submit(id, &vi, message("m0")).await, again);
    // Also when the sender may say nothing any more.
    world.submit(id, &vi, Command::Close).await.unwrap();
    assert_eq!(world.submit(id, &vi, message("m0")).await, again);
    let new = world.submit(id, &vi, message("new")).await;
    assert!(matches!(new, Err(ApiError::State(_))));
    // A key is its sender's own.
    let other = world.submit(id, &agent(8), message("m0")).await;
    assert!(matches!(other, Err(ApiError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn appends_without_an_answer_do_not_stop_their_shard() {
    let settings = crate::Settings { inflight_appends: 2, ..Default::default() };
    let world = World::with(settings).await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.stored().faults = [Fault::Silent; 5].into();
    for n in 0..6 {
        let key = format!("m{n}");
        let said = tokio::time::timeout(PATIENCE, world.say(id, &vi, &key)).await;
        assert_eq!(said, Ok(5 + n));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_load_left_unpublished_is_published_later() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.journal.stored().faults = [Fault::UnknownKept].into();
    world.journal.stored().failing_loads = 3;
    let reply = world.submit(id, &vi, message("m1")).await;
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    assert_eq!(world.bus.seqs(&gateway(), id), [] as [u32; 0]);
    // Nobody asks, and the readers hear of it all the same.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
    assert_eq!(world.say(id, &vi, "m1").await, 5);
    assert_eq!(world.say(id, &vi, "m2").await, 6);
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5, 6]);
}
