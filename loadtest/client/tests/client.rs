//! The client against a server that the test plays: carriers, healing, order.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use frontdesk_client::{
    Agent, AskError, Breach, Carrier, Connection, Ended, Heard, Session, SessionError,
    SessionSettings, TokenError, Tokens, Visitor,
};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ConversationState, Cursor, Done, Error, ErrorCode, Hello, MarkRead, Move, Ping, SendMessage,
    Sent, Typing,
};
use frontdesk_proto::wkt;
use support::{Fake, event, within};

fn session(fake: &Fake) -> Session {
    let settings = SessionSettings::new(fake.address.clone(), fake.carrier, "token".into());
    Session::new(settings)
}

fn say(client_msg_id: &str) -> Request {
    Request::Send(SendMessage {
        conversation_id: "c".into(),
        client_msg_id: client_msg_id.into(),
        text: "hello".into(),
        attachment_ids: Vec::new(),
        after_client_msg_id: String::new(),
    })
}

fn sent(request: &Request, seq: u32) -> Frame {
    let Request::Send(send) = request else { panic!("no message: {request:?}") };
    let client_msg_id = send.client_msg_id.clone();
    let conversation_id = send.conversation_id.clone();
    Frame::Sent(Sent { conversation_id, client_msg_id, seq, ..Sent::default() })
}

fn error(code: ErrorCode, retryable: bool, conversation: &str) -> Frame {
    let retry_after = retryable.then_some(wkt::Duration { seconds: 0, nanos: 1_000_000 });
    let conversation_id = conversation.to_owned();
    Frame::Error(Error {
        code: code.into(),
        retryable,
        retry_after,
        conversation_id,
        ..Error::default()
    })
}

async fn heard(session: &mut Session) -> Heard {
    within("something is heard", session.next()).await.expect("the session goes on")
}

