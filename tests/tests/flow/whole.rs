//! One conversation from its first word to its rating and back again, over each
//! carrier: two agents, a decline, a transfer each way, a file, a note.

use crate::{load, offer_closed, place};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AddNote, AgentStatus, DeclineOffer, ListTeam, MarkRead, OfferOutcome, Phase, QueuedReason,
    RateConversation, ReopenConversation, SetTags, TransferConversation, Typing,
};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id, texts};
use std::collections::BTreeMap;

/// Everybody who takes part.
struct Cast {
    server: Server,
    visitor: Wire,
    alex: Wire,
    bea: Wire,
    bea_id: String,
    conversation: String,
}

impl Cast {
    async fn assemble(carrier: Carrier) -> Self {
        let server = Plan::default().extra_agents(1).start().await;
        let mut visitor = Wire::visitor(&server, carrier).await;
        let alex = Wire::staff(&server, carrier, &server.agent(0)).await;
        let token = server.sign_in(&server.agent(1)).await;
        let (bea, welcome) = Wire::open(&server, carrier, &token.token).await;
        let attributes = BTreeMap::from([("plan".to_owned(), "gold".to_owned())]);
        let state = visitor.start_with("Hello, is anybody there?", attributes).await;
        assert_eq!(state.phase(), Phase::Waiting);
        assert_eq!(state.attributes.get("plan").map(String::as_str), None, "for staff only");
        let bea_id = welcome.you.expect("Welcome says who you are").id;
        let conversation = state.conversation_id;
        Self { server, visitor, alex, bea, bea_id, conversation }
    }

