//! Colleagues beside the agent who has a conversation: invited, mentioned, and with it
//! when it is handed on.

use crate::load;
use crate::terminal::ctl;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AddNote, AgentStatus, ErrorCode, Event, InvitationPush, InviteAgent, JoinConversation,
    LeaveConversation, ListConversations, ListTeam, MentionPush, Phase, SkillTarget,
    TransferConversation,
};
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, message, text, texts};
use std::time::Duration;
use tokio::time::sleep;

/// Alex has the visitor's conversation; Bea is online and full, so that nothing is
/// offered to her.
struct Cast {
    server: Server,
    visitor: Wire,
    alex: Wire,
    bea: Wire,
    bea_id: String,
    id: String,
}

impl Cast {
    async fn assemble(carrier: Carrier) -> Self {
        let server = Plan::default().extra_agents(1).start().await;
        let mut visitor = Wire::visitor(&server, carrier).await;
        let mut alex = Wire::staff(&server, carrier, &server.agent(0)).await;
        let token = server.sign_in(&server.agent(1)).await.token;
        let (mut bea, welcome) = Wire::open(&server, Carrier::Grpc, &token).await;
        let bea_id = welcome.you.expect("Welcome says who you are").id;
        bea.status(AgentStatus::Busy).await;
        alex.status(AgentStatus::Online).await;
        let id = visitor.start("Hello").await.conversation_id;
        alex.take(&id).await;
        Self { server, visitor, alex, bea, bea_id, id }
    }

    fn invite(&self) -> InviteAgent {
        InviteAgent {
            conversation_id: self.id.clone(),
            agent_id: self.bea_id.clone(),
            note: "You know taxes.".into(),
        }
    }

    fn join(&self) -> JoinConversation {
        JoinConversation { conversation_id: self.id.clone() }
    }

    fn leave(&self, agent_id: &str) -> LeaveConversation {
        LeaveConversation { conversation_id: self.id.clone(), agent_id: agent_id.to_owned() }
    }

    fn transfer(&self, target: Target, warm: bool) -> TransferConversation {
        let (conversation_id, note) = (self.id.clone(), "over to you".into());
        TransferConversation { conversation_id, target: Some(target), note, warm }
    }
}

fn joined(event: &Event) -> bool {
    matches!(event.body, Some(Body::Joined(_)))
}

fn left(event: &Event) -> bool {
    matches!(event.body, Some(Body::Left(_)))
}

