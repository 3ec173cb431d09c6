//! What people do, as the server hears it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use frontdesk_client::{Agent, AskError, Carrier, Tokens};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{ConversationState, Done, History, ListTeam, Sent, Team};
use support::{Fake, Peer, event};

async fn agent(fake: &Fake) -> Agent {
    let tokens = Tokens::new(&fake.address).unwrap();
    let account = ("demo", "ann@demo.example", "right");
    Agent::new(&fake.address, fake.carrier, &tokens, account).await.unwrap()
}

async fn asked(peer: &mut Peer, answer: Frame) -> Request {
    let (id, request) = peer.request().await.unwrap();
    peer.answer(id, answer).await;
    request
}

#[tokio::test]
async fn an_agent_notes_reads_back_and_hands_over() {
    let mut fake = Fake::listen(Carrier::Grpc).await;
    let mut agent = agent(&fake).await;
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        let note = asked(&mut peer, Frame::Sent(Sent { seq: 4, ..Sent::default() })).await;
        assert!(matches!(note, Request::AddNote(note) if note.text == "careful"));
        let page = asked(&mut peer, Frame::History(History::default())).await;
        let Request::GetHistory(page) = page else { panic!("{page:?}") };
        assert_eq!((page.after_seq, page.backwards), (9, true));
        let transfer = asked(&mut peer, Frame::Done(Done {})).await;
        let Request::Transfer(transfer) = transfer else { panic!("{transfer:?}") };
        assert_eq!(transfer.target, Some(Target::Queue("sales".into())));
        peer
    };
    let talk = async {
        assert_eq!(agent.note("c", "n1", "careful").await.unwrap().seq, 4);
        agent.session.history_before("c", 9).await.unwrap();
        agent.transfer("c", Target::Queue("sales".into()), "yours").await.unwrap();
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn following_goes_on_from_the_last_event_seen() {
    let mut fake = Fake::listen(Carrier::Grpc).await;
    let mut agent = agent(&fake).await;
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        for seq in 1..=3 {
            peer.push(event("c", seq, seq - 1, "")).await;
        }
        let follow = asked(&mut peer, Frame::Conversation(ConversationState::default())).await;
        let Request::Subscribe(follow) = follow else { panic!("{follow:?}") };
        assert_eq!(follow.cursor.map(|cursor| cursor.seq), Some(3));
        peer
    };
    let talk = async {
        for _ in 1..=3 {
            agent.session.next_event().await.unwrap();
        }
        agent.session.follow("c").await.unwrap();
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn an_answer_of_another_kind_is_an_error() {
    let mut fake = Fake::listen(Carrier::Grpc).await;
    let mut agent = agent(&fake).await;
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        asked(&mut peer, Frame::Done(Done {})).await;
        let team = Team { queues: vec!["sales".into()], ..Team::default() };
        asked(&mut peer, Frame::Team(team)).await;
        peer
    };
    let talk = async {
        let wrong = agent.session.call(ListTeam {}).await;
        assert!(matches!(wrong, Err(AskError::Unexpected(_))), "{wrong:?}");
        assert_eq!(agent.session.call(ListTeam {}).await.unwrap().queues, ["sales"]);
    };
    tokio::join!(serve, talk);
}
