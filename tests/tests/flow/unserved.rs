//! Those whom a queue does not serve: out of hours, and when it is full.

use crate::terminal::ctl;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{AgentStatus, ClosedReason, Event, LeaveContact, Phase, QueuedReason};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::Wire;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY_SECS: u64 = 86_400;
/// The first day of 1970 was a Thursday.
const WEEK: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

async fn apply(server: &Server, document: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("desk.yaml");
    std::fs::write(&file, document).expect("a file can be written");
    ctl(server, &["apply", "-f", &file.display().to_string()]);
}

fn is_queued(event: &Event, queue: &str, reason: QueuedReason) -> bool {
    matches!(&event.body, Some(Body::Queued(q)) if q.queue == queue && q.reason() == reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_hours_word_is_left_and_an_agent_gets_it() {
    let server = Server::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let day = now.as_secs() / DAY_SECS + 2;
    let weekday = WEEK[usize::try_from(day % 7).expect("below 7")];
    let document = format!(
        "calendars:\n  - {{ name: office, zone: UTC, week: {{ {weekday}: ['12:00-13:00'] }} }}\n\
         queues:\n  - {{ name: general, hours: office }}\n"
    );
    apply(&server, &document).await;

    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("Is anybody there?").await.conversation_id;
    let asked = visitor
        .event("it is asked for an address", |e| matches!(e.body, Some(Body::ContactAsked(_))))
        .await;
    let Some(Body::ContactAsked(asked)) = asked.event.and_then(|e| e.body) else { unreachable!() };
    let opens_at = asked.opens_at.expect("it opens in two days").seconds;
    assert_eq!(opens_at.unsigned_abs(), day * DAY_SECS + DAY_SECS / 2);
    let closed = visitor.event("it ends", |e| match &e.body {
        Some(Body::Closed(closed)) => closed.reason() == ClosedReason::OutOfHours,
        _ => false,
    });
    closed.await;

    let leave = LeaveContact {
        conversation_id: id.clone(),
        email: " emmy@shop.example ".into(),
        text: "About my invoice".into(),
        ..LeaveContact::default()
    };
    visitor.call(leave.clone()).await;
    visitor.call(leave).await;
    let again = |e: &Event| is_queued(e, "general", QueuedReason::ContactLeft);
    visitor.event("it waits again", again).await;

    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let state = agent.take(&id).await;
    assert_eq!(state.phase(), Phase::Assigned);
    let history = agent.history(&id).await;
    let mut left = history.iter().filter_map(|push| match push.event.as_ref()?.body.as_ref()? {
        Body::ContactLeft(left) => Some(left),
        _ => None,
    });
    assert_eq!(left.next().map(|l| l.email.as_str()), Some("emmy@shop.example"));
    assert!(left.next().is_none(), "left once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_sends_on_who_comes_and_a_closed_one_may_keep_the_place() {
    let server = Server::start().await;
    // Never open within sight, and whoever comes there may leave word.
    apply(
        &server,
        "calendars:\n  - { name: never, zone: Europe/Berlin, holidays: { 2099-01-01: ['09:00-10:00'] } }\n\
         queues:\n  - { name: general, max_waiting: 1, when_full: { queue: sales } }\n  \
         - { name: sales, hours: never, when_closed: callback }\n",
    )
    .await;
    let mut first = Wire::visitor(&server, Carrier::Grpc).await;
    first.start("I came first").await;
    let mut second = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let id = second.start("I came second").await.conversation_id;
    let moved = |e: &Event| is_queued(e, "sales", QueuedReason::QueueFull);
    second.event("it goes on to sales", moved).await;
    let asked = |e: &Event| matches!(e.body, Some(Body::ContactAsked(_)));
    second.event("it may leave word", asked).await;
    let phone = "+49 30 12345".to_owned();
    let left = LeaveContact { conversation_id: id.clone(), phone, ..LeaveContact::default() };
    second.call(left).await;
    let state = second.subscribe(&id).await;
    assert_eq!((state.phase(), &*state.queue), (Phase::Waiting, "sales"), "it keeps its place");
}
