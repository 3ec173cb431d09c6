//! What a trace tells of a command: its way, and each commit that came to nothing.

use crate::testing::{Fault, World, message, settle, visitor};
use frontdesk_core::conversation::Outcome;
use frontdesk_core::ids::Seq;
use frontdesk_core::party::Origin;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{ApiError, Envelope, Sessions as _};
use frontdesk_telemetry::traces::{Told, capture, within_now};

/// A message in a trace of its own, through a journal that answers so; what is told of it.
async fn told_of(trace: u128, fault: Fault) -> (Result<Outcome, ApiError>, Vec<Told>) {
    let captured = capture();
    let trace = TraceContext::new(trace, 1, true).unwrap();
    let world = World::new().await;
    let (conversation, who) = (world.assigned(1).await, visitor(1));
    world.attach(conversation, &who, 0).await.unwrap();
    world.journal.stored().faults = [fault].into();
    let origin = Origin::Client(who);
    let envelope = Envelope { conversation, origin, command: message("m1") };
    // As whoever is at recorded work asks, without a word of it.
    let reply = within_now(trace, || world.sessions.submit(envelope)).await;
    settle().await;
    (reply, captured.of(trace))
}

fn commits(told: &[Told]) -> Vec<Option<&str>> {
    let commits = told.iter().filter(|told| told.name == "journal.commit");
    commits.map(|told| told.failure.as_deref()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_part_of_the_way_is_done_under_the_one_before() {
    let (reply, told) = told_of(1 << 70, Fault::None).await;
    assert!(matches!(reply, Ok(Outcome::Sent { seq, .. }) if seq == Seq::new(5)), "{reply:?}");
    let names: Vec<&str> = told.iter().map(|told| told.name.as_str()).collect();
    assert_eq!(names, ["sessions.mailbox", "journal.commit", "bus.publish"]);
    assert_eq!(told[0].parent, 1);
    assert_eq!((told[1].parent, told[2].parent), (told[0].span, told[1].span));
    assert!(told.iter().all(|told| told.failure.is_none()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_refused_or_unknown_has_failed_and_the_next_is_another() {
    let kinds = [
        (Fault::Conflict, "seq_conflict"),
        (Fault::Unavailable, "unavailable"),
        (Fault::UnknownLost, "unknown"),
    ];
    for (n, (fault, why)) in (2..).zip(kinds) {
        let (reply, told) = told_of(n << 70, fault).await;
        assert!(reply.is_ok(), "{fault:?}: {reply:?}");
        assert_eq!(commits(&told), [Some(why), None], "{fault:?}");
    }
    let (reply, told) = told_of(7 << 70, Fault::Fence).await;
    assert_eq!(reply, Err(ApiError::Moved));
    assert_eq!(commits(&told), [Some("fenced")]);
    // Appended after all: there is nothing to commit again.
    let (reply, told) = told_of(8 << 70, Fault::Silent).await;
    assert!(reply.is_ok(), "{reply:?}");
    assert_eq!(commits(&told), [Some("unknown")]);
    assert_eq!(told.iter().filter(|told| told.name == "bus.publish").count(), 0);
}
