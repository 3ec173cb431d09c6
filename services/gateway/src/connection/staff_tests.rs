//! Guests and supervisors over real sockets, among fakes of the other roles.

use super::tests::{assign, error, message, start};
use crate::testing::{TestClient, World, agent_id, supervisor_id};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{self, ErrorCode, client_frame::Request, server_frame::Frame};

/// A visitor, the agent who has the conversation, and a supervisor.
struct Cast {
    world: World,
    visitor: TestClient,
    agent: TestClient,
    boss: TestClient,
    id: String,
}

impl Cast {
    async fn assemble() -> Self {
        let world = World::start().await;
        let (mut visitor, _) = TestClient::hello(&world, true, world.visitor(), vec![]).await;
        let (mut agent, _) = TestClient::hello(&world, false, world.agent(), vec![]).await;
        let (boss, _) = TestClient::hello(&world, false, world.supervisor(), vec![]).await;
        let id = start(&mut visitor).await;
        assign(&world, &mut agent, &id).await;
        Self { world, visitor, agent, boss, id }
    }

    fn whisper(&self) -> Request {
        Request::Whisper(v1::WhisperRequest {
            conversation_id: self.id.clone(),
            client_msg_id: "w".into(),
            text: "be kind".into(),
        })
    }
}

/// The next event whose body `wanted` accepts; the bodies before it.
async fn until(client: &mut TestClient, wanted: impl Fn(&Body) -> bool) -> Vec<Body> {
    let mut before = Vec::new();
    loop {
        let (_, _, body) = client.event().await;
        if wanted(&body) {
            return before;
        }
        before.push(body);
    }
}

/// The next frame that `wanted` accepts, whatever comes before it.
async fn push(client: &mut TestClient, wanted: impl Fn(&Frame) -> bool) -> Frame {
    loop {
        let frame = client.next().await.expect("the connection is open").frame.unwrap();
        if wanted(&frame) {
            return frame;
        }
    }
}

#[tokio::test]
async fn a_whisper_is_heard_by_the_agent_alone() {
    let mut cast = Cast::assemble().await;
    let whisper = cast.whisper();
    assert!(matches!(cast.boss.ask(whisper.clone()).await, Frame::Sent(s) if !s.duplicate));
    assert!(matches!(cast.boss.ask(whisper.clone()).await, Frame::Sent(s) if s.duplicate));
    until(&mut cast.agent, |body| matches!(body, Body::Whisper(w) if w.text == "be kind")).await;
    assert_eq!(error(cast.agent.ask(whisper).await).0, ErrorCode::PermissionDenied);
    let said = cast.agent.ask(message(&cast.id, "m", "hello")).await;
    assert!(matches!(said, Frame::Sent(_)), "{said:?}");
    let before = until(&mut cast.visitor, |body| matches!(body, Body::Message(_))).await;
    assert!(!before.iter().any(|body| matches!(body, Body::Whisper(_))), "{before:?}");
    cast.world.gateway.stop().await;
}

#[tokio::test]
async fn who_barges_in_follows_and_may_be_sent_away() {
    let mut cast = Cast::assemble().await;
    let join = Request::Join(v1::JoinConversation { conversation_id: cast.id.clone() });
    let Frame::Conversation(state) = cast.boss.ask(join).await else { panic!("not joined") };
    assert_eq!(state.guests[0].id, supervisor_id().to_string());
    until(&mut cast.boss, |body| matches!(body, Body::Joined(_))).await;
    until(&mut cast.visitor, |body| matches!(body, Body::Joined(_))).await;
    let list = Request::ListConversations(v1::ListConversations::default());
    let Frame::ConversationList(list) = cast.boss.ask(list).await else { panic!("no list") };
    let listed: Vec<_> = list.conversations.iter().map(|c| &c.conversation_id).collect();
    assert_eq!(listed, [&cast.id], "a guest finds it again");
    let conversation_id = cast.id.clone();
    let dismiss = v1::LeaveConversation { conversation_id, agent_id: supervisor_id().to_string() };
    assert!(matches!(cast.agent.ask(Request::Leave(dismiss)).await, Frame::Done(_)));
    until(&mut cast.visitor, |body| matches!(body, Body::Left(l) if l.by_other)).await;
    cast.world.gateway.stop().await;
}

#[tokio::test]
async fn whom_a_note_names_or_an_invitation_asks_is_told() {
    let mut cast = Cast::assemble().await;
    let note = v1::AddNote {
        conversation_id: cast.id.clone(),
        client_msg_id: "n".into(),
        text: "ü".repeat(200),
        mention_agent_ids: vec![supervisor_id().to_string()],
    };
    assert!(matches!(cast.agent.ask(Request::AddNote(note)).await, Frame::Sent(_)));
    let mention = push(&mut cast.boss, |frame| matches!(frame, Frame::Mention(_))).await;
    let Frame::Mention(mention) = mention else { unreachable!() };
    assert_eq!((mention.text, mention.by.unwrap().id), ("ü".repeat(100), agent_id().to_string()));

    let conversation_id = cast.id.clone();
    let agent_id = supervisor_id().to_string();
    let invite = v1::InviteAgent { conversation_id, agent_id, note: "look".into() };
    assert!(matches!(cast.agent.ask(Request::Invite(invite.clone())).await, Frame::Done(_)));
    let asked = push(&mut cast.boss, |frame| matches!(frame, Frame::Invitation(_))).await;
    assert!(matches!(&asked, Frame::Invitation(i) if i.note == "look" && i.queue == "sales"));
    assert!(matches!(&asked, Frame::Invitation(i) if i.seq > 0 && !i.again), "{asked:?}");

    // A new connection is told all of it again, in the same words.
    let (mut again, _) =
        TestClient::hello(&cast.world, true, cast.world.supervisor(), vec![]).await;
    let told = push(&mut again, |frame| matches!(frame, Frame::Invitation(_))).await;
    let Frame::Invitation(first) = asked else { unreachable!() };
    assert_eq!(told, Frame::Invitation(v1::InvitationPush { again: true, ..first }));
    let told = push(&mut again, |frame| matches!(frame, Frame::Mention(_))).await;
    assert!(matches!(told, Frame::Mention(m) if m.again && m.text == "ü".repeat(100)));

    let stranger = v1::InviteAgent { agent_id: uuid::Uuid::now_v7().to_string(), ..invite };
    let refused = error(cast.agent.ask(Request::Invite(stranger)).await);
    assert_eq!(refused.0, ErrorCode::NotFound);
    cast.world.gateway.stop().await;
}

#[tokio::test]
async fn what_is_taken_over_is_followed_and_lost_by_the_agent() {
    let mut cast = Cast::assemble().await;
    let take_over = Request::TakeOver(v1::TakeOver { conversation_id: cast.id.clone() });
    let Frame::Conversation(state) = cast.boss.ask(take_over).await else { panic!("not taken") };
    assert_eq!(state.agent.unwrap().id, supervisor_id().to_string());
    until(&mut cast.boss, |body| matches!(body, Body::Released(_))).await;
    until(&mut cast.agent, |body| matches!(body, Body::Released(_))).await;
    let late = error(cast.agent.ask(message(&cast.id, "m", "but")).await);
    assert_eq!(late.0, ErrorCode::NotFound);
    let conversation_id = cast.id.clone();
    let priority = v1::SetPriority { conversation_id, extra_minutes: 2_000 };
    let absurd = error(cast.boss.ask(Request::SetPriority(priority)).await);
    assert_eq!(absurd.0, ErrorCode::InvalidArgument);
    cast.world.gateway.stop().await;
}
