//! How an offer ends other than by being accepted or declined.

use crate::offer_closed;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{AcceptOffer, AgentStatus, ErrorCode, OfferOutcome, Phase};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::Wire;
use std::time::Duration;

/// An offer stays open for 30 s; the rest is slack.
const OFFER_AND_MORE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_is_not_answered_goes_to_somebody_else() {
    let server = Plan::default().extra_agents(1).start().await;
    let mut asleep = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(0)).await;
    asleep.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let id = visitor.start("Anybody?").await.conversation_id;
    let offer = asleep.offer(&id).await;
    let mut awake = Wire::staff(&server, Carrier::Grpc, &server.agent(1)).await;
    awake.status(AgentStatus::Online).await;
    asleep.patience(OFFER_AND_MORE);
    let closed = offer_closed(&mut asleep, &id).await;
    assert_eq!((&closed.offer_id, closed.outcome()), (&offer.offer_id, OfferOutcome::Expired));

    awake.take(&id).await;
    let accept = AcceptOffer { conversation_id: id.clone(), offer_id: offer.offer_id };
    let late = asleep.request(Request::AcceptOffer(accept)).await.map_err(|e| e.code());
    assert!(matches!(late, Err(ErrorCode::FailedPrecondition | ErrorCode::NotFound)), "{late:?}");
    awake.say(&id, "Yes.").await;
    visitor.hear("Yes.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_leaves_withdraws_the_offer() {
    let server = Server::start().await;
    let mut agent = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Never mind").await.conversation_id;
    let offer = agent.offer(&id).await;
    visitor.close(&id).await;
    assert_eq!(offer_closed(&mut agent, &id).await.outcome(), OfferOutcome::Withdrawn);
    let accept = AcceptOffer { conversation_id: id.clone(), offer_id: offer.offer_id };
    let late = agent.request(Request::AcceptOffer(accept)).await.map_err(|e| e.code());
    assert!(matches!(late, Err(ErrorCode::FailedPrecondition | ErrorCode::NotFound)), "{late:?}");
    // The room that was reserved is free again at once.
    let next = visitor.start("One more thing").await.conversation_id;
    assert_eq!(agent.take(&next).await.phase(), Phase::Assigned);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_of_an_agent_take_an_offer_once() {
    let server = Server::start().await;
    let token = server.sign_in(&server.agent(0)).await.token;
    let (mut desk, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let (mut phone, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    desk.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    let offer = desk.offer(&id).await;
    assert_eq!(phone.offer(&id).await, offer);
    let (first, second) = tokio::join!(desk.accept(&offer), phone.accept(&offer));
    for state in [first, second] {
        assert_eq!(state.phase(), Phase::Assigned);
    }
    let load = desk.status(AgentStatus::Online).await.load;
    assert_eq!(load, 1, "one conversation takes one slot");
    desk.say(&id, "Hi").await;
    phone.hear("Hi").await;
    visitor.hear("Hi").await;
}