/// The seq of the next event, and the breaches before it.
async fn next_event(session: &mut Session) -> (u32, Vec<Breach>) {
    let mut breaches = Vec::new();
    loop {
        match heard(session).await {
            Heard::Event(push) => return (push.event.unwrap().seq, breaches),
            Heard::Breach { conversation, breach } => {
                assert_eq!(conversation, "c");
                breaches.push(breach);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_carrier_carries_requests_answers_and_pushes() {
    for carrier in Carrier::ALL {
        let mut fake = Fake::listen(carrier).await;
        let mut client = session(&fake);
        let serve = async {
            let (mut peer, hello) = fake.accept().await;
            assert_eq!(hello.token, "token");
            let (id, request) = peer.request().await.unwrap();
            peer.push(event("c", 1, 0, "first")).await;
            peer.answer(id, sent(&request, 2)).await;
            peer.push(Frame::Ping(Ping {})).await;
            assert!(matches!(peer.request().await, Some((0, Request::Pong(_)))));
            peer.push(event("c", 2, 1, "second")).await;
            peer
        };
        let talk = async {
            let answer = client.ask(say("m1")).await.unwrap();
            assert!(matches!(answer, Frame::Sent(sent) if sent.seq == 2));
            assert!(matches!(heard(&mut client).await, Heard::Connected(_)));
            assert_eq!(next_event(&mut client).await, (1, vec![]));
            assert_eq!(next_event(&mut client).await, (2, vec![]));
            assert_eq!((client.cursor("c"), client.connections()), (2, 1));
        };
        tokio::join!(serve, talk);
    }
}

#[tokio::test]
async fn a_new_connection_resumes_and_repeats_in_order() {
    for carrier in Carrier::ALL {
        let mut fake = Fake::listen(carrier).await;
        let mut client = session(&fake);
        let serve = async {
            let (mut peer, hello) = fake.accept().await;
            assert!(hello.resume.is_empty());
            peer.push(event("c", 1, 0, "")).await;
            let first: Vec<_> = [peer.request().await, peer.request().await].into();
            drop(peer);
            let (mut peer, hello) = fake.accept().await;
            assert_eq!(hello.resume, [Cursor { conversation_id: "c".into(), seq: 1 }]);
            let again: Vec<_> = [peer.request().await, peer.request().await].into();
            assert_eq!(first, again, "the same ids and client_msg_ids, in order");
            for (n, (id, request)) in again.into_iter().flatten().enumerate() {
                peer.answer(id, sent(&request, n as u32 + 3)).await;
            }
            peer.push(event("c", 2, 1, "")).await;
            peer
        };
        let talk = async {
            assert!(matches!(heard(&mut client).await, Heard::Connected(_)));
            let ids = [client.submit(say("a")).unwrap(), client.submit(say("b")).unwrap()];
            let mut answers = Vec::new();
            let mut lost = 0;
            while answers.len() < 2 {
                match heard(&mut client).await {
                    Heard::Answer { id, .. } => answers.push(id),
                    Heard::Lost(_) => lost += 1,
                    _ => {}
                }
            }
            assert_eq!((answers, lost), (ids.to_vec(), 1));
            assert_eq!(next_event(&mut client).await, (2, vec![]));
            assert_eq!((client.connections(), client.unanswered()), (2, 0));
        };
        let (_peer, ()) = tokio::join!(serve, talk);
    }
}

#[tokio::test]
async fn close_codes_decide_whether_to_come_back() {
    for carrier in Carrier::ALL {
        let mut fake = Fake::listen(carrier).await;
        let mut client = session(&fake);
        let serve = async {
            fake.accept().await.0.bye(4000).await;
            fake.accept().await.0.bye(4200).await;
        };
        let talk = async {
            loop {
                match within("the end", client.next()).await {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            }
        };
        let ((), error) = tokio::join!(serve, talk);
        let ended = Ended::Closed { code: 4200, reason: "because".into() };
        assert_eq!(error, SessionError::Ended(ended), "{carrier:?}");
        assert_eq!(client.connections(), 2);
    }
}

#[tokio::test]
async fn passing_errors_are_repeated_and_final_ones_are_told() {
    let mut fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let mut client = session(&fake);
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        let (id, request) = peer.request().await.unwrap();
        peer.answer(id, error(ErrorCode::Unavailable, true, "c")).await;
        assert_eq!(peer.request().await, Some((id, request.clone())));
        peer.answer(id, sent(&request, 1)).await;
        let (id, _) = peer.request().await.unwrap();
        peer.answer(id, error(ErrorCode::NotFound, false, "c")).await;
        peer
    };
    let talk = async {
        assert!(client.ask(say("m")).await.is_ok());
        match client.ask(say("n")).await {
            Err(AskError::Refused(error)) => assert_eq!(error.code(), ErrorCode::NotFound),
            other => panic!("{other:?}"),
        }
        assert!(matches!(heard(&mut client).await, Heard::Connected(_)));
        assert!(matches!(heard(&mut client).await, Heard::Deferred { .. }));
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn a_gap_is_told_and_healed() {
    let mut fake = Fake::listen(Carrier::Grpc).await;
    let mut client = session(&fake);
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        peer.push(event("c", 1, 0, "")).await;
        peer.push(event("c", 3, 2, "")).await;
        let Some((id, Request::Subscribe(subscribe))) = peer.request().await else { panic!() };
        assert_eq!(subscribe.cursor, Some(Cursor { conversation_id: "c".into(), seq: 1 }));
        peer.answer(id, Frame::Conversation(ConversationState::default())).await;
        for seq in 2..=4 {
            peer.push(event("c", seq, seq - 1, "")).await;
        }
        peer.push(event("c", 4, 3, "")).await;
        peer.push(event("c", 5, 4, "")).await;
        peer
    };
    let talk = async {
        assert_eq!(next_event(&mut client).await, (1, vec![]));
        let gap = Breach::Gap { had: 1, seq: 3, prev: 2 };
        assert_eq!(next_event(&mut client).await, (2, vec![gap]));
        assert_eq!(next_event(&mut client).await, (3, vec![]));
        assert_eq!(next_event(&mut client).await, (4, vec![]));
        let again = Breach::Repeated { had: 4, seq: 4 };
        assert_eq!(next_event(&mut client).await, (5, vec![again]));
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn what_the_server_has_forgotten_is_a_breach() {
    let mut fake = Fake::listen(Carrier::WebSocketJson).await;
    let mut client = session(&fake);
    let serve = async {
        let (peer, _) = fake.accept().await;
        peer.push(event("c", 1, 0, "")).await;
        peer.bye(4001).await;
        let (peer, _) = fake.accept().await;
        peer.push(error(ErrorCode::InvalidArgument, false, "c")).await;
        peer
    };
    let talk = async {
        loop {
            if let Heard::Breach { breach, .. } = heard(&mut client).await {
                assert_eq!(breach, Breach::Forgotten { had: 1 });
                break;
            }
        }
        assert!(matches!(heard(&mut client).await, Heard::Unfollowed { .. }));
        assert_eq!(client.cursor("c"), 0);
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn conversations_beyond_a_hello_are_subscribed_to() {
    let mut fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let mut client = session(&fake);
    let serve = async {
        let (peer, _) = fake.accept().await;
        for n in 0..150 {
            peer.push(event(&n.to_string(), 1, 0, "")).await;
        }
        peer.bye(4002).await;
        let (mut peer, hello) = fake.accept().await;
        let mut followed: Vec<String> =
            hello.resume.into_iter().map(|cursor| cursor.conversation_id).collect();
        assert_eq!(followed.len(), 100);
        for _ in 0..50 {
            let Some((_, Request::Subscribe(subscribe))) = peer.request().await else { panic!() };
            followed.push(subscribe.cursor.unwrap().conversation_id);
        }
        followed.sort_unstable();
        followed.dedup();
        assert_eq!(followed.len(), 150);
    };
    tokio::select! {
        () = serve => {}
        () = async { loop { heard(&mut client).await; } } => {}
    }
}

#[tokio::test]
async fn a_move_leads_to_the_next_gateway() {
    let carrier = Carrier::WebSocketProtobuf;
    let (mut old, mut new) = (Fake::listen(carrier).await, Fake::listen(carrier).await);
    let mut settings = SessionSettings::new(old.address.clone(), carrier, "token".into());
    settings.addresses.push(new.address.clone());
    let mut client = Session::new(settings);
    let serve = async {
        let (peer, _) = old.accept().await;
        let delay = Some(wkt::Duration { seconds: 0, nanos: 10_000_000 });
        peer.push(event("c", 1, 0, "")).await;
        peer.push(Frame::Move(Move { reason: "drain".into(), delay })).await;
        peer.push(event("c", 2, 1, "")).await;
        let (next, hello) = new.accept().await;
        assert_eq!(hello.resume[0].seq, 2, "the old connection was read to its end");
        next.push(event("c", 3, 2, "")).await;
        (peer, next)
    };
    let talk = async {
        for seq in 1..=3 {
            assert_eq!(next_event(&mut client).await, (seq, vec![]));
        }
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn what_still_comes_of_a_forgotten_conversation_is_dropped() {
    let mut fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let mut client = session(&fake);
    let serve = async {
        let (peer, _) = fake.accept().await;
        for (seq, prev) in [(1, 0), (2, 1), (3, 2), (1, 0), (2, 1)] {
            peer.push(event("c", seq, prev, "")).await;
        }
        peer.push(event("another", 9, 8, "")).await;
        peer
    };
    let talk = async {
        assert_eq!(next_event(&mut client).await, (1, vec![]));
        client.forget("c");
        // Taken up again, it is told from its first event on.
        assert_eq!(next_event(&mut client).await, (1, vec![]));
        assert_eq!(next_event(&mut client).await, (2, vec![]));
        // What was never known is not forgotten.
        let Heard::Breach { breach, .. } = heard(&mut client).await else { panic!("no breach") };
        assert_eq!(breach, Breach::Gap { had: 0, seq: 9, prev: 8 });
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn hints_are_never_repeated() {
    let mut fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let mut client = session(&fake);
    let hint = || Request::Typing(Typing { conversation_id: "c".into(), typing: true });
    let read = Request::MarkRead(MarkRead { conversation_id: "c".into(), seq: 1 });
    client.hint(hint());
    let serve = async {
        let (mut peer, _) = fake.accept().await;
        assert!(matches!(peer.request().await, Some((0, Request::Typing(_)))));
        assert!(matches!(peer.request().await, Some((_, Request::MarkRead(_)))));
        drop(peer);
        let (mut peer, _) = fake.accept().await;
        let Some((id, Request::MarkRead(_))) = peer.request().await else { panic!() };
        peer.answer(id, Frame::Done(Done {})).await;
        peer
    };
    let talk = async {
        assert!(matches!(heard(&mut client).await, Heard::Connected(_)));
        client.hint(hint());
        client.ask(read).await.unwrap();
    };
    tokio::join!(serve, talk);
}

#[tokio::test]
async fn too_many_unanswered_requests_are_refused() {
    let fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let mut settings = SessionSettings::new(fake.address.clone(), fake.carrier, "t".into());
    settings.max_unanswered = 2;
    let mut client = Session::new(settings);
    assert!(client.submit(say("a")).is_ok() && client.submit(say("b")).is_ok());
    assert!(client.submit(say("c")).is_err());
}

#[tokio::test]
async fn the_bare_connection_carries_any_bytes() {
    let mut fake = Fake::listen(Carrier::WebSocketProtobuf).await;
    let hello = Hello { token: "raw".into(), ..Hello::default() };
    let Connection { mut sender, mut receiver } =
        Connection::open(fake.carrier, &fake.address, hello).await.unwrap();
    let (mut peer, hello) = fake.accept().await;
    assert_eq!(hello.token, "raw");
    assert_eq!(receiver.receive().await.unwrap().frames.len(), 1);
    // An empty message is an empty batch: a sign of life.
    sender.send_raw(bytes::Bytes::new()).await.unwrap();
    sender.close().await.unwrap();
    assert_eq!(peer.request().await, None);
}

#[tokio::test]
async fn people_get_tokens_and_talk() {
    let mut fake = Fake::listen(Carrier::Grpc).await;
    let tokens = Tokens::new(&fake.address).unwrap();
    let account = |password| ("demo", "ann@demo.example", password);
    let wrong = Agent::new(&fake.address, Carrier::Grpc, &tokens, account("wrong")).await;
    assert!(matches!(wrong, Err(TokenError::Refused(_))));
    let mut agent =
        Agent::new(&fake.address, Carrier::Grpc, &tokens, account("right")).await.unwrap();
    assert_eq!(agent.session.token(), "agent ann@demo.example");
    let mut visitor = Visitor::new(&fake.address, Carrier::Grpc, &tokens, "pk_1").await.unwrap();
    let serve = async {
        let (mut peer, hello) = fake.accept().await;
        assert_eq!(hello.token, "visitor of pk_1");
        let Some((id, Request::Start(start))) = peer.request().await else { panic!() };
        let conversation_id = start.conversation_id;
        peer.answer(
            id,
            Frame::Conversation(ConversationState { conversation_id, ..Default::default() }),
        )
        .await;
        let (mut other, _) = fake.accept().await;
        other.push(Frame::Offer(Default::default())).await;
        let Some((id, Request::AcceptOffer(_))) = other.request().await else { panic!() };
        other.answer(id, Frame::Conversation(ConversationState::default())).await;
    };
    let talk = async {
        assert_eq!(visitor.start("").await.unwrap().conversation_id.len(), 36);
        let offer = agent.next_offer().await.unwrap();
        agent.accept(&offer).await.unwrap();
    };
    tokio::join!(serve, talk);
}
