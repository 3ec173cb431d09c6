//! Alarms with short times: what waits too long, who does not answer, who is gone.

use crate::terminal::ctl;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{
    AgentStatus, AlarmKind, ClosedReason, Event, Phase, QueuedReason, ReopenConversation,
    TransferConversation, transfer_conversation::Target,
};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, texts};
use std::time::Duration;

const DOCUMENT: &str = "
queues:
  - name: general
    answer_within: 1s
    wrap_up: 0s
    alarms:
      - on: late
        do: [{ priority: 10m }, notify, { message: { en: 'Sorry for the wait.', de: 'Gleich!' } }]
      - { on: long-wait, after: 3s, do: [{ queue: sales }] }
      - { on: unanswered, after: 1s, do: [notify] }
      - { on: abandoned, do: [notify] }
      - { on: visitor-lost, after: 5s, do: [{ message: { en: 'You are gone.' } }, close] }
  - name: sales
    transfer_return: 5s
    alarms:
      - { on: abandoned, do: [notify] }
      - { on: visitor-lost, after: 5s, do: [{ message: { en: 'You are gone.' } }, close] }
agents:
  - { email: agent@demo.example, name: Alex, queues: [general] }
";

/// Roles see a new document within ten seconds, and an absence is looked for again up to
/// some seconds after it may have come to be long enough.
const PATIENCE: Duration = Duration::from_secs(40);

async fn start() -> Server {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("desk.yaml");
    std::fs::write(&file, DOCUMENT).expect("a file can be written");
    ctl(&server, &["apply", "-f", &file.display().to_string()]);
    server
}

async fn supervisor(server: &Server) -> Wire {
    let mut wire = Wire::staff(server, Carrier::WebSocketJson, &server.supervisor()).await;
    wire.patience(PATIENCE);
    wire
}

fn is_alarm(event: &Event, kind: AlarmKind) -> bool {
    matches!(&event.body, Some(Body::AlarmRaised(raised)) if raised.kind() == kind)
}

fn is_closed(event: &Event, reason: ClosedReason) -> bool {
    matches!(&event.body, Some(Body::Closed(closed)) if closed.reason() == reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_is_told_of_hurried_and_sent_elsewhere_once() {
    let server = start().await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    visitor.patience(PATIENCE);
    let id = visitor.start("Anybody?").await.conversation_id;
    visitor.hear("Sorry for the wait.").await;
    let moved = |event: &Event| match &event.body {
        Some(Body::Queued(q)) => q.queue == "sales" && q.reason() == QueuedReason::Alarm,
        _ => false,
    };
    visitor.event("it goes on to sales", moved).await;
    let mut watching = supervisor(&server).await;
    let state = watching.subscribe(&id).await;
    assert_eq!((state.phase(), &*state.queue), (Phase::Waiting, "sales"));
    assert_eq!(state.alarms, [i32::from(AlarmKind::Late)]);
    let history = watching.history(&id).await;
    let events = || history.iter().filter_map(|push| push.event.as_ref());
    assert_eq!(events().filter(|e| is_alarm(e, AlarmKind::Late)).count(), 1);
    assert_eq!(events().filter(|e| is_alarm(e, AlarmKind::LongWait)).count(), 1);
    let hurried =
        |e: &&Event| matches!(&e.body, Some(Body::PriorityChanged(p)) if p.extra_minutes == 10);
    assert_eq!(events().filter(hurried).count(), 1);
    let seen = visitor.history(&id).await;
    let is_internal =
        |e: &Event| matches!(e.body, Some(Body::AlarmRaised(_) | Body::PriorityChanged(_)));
    assert!(!seen.iter().filter_map(|push| push.event.as_ref()).any(is_internal));
    assert_eq!(texts(&seen), ["Anybody?", "Sorry for the wait."]);

    visitor.close(&id).await;
    watching.event("it is abandoned", |e| is_alarm(e, AlarmKind::Abandoned)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_is_gone_for_long_is_told_so_and_may_come_back() {
    let server = start().await;
    let mut agent = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.agent(0)).await;
    agent.patience(PATIENCE);
    agent.status(AgentStatus::Online).await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("One moment").await.conversation_id;
    agent.take(&id).await;
    let unanswered = |e: &Event| is_alarm(e, AlarmKind::Unanswered);
    agent.event("nobody has answered", unanswered).await;
    agent.say(&id, "I am here.").await;
    // Longer than it may be gone: it is here all the time.
    visitor.attend(tokio::time::sleep(Duration::from_secs(12))).await;
    drop(visitor);
    agent.hear("You are gone.").await;
    agent.event("it ends", |e| is_closed(e, ClosedReason::VisitorLost)).await;

    let (mut back, _) = Wire::open(&server, Carrier::Grpc, &token).await;
    assert_eq!(back.subscribe(&id).await.phase(), Phase::Closed);
    back.call(ReopenConversation { conversation_id: id.clone() }).await;
    let said = texts(&back.history(&id).await);
    assert!(said.iter().any(|text| text == "I am here."), "{said:?}");
    assert_eq!(agent.take(&id).await.phase(), Phase::Assigned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_nobody_takes_comes_back() {
    let server = start().await;
    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    agent.patience(PATIENCE);
    agent.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("About my order").await.conversation_id;
    agent.take(&id).await;
    let transfer = TransferConversation {
        conversation_id: id.clone(),
        note: "for sales".into(),
        warm: false,
        target: Some(Target::Queue("sales".into())),
    };
    agent.call(transfer).await;
    // Nobody who is there serves that queue.
    let work = agent.take(&id);
    let state = visitor.attend(work).await;
    assert_eq!((state.phase(), &*state.queue), (Phase::Assigned, "general"));
    let history = agent.history(&id).await;
    let mut events = history.iter().filter_map(|push| push.event.as_ref()?.body.as_ref());
    assert!(events.any(|body| matches!(body, Body::TransferReturned(_))));
}