    fn id(&self) -> String {
        self.conversation.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_websocket_with_json() {
    whole_flow(Carrier::WebSocketJson).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_websocket_with_protobuf() {
    whole_flow(Carrier::WebSocketProtobuf).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_grpc() {
    whole_flow(Carrier::Grpc).await;
}

async fn whole_flow(carrier: Carrier) {
    let mut cast = Cast::assemble(carrier).await;
    offered_declined_and_accepted(&mut cast).await;
    talking(&mut cast).await;
    handed_to_a_queue(&mut cast).await;
    handed_to_an_agent(&mut cast).await;
    closed_and_rated(&mut cast).await;
    reopened_with_its_history(&mut cast).await;
}

async fn offered_declined_and_accepted(cast: &mut Cast) {
    let id = cast.id();
    let waiting = place(&mut cast.visitor, &id, 1).await;
    assert!(!waiting.agents_online);

    assert_eq!(cast.alex.status(AgentStatus::Online).await.status(), AgentStatus::Online);
    let offer = cast.alex.offer(&id).await;
    assert_eq!(offer.preview, "Hello, is anybody there?");
    assert!(offer.expires_at.is_some() && offer.waiting_since.is_some());

    cast.bea.status(AgentStatus::Online).await;
    let decline = DeclineOffer {
        conversation_id: id.clone(),
        offer_id: offer.offer_id.clone(),
        reason: "lunch".into(),
    };
    cast.alex.call(decline).await;
    let closed = offer_closed(&mut cast.alex, &id).await;
    assert_eq!((closed.offer_id, closed.outcome), (offer.offer_id, OfferOutcome::Declined.into()));

    let state = cast.bea.take(&id).await;
    assert_eq!(state.phase(), Phase::Assigned);
    assert_eq!(state.attributes["plan"], "gold");
    cast.bea.hear("Hello, is anybody there?").await;
    cast.visitor.event("the assignment", |e| matches!(e.body, Some(Body::Assigned(_)))).await;
}

async fn talking(cast: &mut Cast) {
    let id = cast.id();
    let typing = Typing { conversation_id: id.clone(), typing: true };
    cast.visitor.send(Request::Typing(typing.clone())).await;
    cast.bea.push("the visitor's typing", typing_in(&id)).await;
    cast.bea.send(Request::Typing(typing)).await;
    cast.visitor.push("the agent's typing", typing_in(&id)).await;

    let sent = cast.bea.say(&id, "Yes: how can I help?").await;
    cast.visitor.hear("Yes: how can I help?").await;
    cast.visitor.call(MarkRead { conversation_id: id.clone(), seq: sent.seq }).await;
    let read = cast.bea.push("the visitor's read mark", |frame| match frame {
        Frame::Read(read) if read.conversation_id == id => Some(read.seq),
        _ => None,
    });
    assert_eq!(read.await, sent.seq);

    let note = AddNote {
        conversation_id: id.clone(),
        client_msg_id: fresh_id(),
        text: "A regular, be nice.".into(),
        ..AddNote::default()
    };
    let first = cast.bea.call(note.clone()).await;
    let again = cast.bea.call(note).await;
    assert!(!first.duplicate && again.duplicate && first.seq == again.seq);
    cast.bea.event("her own note", |e| matches!(e.body, Some(Body::Note(_)))).await;

    let tags = vec!["urgent".to_owned(), "billing".to_owned()];
    cast.bea.call(SetTags { conversation_id: id.clone(), tags }).await;
    let tagged = cast.bea.event("the tags", |e| matches!(e.body, Some(Body::TagsChanged(_)))).await;
    let Some(Body::TagsChanged(changed)) = tagged.event.and_then(|e| e.body) else {
        return;
    };
    assert_eq!(changed.tags, ["billing", "urgent"], "sorted");

    // The Watch of the visitor panics if the note or the tags had reached it.
    cast.bea.say(&id, "Let me look.").await;
    cast.visitor.hear("Let me look.").await;
}

fn typing_in(id: &str) -> impl Fn(&Frame) -> Option<()> {
    move |frame| match frame {
        Frame::Typing(typing) if typing.conversation_id == id && typing.typing => Some(()),
        _ => None,
    }
}

async fn handed_to_a_queue(cast: &mut Cast) {
    let id = cast.id();
    cast.bea.status(AgentStatus::Away).await;
    transfer(&mut cast.bea, &id, Target::Queue("sales".into()), "wants to buy").await;
    let queued = cast.visitor.event("the new queue", |e| match &e.body {
        Some(Body::Queued(queued)) => queued.reason() == QueuedReason::Transferred,
        _ => false,
    });
    queued.await;
    let offer = cast.alex.offer(&id).await;
    assert_eq!((offer.queue.as_str(), offer.note.as_str()), ("sales", "wants to buy"));
    let state = cast.alex.accept(&offer).await;
    assert_eq!(state.tags, ["billing", "urgent"]);
    cast.alex.event("the note of before", |e| matches!(e.body, Some(Body::Note(_)))).await;
    cast.alex.say(&id, "Hello from sales.").await;
    cast.visitor.hear("Hello from sales.").await;
}

async fn handed_to_an_agent(cast: &mut Cast) {
    let id = cast.id();
    cast.bea.status(AgentStatus::Online).await;
    let team = cast.alex.call(ListTeam {}).await;
    assert_eq!(team.agents.len(), 2);
    assert!(team.queues.contains(&"general".to_owned()));
    transfer(&mut cast.alex, &id, Target::AgentId(cast.bea_id.clone()), "yours again").await;
    let offer = cast.bea.offer(&id).await;
    assert_eq!(offer.note, "yours again");
    cast.bea.accept(&offer).await;
    cast.bea.say(&id, "Me again.").await;
    cast.visitor.hear("Me again.").await;
}

async fn transfer(agent: &mut Wire, id: &str, target: Target, note: &str) {
    let conversation_id = id.to_owned();
    let (target, note) = (Some(target), note.to_owned());
    let ask = TransferConversation { conversation_id, target, note, warm: false };
    agent.call(ask).await;
}

async fn closed_and_rated(cast: &mut Cast) {
    let id = cast.id();
    cast.bea.close(&id).await;
    cast.bea.close(&id).await;
    cast.visitor.event("the end", |e| matches!(e.body, Some(Body::Closed(_)))).await;
    let rate = |score| RateConversation {
        conversation_id: id.clone(),
        score,
        comment: "very kind".into(),
    };
    cast.visitor.call(rate(5)).await;
    assert!(cast.visitor.request(Request::Rate(rate(6))).await.is_err());
    // Wrap-up holds her slot for a while.
    assert!(cast.bea.status(AgentStatus::Online).await.load >= 1);
    load(&mut cast.bea, 0).await;
}

async fn reopened_with_its_history(cast: &mut Cast) {
    let id = cast.id();
    cast.alex.status(AgentStatus::Away).await;
    let reopen = ReopenConversation { conversation_id: id.clone() };
    cast.visitor.call(reopen).await;
    cast.bea.take(&id).await;
    cast.bea.say(&id, "Welcome back.").await;
    cast.visitor.hear("Welcome back.").await;

    let seen_by_staff = cast.bea.history(&id).await;
    let seqs: Vec<u32> = seen_by_staff.iter().flat_map(|p| &p.event).map(|e| e.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u32).collect::<Vec<_>>());
    assert!(seen_by_staff.iter().any(|p| matches!(
        p.event.as_ref().and_then(|e| e.body.as_ref()),
        Some(Body::Rated(rated)) if rated.score == 5
    )));
    let said = [
        "Hello, is anybody there?",
        "Yes: how can I help?",
        "Let me look.",
        "Hello from sales.",
        "Me again.",
        "Welcome back.",
    ];
    assert_eq!(texts(&cast.visitor.history(&id).await), said);
    assert_eq!(texts(&seen_by_staff), said);
    assert!(cast.server.terminate().success(), "it stops in order");
}
