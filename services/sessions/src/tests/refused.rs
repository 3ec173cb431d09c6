//! Whatever the journal answers, what is said is true, and retries come to one
//! place.

use crate::testing::{
    FakeJournal, Fault, STALL, World, agent, conversation, gateway, message, settle, start, visitor,
};
use frontdesk_core::conversation::{Command, Outcome, Phase};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_proto::api::{ApiError, Sessions as _};
use frontdesk_proto::convert::{decode_event, encode_event};
use frontdesk_store::journal::Record;
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
    assert!(matches!(reply, Err(ApiError::Moved)));
    assert_eq!(world.journal.stored().records[&conversation(1)].len(), 4);
    let after = world.submit(conversation(1), &visitor(1), message("m2")).await;
    assert!(matches!(after, Err(ApiError::Moved)));
    let looked = world.sessions.summary(conversation(1), None).await;
    assert!(matches!(looked, Err(ApiError::Moved)));
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
    assert!(matches!(stale, Err(ApiError::Moved)));
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
    let settings =
        crate::Settings { inflight_appends: 2.try_into().unwrap(), ..Default::default() };
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

#[tokio::test(start_paused = true)]
async fn an_append_applied_after_it_was_given_up_is_published_and_known() {
    let (world, reply) = sent_through(Fault::Stall).await;
    let id = conversation(1);
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    assert_eq!(world.sessions.summary(id, None).await.unwrap().head, Seq::new(4));
    // Nobody asks, and the readers hear of it all the same.
    tokio::time::sleep(STALL).await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5]);
    assert_eq!(world.sessions.summary(id, None).await.unwrap().head, Seq::new(5));
    assert!(world.attach(id, &visitor(1), 5).await.is_ok());
    assert_eq!(world.say(id, &visitor(1), "m1").await, 5);
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5], "told once");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_meets_its_own_late_append_finds_it() {
    let (world, reply) = sent_through(Fault::Stall).await;
    let (id, vi) = (conversation(1), visitor(1));
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    let again = world.submit(id, &vi, message("m1")).await;
    assert!(matches!(again, Ok(Outcome::Sent { seq, duplicate: true, .. }) if seq == Seq::new(5)));
    tokio::time::sleep(STALL).await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5], "told once");
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_retry_does_not_hold_up_the_others_of_its_append() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    for n in 0..50 {
        world.say(id, &vi, &format!("m{n}")).await;
    }
    let appends = world.journal.stored().appends;
    let replies = ["new1", "m0", "new2", "m1"].map(|key| world.submit(id, &vi, message(key)));
    let mut seqs = Vec::new();
    for reply in replies {
        let Ok(Outcome::Sent { seq, duplicate, .. }) = reply.await else { panic!("not sent") };
        seqs.push((seq.get(), duplicate));
    }
    assert_eq!(seqs, [(55, false), (5, true), (56, false), (6, true)]);
    assert_eq!(world.journal.stored().appends, appends + 2, "one refused, one without the old");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_conversation_is_told_and_not_loaded_for_ever() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    {
        let mut stored = world.journal.stored();
        (stored.damaged, stored.faults) = (true, [Fault::UnknownKept].into());
    }
    let reply = world.submit(id, &vi, message("m1")).await;
    assert!(matches!(reply, Err(ApiError::Internal(_))));
    let loads = world.journal.stored().loads;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.journal.stored().loads, loads);
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_has_asked_is_done_though_it_has_gone() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.stored().faults = [Fault::Conflict].into();
    drop(world.submit(id, &vi, message("m1")));
    settle().await;
    assert_eq!(world.journal.stored().records[&id].len(), 5);
}

#[tokio::test(start_paused = true)]
async fn appends_go_one_by_one_while_one_given_up_may_still_be_applied() {
    let (world, reply) = sent_through(Fault::Stall).await;
    let (id, vi) = (conversation(1), visitor(1));
    assert!(matches!(reply, Err(ApiError::Unavailable { .. })));
    // Were both in flight when the late one is applied and the first of them is
    // lost, the second would find the head it expects.
    world.journal.stored().faults.extend([Fault::UnknownLost]);
    let first = world.submit(id, &vi, message("m2"));
    settle().await;
    let second = world.submit(id, &vi, message("m3"));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    for (outcome, place, key) in [(first, 6, "m2"), (second, 7, "m3")] {
        assert!(matches!(outcome, Outcome::Sent { seq, .. } if seq == Seq::new(place)), "{key}");
        let stored = world.journal.stored();
        let dedup = stored.records[&id][place as usize - 1].dedup.clone().unwrap();
        assert_eq!(&*dedup.client_msg_id, key);
    }
    assert_eq!(world.bus.seqs(&gateway(), id), [5, 6, 7]);
}

#[tokio::test(start_paused = true)]
async fn what_is_applied_late_during_a_load_is_published_too() {
    let settings = crate::Settings { live_per_shard: 0, ..Default::default() };
    let world = World::with(settings).await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.attach(id, &vi, 0).await.unwrap();
    world.journal.stored().faults = [Fault::Stall].into();
    let reply = world.submit(id, &vi, message("m1"));
    assert!(matches!(reply.await, Err(ApiError::Unavailable { .. })));
    // It has left memory. The load that follows begins before the append is
    // applied and reads after it.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    world.journal.stored().load_delay = Duration::from_secs(1);
    assert_eq!(world.say(id, &vi, "m2").await, 6);
    settle().await;
    assert_eq!(world.bus.seqs(&gateway(), id), [5, 6]);
}

/// An event that nobody here has appended.
fn append_unseen(world: &World, id: ConversationId) {
    let mut stored = world.journal.stored();
    let records = stored.records.get_mut(&id).unwrap();
    let last = records.last().unwrap().clone();
    let mut event = decode_event(&last.payload, last.prev_public).unwrap();
    (event.seq, event.prev_public) = (last.seq.next(), last.seq);
    let (seq, prev_public) = (event.seq, event.prev_public);
    records.push(Record { seq, prev_public, payload: encode_event(&event), ..last });
}

#[tokio::test(start_paused = true)]
async fn an_answer_does_not_rest_on_an_append_that_was_lost() {
    let world = World::new().await;
    let (id, vi) = (world.assigned(1).await, visitor(1));
    world.journal.hold(true);
    world.journal.stored().faults = [Fault::UnknownLost].into();
    let lost = world.submit(id, &vi, message("m1"));
    settle().await;
    let behind = world.submit(id, &vi, message("m2"));
    let again = world.submit(id, &vi, message("m1"));
    settle().await;
    // The second append finds the head it expects, by another's event.
    append_unseen(&world, id);
    world.journal.hold(false);
    let seqs = futures::future::join_all([lost, behind, again]).await.into_iter().map(|reply| {
        let Ok(Outcome::Sent { seq, .. }) = reply else { panic!("{reply:?}") };
        seq.get()
    });
    assert_eq!(seqs.collect::<Vec<_>>(), [7, 6, 7]);
}
