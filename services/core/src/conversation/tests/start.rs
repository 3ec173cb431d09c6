//! By what way a conversation begins, and with what head start.

use super::*;
use crate::party::Audience;

fn begun(channel: Option<&str>, extra_minutes: i32) -> Result<(Conversation, Step), Reject> {
    let Command::Start(plain) = start() else { unreachable!("it is a start") };
    let channel = channel.map(Arc::from);
    let command = Command::Start(StartRequest { channel, extra_minutes, ..plain });
    let id = ConversationId::from_uuid(Uuid::from_u128(100));
    Conversation::open(id, &visitor(), &command, at(100))
}

#[test]
fn a_head_start_is_set_before_it_waits_and_is_not_for_the_visitor() {
    let (it, step) = begun(Some("web"), 10).unwrap();
    let [started, changed, queued] = &step.events[..] else { panic!("{:?}", step.events) };
    assert!(matches!(&started.body, Body::Started { channel, .. } if &**channel == "web"));
    assert_eq!(changed.body, Body::PriorityChanged { minutes: 10 });
    assert_eq!(
        (changed.body.audience(), changed.by.clone()),
        (Audience::Internal, Participant::system())
    );
    assert_eq!((queued.prev_public, &queued.by), (started.seq, &started.by));
    let summary = it.summary();
    assert_eq!((summary.extra_minutes, summary.channel.as_deref()), (10, Some("web")));
    let mut again = Conversation::from_first(started).unwrap();
    step.events[1..].iter().for_each(|event| again.apply(event));
    assert_eq!(again, it, "as the journal has it");
}

#[test]
fn without_them_it_begins_as_ever() {
    let (it, step) = begun(None, 0).unwrap();
    assert_eq!(step.events.len(), 2);
    assert_eq!((it.summary().extra_minutes, it.summary().channel), (0, None));
}

#[test]
fn odd_channels_and_absurd_head_starts_are_refused() {
    for odd in ["", "Web", "a b", "ä", &"x".repeat(33)] {
        assert!(matches!(begun(Some(odd), 0), Err(Reject::Invalid(_))), "{odd:?}");
    }
    assert!(matches!(begun(None, 1_441), Err(Reject::Invalid(_))));
    assert!(begun(Some(&"x".repeat(32)), -1_440).is_ok());
}
