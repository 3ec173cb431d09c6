//! What a supervisor does to the conversations of others.

use crate::{load, offer_closed, place};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{
    AgentStatus, ErrorCode, Event, ForceRelease, JoinConversation, OfferOutcome, Phase,
    QueuedReason, ReleasedReason, SetPriority, TakeOver, WhisperRequest,
};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, fresh_id, message};

/// Alex has the visitor's conversation, and Sue watches it.
struct Cast {
    server: Server,
    visitor: Wire,
    alex: Wire,
    sue: Wire,
    id: String,
}

impl Cast {
    async fn assemble(carrier: Carrier) -> Self {
        let server = Server::start().await;
        let mut visitor = Wire::visitor(&server, carrier).await;
        let mut alex = Wire::staff(&server, carrier, &server.agent(0)).await;
        let mut sue = Wire::staff(&server, Carrier::WebSocketJson, &server.supervisor()).await;
        alex.status(AgentStatus::Online).await;
        let id = visitor.start("Hello").await.conversation_id;
        alex.take(&id).await;
        let state = sue.subscribe(&id).await;
        assert_eq!(state.phase(), Phase::Assigned);
        sue.hear("Hello").await;
        Self { server, visitor, alex, sue, id }
    }

    fn take_over(&self) -> TakeOver {
        TakeOver { conversation_id: self.id.clone() }
    }

    fn put_back(&self) -> ForceRelease {
        let (conversation_id, reason) = (self.id.clone(), "you are needed elsewhere".into());
        ForceRelease { conversation_id, reason, agent_id: String::new() }
    }
}

