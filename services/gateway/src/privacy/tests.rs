//! What is over is forgotten once, and nothing else.

use super::sweep::{Places, look};
use crate::testing::{TestClient, World, now};
use frontdesk_core::privacy::{Privacy, Retention};
use frontdesk_core::time::Millis;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{self, client_frame::Request, server_frame::Frame};

async fn begun(visitor: &mut TestClient) -> String {
    match visitor.ask(Request::Start(v1::StartConversation::default())).await {
        Frame::Conversation(state) => state.conversation_id,
        other => panic!("not started: {other:?}"),
    }
}

async fn ends(visitor: &mut TestClient, id: &str) -> Vec<Body> {
    let ask = v1::GetHistory { conversation_id: id.into(), ..v1::GetHistory::default() };
    match visitor.ask(Request::GetHistory(ask)).await {
        Frame::History(history) => {
            history.events.into_iter().filter_map(|push| push.event?.body).collect()
        }
        other => panic!("no history: {other:?}"),
    }
}

fn count(bodies: &[Body]) -> usize {
    bodies.iter().filter(|body| matches!(body, Body::Erased(_))).count()
}

#[tokio::test]
async fn what_has_ended_long_ago_is_forgotten_once() {
    let world = World::start().await;
    let (mut visitor, _) = TestClient::hello(&world, false, world.visitor(), vec![]).await;
    let (ended, open) = (begun(&mut visitor).await, begun(&mut visitor).await);
    let close = v1::CloseConversation { conversation_id: ended.clone() };
    visitor.ask(Request::Close(close)).await;
    let (shared, mut places) = (&world.gateway.shared, Places::new());
    look(shared, &mut places).await.unwrap();
    assert_eq!(count(&ends(&mut visitor, &ended).await), 0, "it is kept for ever");

    let kept = |closed| Retention { closed: Some(closed), attachments: None };
    let set = |retention| {
        *world.desk.privacy.lock().unwrap() = Privacy { retention, consent: None };
    };
    set(kept(Millis::from_mins(60)));
    look(shared, &mut places).await.unwrap();
    assert_eq!(count(&ends(&mut visitor, &ended).await), 0, "it is not time yet");
    set(kept(Millis::ZERO));
    let began = now();
    while now() == began {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        look(shared, &mut places).await.unwrap();
        assert_eq!(count(&ends(&mut visitor, &ended).await), 1);
        assert_eq!(count(&ends(&mut visitor, &open).await), 0);
    }
}