async fn listed(wire: &mut Wire, id: &str) {
    loop {
        let list = wire.call(ListConversations::default()).await;
        if list.conversations.iter().any(|c| c.conversation_id == id) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn code(wire: &mut Wire, request: Request) -> ErrorCode {
    wire.request(request).await.expect_err("it is refused").code()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_colleague_joins_speaks_and_leaves() {
    for carrier in [Carrier::WebSocketJson, Carrier::WebSocketProtobuf] {
        let mut cast = Cast::assemble(carrier).await;
        let id = cast.id.clone();
        let join = Request::Join(cast.join());
        assert_eq!(code(&mut cast.bea, join).await, ErrorCode::NotFound);
        cast.alex.call(cast.invite()).await;
        cast.alex.call(cast.invite()).await;
        let asked = cast.bea.push("the invitation", |frame| match frame {
            Frame::Invitation(asked) => Some(asked.clone()),
            _ => None,
        });
        let asked = asked.await;
        assert_eq!(
            (asked.conversation_id.as_str(), asked.note.as_str()),
            (&*id, "You know taxes.")
        );
        assert_eq!(asked.preview, "Hello");

        // She reloads before she answers: whoever comes is told.
        let token = cast.server.sign_in(&cast.server.agent(1)).await.token;
        let again = async {
            let (mut reloaded, _) = Wire::open(&cast.server, carrier, &token).await;
            let asked = reloaded.push("the invitation once more", |frame| match frame {
                Frame::Invitation(asked) => Some(asked.clone()),
                _ => None,
            });
            asked.await
        };
        let again = again.await;
        assert_eq!(again, InvitationPush { again: true, ..asked });

        let state = cast.bea.call(cast.join()).await;
        assert_eq!((state.phase(), state.guests.len()), (Phase::Assigned, 1));
        cast.visitor.event("a second agent joins", joined).await;
        cast.bea.say(&id, "I am here too.").await;
        cast.visitor.hear("I am here too.").await;
        cast.alex.hear("I am here too.").await;
        assert_eq!(cast.bea.status(AgentStatus::Busy).await.load, 0, "a guest takes no slot");

        // As after a reload of her page.
        step("it is among hers", listed(&mut cast.bea, &id)).await;

        cast.bea.call(cast.leave("")).await;
        cast.bea.call(cast.leave("")).await;
        cast.visitor.event("she leaves", left).await;
        let late = Request::Send(message(&id, "One more thing"));
        assert_eq!(code(&mut cast.bea, late).await, ErrorCode::PermissionDenied);
        cast.visitor.say(&id, "Thanks, both!").await;
        cast.bea.hear("Thanks, both!").await;
        let invited = |p: &Event| matches!(p.body, Some(Body::Invited(_)));
        let seen = cast.alex.history(&id).await;
        assert_eq!(seen.iter().flat_map(|p| &p.event).filter(|e| invited(e)).count(), 1);
        assert_eq!(texts(&seen), ["Hello", "I am here too.", "Thanks, both!"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_away_hears_no_more() {
    let mut cast = Cast::assemble(Carrier::WebSocketJson).await;
    let id = cast.id.clone();
    cast.alex.call(cast.invite()).await;
    cast.bea.call(cast.join()).await;
    let dismiss = cast.leave(&cast.bea_id);
    cast.alex.call(dismiss).await;
    cast.bea.event("she is sent away", left).await;
    cast.visitor.say(&id, "Just between us").await;
    cast.alex.hear("Just between us").await;
    let join = Request::Join(cast.join());
    assert_eq!(code(&mut cast.bea, join).await, ErrorCode::NotFound);
    let heard = |frame: &Frame| match frame {
        Frame::Event(push) => push.event.as_ref().and_then(text) == Some("Just between us"),
        _ => false,
    };
    assert!(!cast.bea.backlog().any(heard), "she heard what came after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_tells_a_colleague_who_may_then_read() {
    let mut cast = Cast::assemble(Carrier::WebSocketProtobuf).await;
    let id = cast.id.clone();
    let note = AddNote {
        conversation_id: id.clone(),
        client_msg_id: fresh_id(),
        text: "@Bea is this deductible?".into(),
        mention_agent_ids: vec![cast.bea_id.clone()],
    };
    let sent = cast.alex.call(note.clone()).await;
    assert!(cast.alex.call(note.clone()).await.duplicate);
    let mention = cast.bea.push("the mention", |frame| match frame {
        Frame::Mention(mention) => Some(mention.clone()),
        _ => None,
    });
    let mention = mention.await;
    assert_eq!((mention.seq, mention.text.as_str()), (sent.seq, "@Bea is this deductible?"));
    let token = cast.server.sign_in(&cast.server.agent(1)).await.token;
    let (mut reloaded, _) = Wire::open(&cast.server, Carrier::WebSocketJson, &token).await;
    let again = reloaded.push("the mention once more", |frame| match frame {
        Frame::Mention(mention) => Some(mention.clone()),
        _ => None,
    });
    assert_eq!(again.await, MentionPush { again: true, ..mention });
    cast.bea.subscribe(&id).await;
    cast.bea.hear("Hello").await;
    cast.bea.call(cast.join()).await;
    // The Watch of the visitor panics if the note had reached it.
    cast.visitor.event("she joins", joined).await;
    let nobody = AddNote { mention_agent_ids: vec![fresh_id()], client_msg_id: fresh_id(), ..note };
    let request = Request::AddNote(nobody);
    assert_eq!(code(&mut cast.alex, request).await, ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_transfer_has_both_there() {
    let mut cast = Cast::assemble(Carrier::WebSocketJson).await;
    let id = cast.id.clone();
    cast.bea.status(AgentStatus::Online).await;
    let hand_on = cast.transfer(Target::AgentId(cast.bea_id.clone()), true);
    cast.alex.call(hand_on.clone()).await;
    cast.alex.call(hand_on).await;
    let offer = cast.bea.offer(&id).await;
    assert_eq!(offer.note, "over to you");
    let state = cast.bea.accept(&offer).await;
    assert_eq!(state.guests.len(), 1, "Alex is there still");
    cast.visitor.event("both are there", joined).await;
    cast.alex.say(&id, "This is Bea.").await;
    cast.bea.hear("This is Bea.").await;
    load(&mut cast.alex, 0).await;
    cast.alex.call(cast.leave("")).await;
    cast.visitor.event("he leaves", left).await;
    cast.bea.say(&id, "Now, where were we?").await;
    cast.visitor.hear("Now, where were we?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_to_a_skill_finds_who_has_it() {
    let mut cast = Cast::assemble(Carrier::Grpc).await;
    let id = cast.id.clone();
    let skill = |level| Target::Skill(SkillTarget { skills: [("tax".to_owned(), level)].into() });
    let hand_on = Request::Transfer(cast.transfer(skill(3), false));
    assert_eq!(code(&mut cast.alex, hand_on).await, ErrorCode::FailedPrecondition);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("desk.yaml");
    let skilled = format!(
        "queues:\n  - {{ name: general }}\nagents:\n  - {{ email: {}, name: Bea, capacity: 7, \
         skills: {{ tax: 4 }} }}\n",
        cast.server.agent(1).email
    );
    std::fs::write(&file, skilled).expect("a file can be written");
    ctl(&cast.server, &["apply", "-f", &file.display().to_string()]);
    cast.bea
        .push("she is known to be skilled", |frame| match frame {
            Frame::AgentState(state) => (state.capacity == 7).then_some(()),
            _ => None,
        })
        .await;
    cast.bea.status(AgentStatus::Online).await;
    let team = cast.alex.call(ListTeam::default()).await;
    assert_eq!(team.skills, [("tax".to_owned(), 4)].into(), "what the dialog offers");
    assert!(cast.bea.call(ListTeam::default()).await.skills.is_empty(), "of others only");
    let too_much = Request::Transfer(cast.transfer(skill(5), false));
    assert_eq!(code(&mut cast.alex, too_much).await, ErrorCode::FailedPrecondition);
    cast.alex.call(cast.transfer(skill(4), false)).await;
    cast.bea.take(&id).await;
    cast.bea.say(&id, "Tax department, hello.").await;
    cast.visitor.hear("Tax department, hello.").await;
    let asked = cast.alex.event("what was asked for", |e| match &e.body {
        Some(Body::Transferred(to)) => to.to_skills.get("tax") == Some(&4),
        _ => false,
    });
    asked.await;
}