fn released(event: &Event, why: ReleasedReason) -> bool {
    matches!(&event.body, Some(Body::Released(released)) if released.reason() == why)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_reaches_the_agent_and_not_the_visitor() {
    let mut cast = Cast::assemble(Carrier::WebSocketProtobuf).await;
    let whisper = WhisperRequest {
        conversation_id: cast.id.clone(),
        client_msg_id: fresh_id(),
        text: "Offer a refund.".into(),
    };
    let first = cast.sue.call(whisper.clone()).await;
    let again = cast.sue.call(whisper.clone()).await;
    assert!(!first.duplicate && again.duplicate && first.seq == again.seq);
    let heard =
        |e: &Event| matches!(&e.body, Some(Body::Whisper(w)) if w.text == "Offer a refund.");
    cast.alex.event("the whisper", heard).await;
    // The Watch of the visitor panics if it had reached it.
    cast.alex.say(&cast.id, "You get your money back.").await;
    cast.visitor.hear("You get your money back.").await;
    assert!(!cast.visitor.history(&cast.id).await.iter().flat_map(|p| &p.event).any(heard));
    let by_alex = cast.alex.request(Request::Whisper(whisper)).await;
    assert_eq!(by_alex.expect_err("he is none").code(), ErrorCode::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_barges_in() {
    let mut cast = Cast::assemble(Carrier::Grpc).await;
    let silent = cast.sue.request(Request::Send(message(&cast.id, "Hello!"))).await;
    assert_eq!(silent.expect_err("she only watches").code(), ErrorCode::PermissionDenied);
    let join = JoinConversation { conversation_id: cast.id.clone() };
    let state = cast.sue.call(join).await;
    assert_eq!(state.guests.len(), 1);
    cast.visitor.event("she joins", |e| matches!(e.body, Some(Body::Joined(_)))).await;
    cast.sue.say(&cast.id, "May I help?").await;
    cast.visitor.hear("May I help?").await;
    cast.alex.hear("May I help?").await;
    cast.alex.say(&cast.id, "Please do.").await;
    cast.sue.hear("Please do.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_takes_over_what_somebody_has() {
    let mut cast = Cast::assemble(Carrier::WebSocketJson).await;
    let away = cast.sue.request(Request::TakeOver(cast.take_over())).await;
    let why = away.expect_err("she is not online");
    assert_eq!(why.code(), ErrorCode::FailedPrecondition, "{why:?}");
    cast.sue.status(AgentStatus::Online).await;
    let state = cast.sue.call(cast.take_over()).await;
    assert_eq!(state.phase(), Phase::Assigned);
    cast.sue.call(cast.take_over()).await;
    cast.alex.event("it is taken", |e| released(e, ReleasedReason::TakenOver)).await;
    cast.visitor.event("it is taken", |e| released(e, ReleasedReason::TakenOver)).await;
    load(&mut cast.sue, 1).await;
    // His wrap-up is over in a while, and nothing of his is left.
    load(&mut cast.alex, 0).await;
    let late = cast.alex.request(Request::Send(message(&cast.id, "But I"))).await;
    assert_eq!(late.expect_err("it is not his").code(), ErrorCode::NotFound);
    cast.sue.say(&cast.id, "I have it now.").await;
    cast.visitor.hear("I have it now.").await;
    cast.sue.close(&cast.id).await;
    let closed = cast.sue.request(Request::TakeOver(cast.take_over())).await;
    assert_eq!(closed.expect_err("it is over").code(), ErrorCode::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_takes_what_is_offered_and_what_waits() {
    let mut cast = Cast::assemble(Carrier::WebSocketProtobuf).await;
    let mut vera = Wire::visitor(&cast.server, Carrier::Grpc).await;
    let offered = vera.start("I came second").await.conversation_id;
    cast.alex.offer(&offered).await;
    // Nobody else has room for it: she is busy while it is offered.
    cast.sue.status(AgentStatus::Online).await;
    cast.sue.call(TakeOver { conversation_id: offered.clone() }).await;
    let closed = offer_closed(&mut cast.alex, &offered).await;
    assert_eq!(closed.outcome(), OfferOutcome::Withdrawn);
    load(&mut cast.alex, 1).await;
    cast.sue.say(&offered, "Here I am.").await;
    vera.hear("Here I am.").await;

    cast.sue.status(AgentStatus::Busy).await;
    cast.alex.status(AgentStatus::Busy).await;
    let mut will = Wire::visitor(&cast.server, Carrier::WebSocketJson).await;
    let waiting = will.start("I wait").await.conversation_id;
    place(&mut will, &waiting, 1).await;
    let busy = TakeOver { conversation_id: waiting.clone() };
    let refused = cast.sue.request(Request::TakeOver(busy)).await;
    assert_eq!(refused.expect_err("she is busy").code(), ErrorCode::FailedPrecondition);
    assert_eq!(will.subscribe(&waiting).await.phase(), Phase::Waiting, "as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_is_offered_at_its_old_place() {
    let mut cast = Cast::assemble(Carrier::WebSocketJson).await;
    let id = cast.id.clone();
    cast.alex.status(AgentStatus::Busy).await;
    let mut vera = Wire::visitor(&cast.server, Carrier::Grpc).await;
    let second = vera.start("I came second").await.conversation_id;
    place(&mut vera, &second, 1).await;
    cast.sue.call(cast.put_back()).await;
    cast.sue.call(cast.put_back()).await;
    cast.visitor.event("it is put back", |e| released(e, ReleasedReason::Forced)).await;
    let queued = cast.visitor.event("it waits again", |e| match &e.body {
        Some(Body::Queued(queued)) => queued.reason() == QueuedReason::Released,
        _ => false,
    });
    queued.await;
    place(&mut cast.visitor, &id, 1).await;
    place(&mut vera, &second, 2).await;
    load(&mut cast.alex, 0).await;
    cast.sue.status(AgentStatus::Online).await;
    cast.sue.take(&id).await;
    cast.sue.say(&id, "Sorry for that.").await;
    cast.visitor.hear("Sorry for that.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_priority_changes_the_places_at_once() {
    let mut cast = Cast::assemble(Carrier::WebSocketJson).await;
    cast.alex.status(AgentStatus::Busy).await;
    let mut vera = Wire::visitor(&cast.server, Carrier::WebSocketProtobuf).await;
    let first = vera.start("I came first").await.conversation_id;
    place(&mut vera, &first, 1).await;
    let mut will = Wire::visitor(&cast.server, Carrier::Grpc).await;
    let second = will.start("I came second").await.conversation_id;
    place(&mut will, &second, 2).await;

    let set = |id: &str, extra_minutes| SetPriority { conversation_id: id.into(), extra_minutes };
    cast.sue.call(set(&second, 30)).await;
    place(&mut will, &second, 1).await;
    place(&mut vera, &first, 2).await;
    let seen = cast.sue.subscribe(&second).await;
    assert_eq!(seen.extra_priority_minutes, 30);
    assert_eq!(will.subscribe(&second).await.extra_priority_minutes, 0, "for staff only");
    cast.sue.call(set(&second, -30)).await;
    place(&mut vera, &first, 1).await;
    let absurd = cast.sue.request(Request::SetPriority(set(&second, 1_441))).await;
    assert_eq!(absurd.expect_err("more than a day").code(), ErrorCode::InvalidArgument);
    cast.alex.status(AgentStatus::Online).await;
    cast.alex.take(&first).await;
    cast.alex.take(&second).await;
}
